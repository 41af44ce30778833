/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `kist image save`: stored images into an archive or a directory that others read. Bytes stream; each digest is
 * verified on the way out. Part of kist-image only.
 */
#pragma once
#include "image/image.h"
#include "image/progress.h"

enum save_format {
	SAVE_DOCKER_ARCHIVE, /* of `docker save`: image/save_docker */
	SAVE_OCI_ARCHIVE,    /* a tar of an OCI layout: image/save_oci */
	SAVE_OCI_DIR,
	SAVE_DOCKER_DIR, /* one image as files: "dir:" of skopeo */
};

struct save_request {
	enum save_format format;
	const char *path; /* NULL: standard output */
	const char *const *words;
	size_t count;
	bool leaves_signatures; /* those that lie beside an image stay here */
	enum progress_style style;
};

int image_save(const struct store *s, const struct save_request *request, struct err *e);
