/* SPDX-License-Identifier: Apache-2.0 */
/* What trees take of the disk, as du(1) counts: blocks of files and directories, each inode once. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "image/inodes.h"

struct du {
	uint64_t bytes;
	bool is_whole; /* files count once all of their names were added: what the disk gets back with them */
	struct inodes seen; /* files with several names */
};

#define du_auto __attribute__((cleanup(du_done)))

/* Adds a file or a tree. What goes meanwhile counts as far as it was seen; what is not there is nothing. */
int du_add(struct du *d, int dirfd, const char *name);
void du_done(struct du *d);
