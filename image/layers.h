/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's unpacked layers as descriptors, in the order in which overlayfs stacks them. Part of kist.
 *
 * Order of work for a container: 1. write containers/ID/layers in the store (one diffID per line: all of
 * image->layers), 2. layers_open, 3. mount. `image rm` looks at the holders again after it has taken a layer
 * away and puts a held one back, so a layer that layers_open found stays.
 */
#pragma once
#include "image/image.h"

struct layers {
	int fd[IMAGE_LAYERS_MAX + 1]; /* O_PATH directories, top first: lowerdir order */
	size_t n;
	bool is_erofs; /* the one is a mounted file with all of them */
	int meet;      /* with is_erofs: to offer the mount by (image/erofsmount) */
	int own_meet;  /* the same, or -1: it is borrowed */
};

/*
 * Opens the directory of one layer by O_PATH: it has one of two names, and the second says that nothing below shows.
 * -ENOENT: it is not unpacked.
 */
int layer_open(const struct store *s, const char *diff_id, bool *ret_is_opaque);

/*
 * Opens the layers of an image. Layers below one that hides everything are left out. The overlay's root takes
 * mode, owner and times from its upper directory: the caller gives that those of fd[0] (fstat). -ENOENT: a
 * layer is not unpacked (somebody else wrote the image into the layout): "kist-image unpack NAME" does it.
 * Where the image has an EROFS file, or comes out of one, that is mounted instead, as KIST_EROFS says and the kernel
 * can; it also stands for layers that are not there. Where it has a merged directory (image/flat), that is the only
 * layer; whoever keeps it in use holds it by the line "flat DIGEST" in the list. Runs in the parent.
 */
int layers_open(const struct store *s, const struct image *image, struct layers *ret_layers, struct err *e);

/* As layers_open, for who holds the layers alone: a merged directory is left aside. */
int layers_open_apart(const struct store *s, const struct image *image, struct layers *ret_layers, struct err *e);
void layers_done(struct layers *layers);

#define layers_auto __attribute__((cleanup(layers_done)))
