/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regular file of a layer: written from the archive, or made one more name of an equal file (image/sharing).
 * Part of kist-image, for image/unpack.
 */
#pragma once
#include "image/meta.h"
#include "image/sharing.h"

struct filedata {
	struct tar *tar;	     /* gives the bytes */
	struct sharing_layer *share; /* NULL: every file is written */
	const struct meta_owner *own;
	uint8_t *head; /* SHARING_HEAD bytes, for what does not come in one piece */
};

/*
 * Makes the entry's file `name` in `parent`, in place of what is there. `path` is the same from the layer's root,
 * in plain form.
 */
int filedata_make(struct filedata *d, int parent, const char *name, const char *path, const struct tar_entry *en,
		  struct err *e);
void filedata_done(struct filedata *d);
