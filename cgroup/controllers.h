/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which controllers a set of limits needs, whether this host's v2 tree has them, and handing them down to a
 * group. Callers: cgroup/group, runtime/plan and `doctor`. Source: cgroup-v2.rst, "Controlling Controllers".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "cgroup/tree.h"
#include "util/err.h"

enum { CGROUP_NEED_MAX = 24 };

struct cgroup_need {
	struct cgroup_need_one {
		const char *name;  /* controller: "memory"; borrowed */
		const char *path;  /* JSON path of the first key that asked for it; borrowed */
	} v[CGROUP_NEED_MAX];
	size_t n;
};

/* Adds a controller once. Returns 0, or -E2BIG when there are more than any kernel has. Pure. */
int cgroup_need_add(struct cgroup_need *need, const char *name, const char *path);

/*
 * Finds out whether the controllers are to be had at the root of the visible tree. -EOPNOTSUPP: one is not;
 * the message names the key, the controller, and what to do. Changes nothing.
 */
int cgroup_need_check(const struct cgroup_tree *tree, const struct cgroup_need *need, struct err *e);

/*
 * Makes the controllers appear in the group `path` by enabling what is missing in each group above it, from
 * the top. A group `base` (or NULL) that is delegated to us and holds processes gets them moved into its
 * supervisor leaf first.
 */
int cgroup_need_enable(const struct cgroup_tree *tree, const char *path, const char *base,
		       const struct cgroup_need *need, struct err *e);

/* The controllers at the root of the visible tree, as the kernel lists them: "cpuset cpu io memory". */
int cgroup_controllers(const struct cgroup_tree *tree, char *buf, size_t size);
