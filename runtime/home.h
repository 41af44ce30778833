/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group that a container in the making gets: where it lies, how it is made, what is written into it. Caller:
 * runtime/create. Runs in the parent. Source: runtime-spec config-linux.md "Control groups", "Cgroup ownership".
 */
#pragma once
#include <stdbool.h>

#include "cgroup/group.h"
#include "cgroup/tree.h"
#include "runtime/plan.h"
#include "util/arena.h"
#include "util/err.h"

struct home {
	struct cgroup_group group;
	bool has_group;
};

#define HOME_NONE { .group = CGROUP_GROUP_NONE }

/*
 * Finds the place. Looks only. `disabled`: there is none, and the plan may ask for no limit. Users, who may make groups
 * only where one was delegated to them, go without when they ask for no limit.
 */
int home_place(struct home *h, bool disabled, const struct plan *p, struct cgroup_tree *tree, struct arena *a,
	       struct err *e);

/* Makes the group, writes its limits, and gives it to the container's user where the spec wants that. */
int home_make(struct home *h, const struct plan *p, const struct cgroup_tree *tree, struct err *e);

void home_done(struct home *h);
