/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup v2 tree of this host as this process sees it: where it is mounted, and which group we are in
 * ourselves. Callers: runtime (once per command), cli for `doctor`. Never mounts anything.
 */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include "util/arena.h"
#include "util/err.h"

struct cgroup_tree {
	int fd;                /* the mount's root directory, O_PATH */
	char path[256];        /* where it is mounted */
	bool is_hybrid;        /* it is mounted beside cgroup v1, which may hold controllers */
};

#define CGROUP_TREE_NONE { .fd = -1 }

/*
 * Finds and opens the cgroup2 mount: /sys/fs/cgroup, then /sys/fs/cgroup/unified, then the first in
 * /proc/self/mountinfo. Returns 0; -ENODEV when there is none. Two system calls on a host with cgroup v2
 * only.
 */
int cgroup_tree_open(struct cgroup_tree *ret_tree, struct err *e);

void cgroup_tree_done(struct cgroup_tree *tree);

#define cgroup_tree_auto __attribute__((cleanup(cgroup_tree_done)))

/* The group of the calling process, as far as it decides where new groups go. */
struct cgroup_own {
	const char *path;      /* "/" or "/a/b", from the visible root; "" when it lies outside of what is visible */
	const char *base;      /* the delegated group to work below: `path` or its parent; or NULL */
};

/*
 * Reads /proc/self/cgroup and finds out whether the group is delegated to us: the attribute user.delegate or
 * trusted.delegate is "1" (systemd's mark), or, for a user other than root of the host, the directory belongs to
 * that user. The root of the tree counts as not delegated. Strings live in the arena. cgroups(7),
 * cgroup_namespaces(7).
 */
int cgroup_own_read(const struct cgroup_tree *tree, struct arena *a, struct cgroup_own *ret_own, struct err *e);

/* Takes the v2 line out of the text of /proc/PID/cgroup. NULL: there is none. In the arena. Pure. */
char *cgroup_own_parse(struct arena *a, const char *text);

/*
 * Takes the mount point of the first cgroup2 file system out of the text of /proc/PID/mountinfo, octal
 * escapes undone (proc(5)). NULL: there is none. In the arena. Pure.
 */
char *cgroup_tree_parse(struct arena *a, const char *text);

/* The leaf below a delegated group into which its own processes go when its controllers are to be used. */
#define CGROUP_SUPERVISOR "supervisor"
