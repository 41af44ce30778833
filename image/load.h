/* SPDX-License-Identifier: Apache-2.0 */
/* `kist image load`: finds out what a source is, and loads it. Part of kist-image only. */
#pragma once
#include "image/oci.h"

/*
 * Loads PATH, DIR:TAG or "-". `request->path` is what the user wrote; tag is found here. On failure nothing
 * of the image that failed stays in the store.
 */
int image_load(const struct store *s, const struct load_request *request, struct err *e);

/* Unpacks the layers of an image that another tool wrote into the store. */
int image_unpack(const struct store *s, const char *name, const struct layerjob_options *options,
		 struct trust *trust, struct err *e);
