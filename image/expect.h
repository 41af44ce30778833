/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer's tree has to be, as its tar says: the same rules as image/unpack, on nodes in memory instead of
 * files. File data is not kept but compared with the tree's as it passes. Part of kist-image, for image/treecheck.
 */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>
#include "image/tar.h"
#include "util/arena.h"

struct expect_xattr {
	struct expect_xattr *next;
	const char *name;
	const void *value;
	size_t len;
};

enum expect_data {
	DATA_EQUAL,
	DATA_DIFFERS,
	DATA_UNREAD, /* there is no such regular file in the tree, or it cannot be opened */
};

/* A file, which may have several names (hard links). */
struct expect_inode {
	mode_t mode; /* with its kind; S_IFCHR of rdev 0: a whiteout */
	uint32_t uid, gid;
	dev_t rdev;
	uint64_t size;
	struct timespec mtime;
	const char *link;
	struct expect_xattr *xattrs;
	enum expect_data data;
	bool is_implied; /* a directory that no entry describes: what it is comes from the layers below */
	bool is_opaque;
	/* what treecheck has found of it */
	bool is_met;
	dev_t met_dev;
	ino_t met_ino;
};

/* A name in a directory. */
struct expect_node {
	struct expect_node *parent, *chain, *child, *sibling;
	struct expect_inode *inode;
	const char *name;
	bool is_gone; /* replaced or deleted by a later entry, with all that is below it */
	bool is_seen; /* by treecheck */
};

struct expect {
	struct arena arena;
	struct expect_node *root;
	struct expect_node **table; /* names by parent and name */
	size_t room, count;
	int tree; /* borrowed: what data is compared with */
	uint64_t bytes, entries;
	bool is_opaque; /* the root hides all below */
	bool is_userns; /* devices were left out */
	char *path, *link; /* of the entry, in plain form */
	uint8_t *buf;
};

/* Begins with an empty root. The caller ends it by expect_done. */
void expect_open(struct expect *x, int tree);
void expect_done(struct expect *x);

/* Takes the next entry, and its data from the tar. -errno with words where unpack_layer fails too. */
int expect_take(struct expect *x, struct tar *tar, const struct tar_entry *en, struct err *e);

/* A name in a directory; NULL: it has none. */
struct expect_node *expect_find(const struct expect *x, const struct expect_node *dir, const char *name);

/* Writes a node's path from the root; "." for the root. */
void expect_path(const struct expect_node *n, char *out, size_t size);
