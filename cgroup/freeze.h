/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pause and resume of all processes of a group. Callers: runtime (pause, resume, checkpoint), engine (commit,
 * clone).
 */
#pragma once
#include <stdbool.h>
#include "util/err.h"

/*
 * Freezes or thaws a group with all groups below it and waits until the kernel says it is so. timeout_ms -1:
 * for ever. A freeze that does not complete in time (-ETIMEDOUT: a process in an uninterruptible call) is
 * taken back. cgroup-v2.rst, "cgroup.freeze".
 */
int cgroup_freeze(int group_fd, bool freeze, int timeout_ms, struct err *e);

/* Whether a group is frozen, by itself or by one above it. */
int cgroup_is_frozen(int group_fd, bool *ret_is_frozen, struct err *e);
