/* SPDX-License-Identifier: Apache-2.0 */
/* `kist image convert`: one EROFS file in the store in the place of an image's unpacked layers. Part of kist-image only. */
#pragma once
#include "image/layerjob.h"
#include "image/trust/trust.h"

struct convert_request {
	const char *image;    /* as the user wrote it */
	const char *new_name; /* that the image gets besides; NULL: none */
	bool drops_layers;    /* removes unpacked layers that nothing else needs */
	struct layerjob_options options;
	struct trust *trust;  /* asked when layers are not unpacked yet */

	/* what came out */
	char digest[DIGEST_TEXT_MAX]; /* of the image's manifest, the same as before */
	bool was_there;
	size_t dropped;
};

int image_convert(const struct store *s, struct convert_request *request, struct err *e);

/*
 * Verifies the EROFS file of an image, for image/check: 0, -ENOENT when it has none, -EBADMSG with words, or another
 * failure to read it.
 */
int image_check_erofs(const struct store *s, const char *digest, struct err *e);
