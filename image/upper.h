/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container has changed: a walk through the upper directory of its overlay beside the tree of its image. Reads
 * only. Part of kist-image, for image/layertar (commit) and image/diff. Source: overlayfs.rst.
 *
 * Mount points that the runtime has made (empty, new, at or above a path of `mounts`) are no changes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include "util/err.h"

enum change {
	CHANGE_ADDED,	 /* not in the image */
	CHANGE_MODIFIED, /* in the image, too: other data, metadata, or directory */
	CHANGE_DELETED,	 /* in the image alone */
};

struct upper {
	int dir;      /* the upper directory, by O_PATH */
	int lower;    /* the image's tree, by O_PATH; -1: it has none */
	bool is_user; /* overlayfs's marks are user.*, as below "userxattr" */
	bool is_live; /* it may change while it is read: what is gone is left out */
	const char *const *mounts;
	size_t mount_count;
};

/* One change, as the visitor gets it. Directories come before what is in them, names in the order of their bytes. */
struct upper_entry {
	enum change change;
	const char *path; /* from the root without a slash; "." is the root itself */
	const char *name; /* its last component */
	int fd;		  /* by O_PATH; -1 for what is deleted */
	struct stat st;	  /* zeroed for what is deleted */
	bool is_opaque;	  /* a directory that hides one of the image */
	bool is_hidden;	  /* deleted with the directory that an opaque one hides: that says it already */
};

/* Returns 0, or what ends the walk and is its result. */
typedef int upper_fn(void *ctx, const struct upper_entry *en, struct err *e);

/* -EOPNOTSUPP: the host's overlayfs has moved a directory or left data behind (redirect_dir, metacopy). */
int upper_walk(const struct upper *u, upper_fn *visit, void *ctx, struct err *e);
