/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole file tree in memory, without the files' bytes: what an image's layers show when they lie upon each other, or
 * what an EROFS file holds. image/treelayer and image/erofsread make one; image/erofswrite and image/treetar turn it
 * into an EROFS file and into a tar archive. Part of kist-image only.
 *
 * All of it lies in one arena. The children of a directory are sorted by their bytes; files with several names share
 * one inode, as far as they do where the tree comes from.
 */
#pragma once
#include <sys/types.h>

#include "image/tar.h"
#include "util/arena.h"

enum {
	TREE_DEPTH_MAX = 2048,      /* as deep as a path of a layer can be */
	TREE_NAMES_MAX = 4000000,   /* as many entries as one layer may have */
};

struct tree_node;

struct tree_inode {
	mode_t mode; /* with its type */
	uint32_t uid, gid;
	uint32_t dev_major, dev_minor;
	uint32_t links;  /* names; of a directory: 2 and one for each directory in it */
	uint64_t size;   /* bytes of a file or of a link's target; of a directory: as EROFS has it */
	struct timespec mtime;
	const struct tar_xattr *xattrs; /* sorted by name */
	size_t xattr_count;
	const char *target;                 /* symlinks */
	const struct tree_node *first;      /* the first of its names, once links are counted */

	/* where the bytes of a file are: in a layer, by the name that it had there */
	const struct tree_node *origin;
	uint32_t layer;

	/* where they are, or will be, in an EROFS file */
	uint64_t at;       /* byte of the inode; 0: not placed yet */
	uint64_t tail_at;  /* byte of what lies behind the inode and not in blocks */
	uint32_t block;    /* first block */
	bool is_inline;    /* the last, incomplete block lies behind the inode */
};

struct tree_node {
	const char *name; /* "" for the root */
	const struct tree_node *parent;
	struct tree_inode *inode;
	struct tree_node **kids; /* directories */
	size_t kid_count;
};

struct tree {
	struct arena arena;
	struct tree_node *root; /* NULL: empty */
	size_t names;
	size_t names_max; /* that tree_from_layers takes of all layers together; 0: TREE_NAMES_MAX */
	bool is_frame;    /* tree_from_layers reads xattrs of directories alone, and no targets of links */
	int *layers;  /* O_PATH directories that origins count from, borrowed; NULL: bytes come from `erofs` */
	int erofs;    /* the EROFS file that was read, borrowed; -1 */
};

#define TREE_NONE ((struct tree){ .erofs = -1 })
#define tree_auto __attribute__((cleanup(tree_done)))
void tree_done(struct tree *t);

/* A new name without an inode. Its place among the parent's children is the caller's business. */
struct tree_node *tree_node_new(struct tree *t, const struct tree_node *parent, const char *name, size_t len);

/* Counts names, once the tree is complete; gives directories their link counts. */
void tree_count_links(struct tree *t);

/* Writes the path below the root, without a slash at its front. -ENAMETOOLONG with words. */
int tree_path(const struct tree_node *node, char out[static TAR_PATH_MAX + 1], struct err *e);

/* Sorts an inode's xattrs by name, so that equal files are written alike. */
void tree_sort_xattrs(struct tar_xattr *rows, size_t count);

/* ---- the bytes of one file ---- */

struct tree_data {
	const struct tree_inode *inode;
	int fd;
	int own_fd; /* -1: borrowed */
};

/* Opens a file's bytes. The caller ends it by tree_data_done. */
int tree_data_open(const struct tree *t, const struct tree_inode *inode, struct tree_data *ret, struct err *e);
void tree_data_done(struct tree_data *d);

/* Reads exactly these bytes. A file that is shorter than it was is an error. */
int tree_data_read(const struct tree_data *d, uint64_t offset, void *buf, size_t len, struct err *e);
