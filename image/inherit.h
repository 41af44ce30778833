/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories that a layer has files in but does not describe: in the image they are those of the layers
 * below, with their owner, mode, times and xattrs (a /tmp stays 1777 when a layer only adds /tmp/file).
 * overlayfs would show the upper layer's bare ones, so they get what the topmost lower layer has. Part of
 * kist-image, for image/commit.
 *
 * A layer is kept once, and another image may have it upon other layers. If one of those directories would be another
 * there, by owner, mode or xattrs, that image is refused: what it sees is not to be up to whoever was first.
 */
#pragma once
#include "image/layerjob.h"

/* Runs when all jobs are done and nothing is published. -EEXIST: a layer is here upon other directories. */
int inherit_dirs(struct ingest *in, const struct layerjob *jobs, size_t count, struct err *e);

/*
 * Opens the tree of layer `i` of `count` by O_PATH: where its job has put it, or in the store. *ret_is_opaque: it
 * hides all below it. Returns the descriptor or -errno.
 */
int inherit_open(const struct ingest *in, const struct layerjob *jobs, size_t count, size_t i,
		 bool *ret_is_opaque);

/*
 * Compares such directories of an image's layers, lowest first, that are in the store: reports each that is not what the
 * layers below make it. -ENOENT: a layer is not there, and what lies upon it was not compared.
 */
typedef void inherit_fn(void *ctx, const char *diff_id, const char *path, const char *what);
int inherit_check(const struct store *store, const char *const *diff_ids, size_t count, inherit_fn *report, void *ctx,
		  struct err *e);
