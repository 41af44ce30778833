/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group that a container in the making gets: where it lies, how it is made, what is written into it. Callers:
 * runtime (create, control, update). Runs in the parent. Source: runtime-spec config-linux.md "Control groups",
 * "Cgroup ownership".
 */
#pragma once
#include <stdbool.h>

#include "cgroup/group.h"
#include "cgroup/scope.h"
#include "cgroup/tree.h"
#include "runtime/create.h"
#include "runtime/plan.h"
#include "util/arena.h"
#include "util/err.h"

struct home {
	struct cgroup_group group;
	struct cgroup_scope scope;   /* unit NULL: not systemd's */
	struct strs properties;      /* of the scope */
	bool has_group;
};

#define HOME_NONE { .group = CGROUP_GROUP_NONE }

/*
 * Finds the place, or the name of the scope. Looks only. Without a group the plan may ask for no limit. Users, who may
 * make groups only where one was delegated to them, go without when they ask for no limit.
 */
int home_place(struct home *h, enum cgroup_manager manager, struct plan *p, struct cgroup_tree *tree, struct arena *a,
	       struct err *e);

/* Makes the group, writes its limits, and gives it to the container's user where the spec wants that. */
int home_make(struct home *h, const struct plan *p, const struct cgroup_tree *tree, struct err *e);

/* With NEED_SCOPE, the same after the clone: systemd starts a scope with the process `pid` and makes the group. */
int home_adopt(struct home *h, const struct plan *p, pid_t pid, const struct cgroup_tree *tree, struct arena *a,
	       struct err *e);

/*
 * When the process is ready, and no other has to be made: writes the limit that would have allowed none.
 * config-linux.md "PIDs".
 */
int home_close(const struct home *h, const struct plan *p, struct err *e);

/* Gives the scope of a container back, if it has one. Its processes have ended. A warning tells what went wrong. */
void home_leave(const struct state *s);

/* The scope of a record. */
struct cgroup_scope home_scope(const struct state *s);

void home_done(struct home *h);
