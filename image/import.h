/* SPDX-License-Identifier: Apache-2.0 */
/* `kist image import`: a root file system, as a tar archive or a directory, becomes an image of one layer. */
#pragma once
#include "image/layerjob.h"
#include "image/trust/trust.h"

struct import_request {
	const char *path; /* archive, directory, or "-" */
	const char *name;    /* NULL: the image has none */
	const char *message; /* comment of the step in the history; NULL: none */
	const char *const *changes; /* Dockerfile lines */
	size_t change_count;
	struct layerjob_options options;
	struct trust *trust;	      /* the policy; NULL: none */
	char digest[DIGEST_TEXT_MAX]; /* of the image, filled in */
};

int image_import(const struct store *s, struct import_request *request, struct err *e);
