/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything lies in the EROFS file of a tree, and all bytes of it but those of its files. Both follow from the
 * tree alone, so that equal trees give equal files, and a file that differs from what its tree gives is not ours. Pure.
 * Part of kist-image only; callers: image/erofswrite, image/erofsread.
 *
 *   0      for others (image/packhead)
 *   1024   superblock, then the inodes in the order of the paths, each with its xattrs and its tail
 *   then   blocks of directories, blocks of files, in the same order
 */
#pragma once
#include "image/tree.h"

struct erofs_plan {
	struct tree_inode **order; /* each inode once */
	size_t count;
	uint64_t meta_bytes;       /* up to the first file's block; a multiple of a block */
	uint64_t blocks;           /* of the whole file */
};

#define erofs_plan_auto __attribute__((cleanup(erofs_plan_done)))
void erofs_plan_done(struct erofs_plan *plan);

/* Places every inode of a tree. -E2BIG and the like, with words, where the format ends. */
int erofs_plan(struct tree *t, struct erofs_plan *ret_plan, struct err *e);

/*
 * Fills `meta`, plan->meta_bytes of zeros, with all but the tails of files, which lie at their inode's tail_at and must be
 * there before erofs_seal.
 */
void erofs_fill(const struct tree *t, const struct erofs_plan *plan, uint8_t *meta);

/* The superblock's checksum. */
void erofs_seal(uint8_t *meta);

/* How many bytes of a file lie in blocks; the rest is its tail. */
uint64_t erofs_block_bytes(const struct tree_inode *inode);
