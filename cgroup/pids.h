/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in a group. Callers: runtime (kill, ps), engine (top), cgroup itself. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Lists the processes of a group, with those of all groups below it if `is_recursive`. The caller frees the
 * list. Pids are those of the caller's pid namespace; processes outside of it (0) are left out. Returns 0 or
 * -errno.
 */
int cgroup_pids(int group_fd, bool is_recursive, pid_t **ret_pids, size_t *ret_n);

/* Moves a process into a group. -ESRCH: it has ended. */
int cgroup_add(int group_fd, pid_t pid);

/*
 * Calls `act` with a descriptor and the name of each group right below; the descriptor is closed afterwards.
 * Stops at the first negative answer and returns it. A group that vanishes meanwhile is passed over.
 */
int cgroup_each_child(int group_fd, int (*act)(int parent_fd, int child_fd, const char *name, void *ctx), void *ctx);
