/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ordered mount list of a plan. Runs in the child, before pivot, and in the helper process of live.c.
 * Source: runtime-spec config.md "Mounts".
 */
#pragma once
#include "runtime/plan.h"

/* Makes all mounts of a plan beneath `root`, in order. */
int mounts_make(const struct plan *p, const struct opened *o, int root, struct err *e);

/* Hears of a mount before it is attached. 0, or -errno to give up with. */
struct mount_watch {
	int (*made)(void *ctx, int mnt);
	void *ctx;
};

/*
 * Makes one. `tree_slot` holds a copy made beforehand, or -1; the mount is left there if it is to become read-only later,
 * or with `watch` (else NULL).
 */
int mounts_make_one(const struct plan_mount *m, int *tree_slot, bool is_file, const struct mount_watch *watch, int root,
		    struct err *e);

/* Makes those read-only that had to be writable until mount points and devices were there. Child, before pivot. */
int mounts_finish(const struct plan *p, const struct opened *o, struct err *e);

/* Whether the plan mounts a devpts on /dev/pts, so that /dev/ptmx leads there. */
bool mounts_has_pts(const struct plan *p);
