/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mount at a time, with the new mount API: made detached, given its attributes, then attached to a target that is
 * held as a descriptor, so that no path is resolved twice. Sources: fsopen(2), fsmount(2), open_tree(2),
 * move_mount(2), mount_setattr(2), mount(2).
 */
#pragma once
#include <stdbool.h>

#include "spec/mountopt.h"
#include "util/err.h"
#include "util/mem.h"

/*
 * Makes a detached mount of a new file system instance: `source` may be NULL; data words, superblock words and
 * attributes come from `o`. Runs in the child (the file system belongs to its namespaces).
 * Returns a descriptor that the caller owns. -EPERM, -ENODEV (no such file system).
 */
int mount_new(const char *type, const char *source, const struct mount_options *o, struct err *e);

/* Changes the options of the file system behind a mount, when there are any but its attributes. fspick(2). Child. */
int mount_reconfigure(int mnt, const struct mount_options *o, struct err *e);

/* Makes a detached copy of the tree at `path` below `dirfd` (AT_EMPTY_PATH when path is ""). */
int mount_clone(int dirfd, const char *path, bool is_recursive, bool is_nofollow, struct err *e);

/* Gives a mount its attributes: attr_* to it alone, rec_* to the whole tree, as one or two calls. */
int mount_attributes(int mnt, const struct mount_options *o, struct err *e);

/* Applies the propagation words in their order, one call each. */
int mount_propagate(int mnt, const struct mount_options *o, struct err *e);

/* Sets one propagation type (MS_PRIVATE, ...) on a mount or a tree. */
int mount_set_propagation(int mnt, unsigned long type, bool is_recursive, struct err *e);

/* Attaches a detached mount on the directory or file behind `target`. */
int mount_attach(int mnt, int target, struct err *e);

/* Gives a detached mount the id mapping of a user namespace. mount_setattr(2), "ID-mapped mounts". */
int mount_idmap(int mnt, int userns, bool is_recursive, struct err *e);

enum {
	OVERLAY_USERXATTR = 1 << 0,  /* its own marks are user.* attributes: without CAP_SYS_ADMIN on the host */
	OVERLAY_VOLATILE  = 1 << 1,  /* the upper directory is thrown away afterwards: nothing is synced. overlayfs.rst */
	OVERLAY_UNATTACHED = 1 << 2, /* one of the lower directories is a mount of our own that is attached nowhere */
};

/*
 * Makes an overlay of `n` lower directories (O_PATH descriptors, topmost first) and, unless -1, an upper and a work
 * directory. Detached; runs in the parent. Kernels without lowerdir+ (before 6.7) get the list in one option, through
 * /proc/self/fd. Returns a descriptor that the caller owns.
 */
int mount_overlay(const int *lower, size_t n, int upper, int work, unsigned flags, struct err *e);

/*
 * The same by mount(2), whose options are a page at most (-E2BIG): attaches the overlay on /proc of the calling process's
 * mount namespace, which must be one of a helper's own. Returns a detached copy of it or -errno.
 */
int mount_overlay_attached(const int *lower, size_t n, int upper, int work, unsigned flags);
