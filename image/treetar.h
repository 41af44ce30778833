/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree as a tar archive: equal trees give equal bytes, and the same that image/tarwrite makes of the tree in a directory.
 * Its digest is the diffID of an image that consists of this one layer. Part of kist-image only.
 */
#pragma once
#include "image/ref.h"
#include "image/tree.h"

/* Takes bytes of the archive. Returns 0 or -errno with words. */
typedef int tree_sink(void *ctx, const void *bytes, size_t len, struct err *e);

/*
 * Gives the archive to `sink`, piece by piece. *ret_size: its bytes. Of a tree that was read from an EROFS file, the fill
 * behind each file's bytes is looked at too: with this and tree_from_erofs no byte of such a file is left out.
 */
int tree_tar(const struct tree *t, tree_sink *sink, void *ctx, uint64_t *ret_size, struct err *e);

/* Writes the archive to a descriptor. */
int tree_tar_write(const struct tree *t, int out, struct err *e);

/* The digest of the archive, and its size. */
int tree_tar_digest(const struct tree *t, char ret_digest[static DIGEST_TEXT_MAX], uint64_t *ret_size, struct err *e);
