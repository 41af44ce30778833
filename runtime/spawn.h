/* SPDX-License-Identifier: Apache-2.0 */
/* One clone: from the plan to a child that walks its steps in all its namespaces and in its group. clone3(2). */
#pragma once
#include "runtime/create.h"
#include "runtime/init.h"

/*
 * Clones the child (through a stage where the plan needs one), and fills pid, pidfd and sync of `ret`. Where the plan
 * needs id maps or a scope, the child waits for spawn_map. On failure no process is left. `args` is
 * completed with the child's end of the pair. `cgroup`: the group's directory, or -1. Runs in the parent.
 */
int spawn(const struct init_args *args, int cgroup, struct container *ret, struct err *e);

/* Writes the child's id maps and lets it go on; nothing, where it does not wait. Its group is what it shall be. */
int spawn_map(const struct plan *p, struct container *c, struct err *e);

/* Writes the pid file, which appears whole; `c` knows of it from then on. `path` is borrowed. Runs in the parent. */
int spawn_pid_file(const char *path, struct container *c, struct err *e);

/*
 * The other half of a stage: learns the pid of the process that `stage`, our child, clones as our child, and reaps the
 * stage. Of a stage that was killed in between, the process it has cloned ends when our end of ret->sync closes.
 */
int spawn_through(pid_t stage, int own_stage_pidfd, struct container *ret, struct err *e);
