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
 * Opens the tree of layer `i` of `count` by O_PATH: where its job has put it, or in the store. *ret_is_opaque: it hides all below
 * it. Returns the descriptor or -errno.
 */
int inherit_open(const struct ingest *in, const struct layerjob *jobs, size_t count, size_t i,
		 bool *ret_is_opaque);
