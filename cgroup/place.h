/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From cgroupsPath to the path of a container's group. Pure. Callers: runtime/plan.
 * Source: config-linux.md, "Cgroups Path".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "cgroup/tree.h"
#include "util/arena.h"
#include "util/err.h"

struct cgroup_place {
	const char *path;      /* from the visible root, without a leading slash: "kist-web", "docker/3f2a" */
	size_t base_len;       /* bytes of `path` that are the delegated group we work below; 0: none */
	bool is_chosen;        /* kist chose the name (no cgroupsPath): whatever is there under it is kist's */
};

/*
 * An absolute cgroupsPath counts from the mount, a relative one from our base, none gives "kist-ID" below our
 * base. The base is the delegated group we run in, else the root. `own` may be NULL when cgroupsPath is
 * absolute. -EINVAL: "..", an empty component, the root itself, or systemd's "slice:prefix:name". Strings
 * live in the arena.
 */
int cgroup_place(const char *cgroups_path, const char *id, const struct cgroup_own *own, struct arena *a,
		 struct cgroup_place *ret_place, struct err *e);

/*
 * As cgroup_place, reading our own group only where it is needed. Not pure: /proc/self/cgroup, getxattr(2).
 */
int cgroup_locate(const struct cgroup_tree *tree, const char *cgroups_path, const char *id, struct arena *a,
		  struct cgroup_place *ret_place, struct err *e);

/*
 * Whether we may make groups there: for users, and root of a user namespace, to whom only what was delegated belongs.
 * -EACCES, -EROFS, with words that say how a delegated group is had. Looks only: access(2).
 */
int cgroup_may_make(const struct cgroup_tree *tree, const struct cgroup_place *place, struct arena *a, struct err *e);

/*
 * Whether a path (without leading slash) has only proper components; for paths that come back from state
 * files.
 */
bool cgroup_path_is_sound(const char *path);
