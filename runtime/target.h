/* SPDX-License-Identifier: Apache-2.0 */
/* A container that a command works on: its record, what it is doing, its group. Callers: runtime (control, update, events). */
#pragma once
#include <stdbool.h>

#include "cgroup/tree.h"
#include "runtime/state.h"
#include "util/err.h"

struct target {
	struct state_dir dir;
	struct state state;
	enum state_status status;
	int pidfd;                  /* of the init, while it lives */
	struct cgroup_tree tree;
	int group;                  /* -1: no group, or not there any more */
};

#define TARGET_NONE { .dir = { -1, -1, "" }, .pidfd = -1, .tree = CGROUP_TREE_NONE, .group = -1 }

/* Opens the container `id` below the state root and finds out what it does. With `lock`, waits for its lock. */
int target_open(int root, const char *id, bool lock, struct target *t, struct err *e);

/* Opens the group; none, or one that is gone, leaves -1. */
int target_group(struct target *t, struct err *e);

/* As target_group, for a verb that can do nothing without: -ENOTSUP. */
int target_need_group(struct target *t, const char *verb, struct err *e);

void target_done(struct target *t);

#define target_auto __attribute__((cleanup(target_done)))
