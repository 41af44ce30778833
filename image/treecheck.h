/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares an unpacked layer with its tar, in both directions, without unpacking it again: what is missing, what is
 * different (kind, mode, owner, data, target, time, xattrs, hard links), and what is there besides. Changes nothing.
 * Part of kist-image, for image/check; runs in a worker thread.
 */
#pragma once
#include "image/flow.h"
#include <stdbool.h>

/* Gets each difference: a path below the layer's root, and what is wrong with it. */
typedef void treecheck_fn(void *ctx, const char *path, const char *what);

struct treechecked {
	uint64_t bytes; /* of file data, as image/unpack counts them */
	bool is_opaque; /* the layer's root hides everything below */
};

/*
 * Reads the plain tar `in` to its end and compares it with the tree below `root`, an open directory. -errno with words:
 * the tar cannot be read; then not all was compared.
 */
int treecheck(struct flow *in, int root, treecheck_fn *report, void *ctx, struct treechecked *ret, struct err *e);
