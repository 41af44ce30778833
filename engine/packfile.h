/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image that comes in one file (kist pack): `kist run ./app.kist`. Where the kernel can, and nobody but root could
 * write to the file, it is mounted as it is; else kist-image unpacks it into the store, once, and it is a stored image from
 * then on. kist-image verifies every byte before either, and leaves a note of it in the store. Callers: engine/run,
 * engine/root. Runs in the parent.
 */
#pragma once
#include "image/image.h"

/*
 * Gives the image in a file. With ret_image->has_pack, `pack` is its descriptor and `pack_note` that of the store's note of
 * it, which the caller owns. `path` is absolute. The caller ends the image by image_done. Without `may_take`, -ENOENT for a
 * file of which the store has neither note nor image.
 */
int packfile_image(const struct store *s, const char *path, bool may_take, struct image *ret_image, struct err *e);

/*
 * Opens the file that a container was made from, which must hold the same image still. *ret_fd: to be mounted, with
 * the note of it; -1: it is in the store.
 */
int packfile_again(const struct store *s, const char *path, const char *digest, int *ret_fd, int *ret_note,
		   struct err *e);
