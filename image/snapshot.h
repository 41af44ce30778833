/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `kist commit`: what a container has changed becomes a layer upon those of its image, and with the image's config, its
 * changes and one step more of history a new image. Part of kist-image only.
 */
#pragma once
#include "image/layerjob.h"
#include "image/upper.h"

struct snapshot_request {
	const char *digest; /* of the manifest of the container's image */
	struct upper upper;
	const char *name;	    /* NULL: the new image has none */
	const char *author;	    /* NULL: the image's */
	const char *message;	    /* comment of the step; NULL: none */
	const char *created_by;	    /* of the step */
	const char *const *changes; /* Dockerfile lines */
	size_t change_count;
	struct layerjob_options options;
	char result[DIGEST_TEXT_MAX]; /* digest of the new image, filled in */
};

/*
 * Makes the image, whole or not at all. A container that has changed nothing gives an image without a layer more. The
 * tree is not read any more once this is done.
 */
int image_snapshot(const struct store *s, struct snapshot_request *request, struct err *e);
