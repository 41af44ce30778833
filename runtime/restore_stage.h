/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What criu finds when it restores: a mount namespace of its own in which the container's root and all that the images
 * leave out are mounted below one directory. Nobody else sees these mounts, and they go when criu ends.
 * Caller: runtime/restore. Sources: criu(8) --root, --external; mount_namespaces(7).
 */
#pragma once
#include "runtime/restore.h"

/* What stands for one mount: a path of the host, or a tree below the stage, under its number. */
struct stage_entry {
	const char *mountpoint;   /* in the container */
	const char *source;       /* the host's path; NULL: a tree */
	int tree;                 /* detached; borrowed; -1: a part of `from`, or the same as `from` */
	size_t from;
	const char *below;        /* which part */
	bool is_file;
};

struct stage {
	char path[4096];          /* the directory; the container's root is path/root */
	int root;                 /* detached root file system; borrowed */
	struct stage_entry *v;    /* in the arena; names of the files are their indices */
	size_t n;
	int cgroup;               /* a detached copy of the container's group; -1 */
	bool is_userns;           /* tasks of a user namespace open images and paths themselves */
};

#define STAGE_NONE ((struct stage){ .root = -1, .cgroup = -1 })

/* Matches the record with the plan's mounts and devices. -EINVAL: the configuration lacks what the images need. */
int stage_make(const struct restore_args *a, struct arena *arena, struct stage *ret, struct err *e);
void stage_done(struct stage *s);

/* Appends what tells criu of it. */
void stage_put(const struct stage *s, struct str *opts);

/*
 * Attaches everything. Runs in the process that becomes criu, in its own mount namespace. May put another view of the
 * images in the place of *images.
 */
int stage_enter(const struct stage *s, int *images, struct err *e);
