/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures out of an OCI layout or archive, beside the image that is loaded from it. Part of kist-image only. */
#pragma once
#include "image/source.h"
#include "image/image.h"
#include "image/trust/trust.h"

struct layout_signatures {
	const struct source *src;
	const struct document *index;
};

/* `ret_fetch` borrows `layout`. */
void layout_fetch(struct layout_signatures *layout, struct trust_fetch *ret_fetch);

/* True for a row of the layout's index that is no image, but what cosign keeps beside one. */
bool layout_is_signature(const struct descriptor *d);
