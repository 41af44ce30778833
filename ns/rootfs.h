/* SPDX-License-Identifier: Apache-2.0 */
/* The container's root: attached, turned into "/", cut off from the host. Sources: pivot_root(2), mount(2). */
#pragma once
#include <stdbool.h>

#include "util/err.h"

/*
 * Attaches the detached tree `own_tree` on `where` (a path of the child's namespace) and opens it as the root beneath
 * which everything else happens. Runs in the child, first of all mounts. Returns a descriptor that the caller owns.
 */
int rootfs_attach(int tree, const char *where, struct err *e);

/* Makes `root` the root of the calling process and detaches all that was there before. Child. */
int rootfs_pivot(int root, struct err *e);

/*
 * As rootfs_pivot for a rootfs on a ramfs, where pivot_root is refused: moves the mount over "/", takes procfs and
 * sysfs of what is below away, and enters it.
 */
int rootfs_move(int root, struct err *e);

/* Makes `root` the root without a mount namespace of its own. */
int rootfs_chroot(int root, struct err *e);

/* Makes the mount behind `root` read-only, keeping its other flags. Child. */
int rootfs_readonly(int root, struct err *e);
