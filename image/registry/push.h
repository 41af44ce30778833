/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stored image into a registry: blobs first, several at a time, then the manifest, byte for byte, so that its digest
 * stays. A blob that the repository has is not sent; one that another repository of the same registry has is mounted
 * from there. Part of kist-registry only.
 */
#pragma once
#include "image/progress.h"
#include "image/registry/registry.h"
#include "image/store.h"

struct push_request {
	const char *name;	 /* of the stored image, as given */
	const char *destination; /* NAME[:TAG], also behind docker://; NULL: the image's own name */
	bool leaves_signatures;	 /* --remove-signatures: those of the store stay here */
	struct registry_options registry;
	enum progress_style style;
	struct progress *progress; /* for what the caller says between */
};

int image_push(const struct store *s, const struct push_request *request, char ret_digest[static DIGEST_TEXT_MAX],
	       struct err *e);
