/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a directory tree into a tar archive, one at a time: their metadata, xattrs, data, and the links between
 * them. Which files, and in what order, is for the walk to say: image/tarwrite (a whole tree), image/layertar (what a
 * container has changed). Part of kist-image only.
 */
#pragma once
#include <sys/stat.h>
#include "image/inodes.h"
#include "image/tarout.h"
#include "util/arena.h"

struct treeout {
	struct tarout *out;
	struct arena arena; /* names of files with several */
	struct inodes links; /* files with several names, and the first of them in the archive */
	char *buf;
	/*
	 * The tree changes while it is read: what is gone when it is to be opened is left out, and a file that shrinks is
	 * filled up with zeros, which is said. Else both are errors.
	 */
	bool is_live;
};

void treeout_open(struct treeout *w, struct tarout *out);
void treeout_done(struct treeout *w);

/*
 * Opens a file by O_PATH and looks at it. Returns the descriptor; -EXDEV for what is mounted there, which is not part of
 * the tree; -ENOENT without words when the tree is live and the file gone.
 */
int treeout_look(const struct treeout *w, int parent, const char *name, struct stat *ret_st, struct err *e);

/*
 * Writes the entry `path` of what `fd` (by O_PATH) is: a directory with a slash at its end, a
 * further name of a file as a hard link to the first. Sockets, which no archive holds, are left out.
 */
int treeout_put(struct treeout *w, int fd, const char *path, const struct stat *st, struct err *e);

/* The names in a directory, sorted by bytes. The caller frees by treeout_unlist. */
int treeout_list(int dir, char ***ret_names, size_t *ret_count);
void treeout_unlist(char **names, size_t count);
