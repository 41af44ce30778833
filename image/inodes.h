/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes that were seen, by device and number, each with something of the caller's: files with several names are found
 * again by it. Open addressing, at most half full. Part of kist, kist-image and kist-registry, for image/du,
 * image/treeout, image/treelayer, image/erofsread.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct inodes_row {
	uint64_t dev, ino; /* ino 0: free */
	union {
		void *of; /* the caller's; NULL in a new row */
		uint64_t names;
	};
};

struct inodes {
	struct inodes_row *v;
	size_t n, room;
};

/* The row of an inode (not 0), a new one when it was not seen. Valid until the next call. */
struct inodes_row *inodes_row(struct inodes *t, uint64_t dev, uint64_t ino);
void inodes_done(struct inodes *t);
