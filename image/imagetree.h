/* SPDX-License-Identifier: Apache-2.0 */
/* The whole tree of a stored image, from its unpacked layers or else from its EROFS file. Part of kist-image only. */
#pragma once
#include "image/image.h"
#include "image/layerjob.h"
#include "image/packhead.h"
#include "image/tree.h"
#include "image/trust/trust.h"

struct image_tree {
	struct tree tree;
	int layers[IMAGE_LAYERS_MAX + 1]; /* lowest first */
	size_t count;
	int erofs; /* -1 */
};

#define IMAGE_TREE_NONE ((struct image_tree){ .tree = TREE_NONE, .erofs = -1 })
#define image_tree_auto __attribute__((cleanup(image_tree_done)))
void image_tree_done(struct image_tree *t);

/* Reads it; an image that is not unpacked yet is unpacked first. `t` must stay where it is. */
int image_tree_open(const struct store *s, const struct image *image, const struct layerjob_options *options,
		    struct trust *trust, struct image_tree *t, struct err *e);

/*
 * Writes the tree as EROFS into `fd`, an empty file, and digests it as a tar archive at the same time: head->tree and
 * head->erofs_size. *ret_tar_bytes: the size of the archive. Neither a head is written nor is anything synced.
 */
int image_tree_write(struct tree *t, int fd, struct pack_head *head, uint64_t *ret_tar_bytes, struct err *e);
