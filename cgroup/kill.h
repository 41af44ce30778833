/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending what runs in a group, and waiting for it. Callers: runtime (kill --all, delete), engine (stop, rm).
 */
#pragma once

/*
 * Sends SIGKILL to every process of a group and of all groups below it; frozen ones die too. Returns 0 or
 * -errno (-ENODEV: the group is gone). cgroup-v2.rst, "cgroup.kill"; before Linux 5.14, or without that file,
 * a loop.
 */
int cgroup_kill(int group_fd);

/*
 * Sends a signal to every process of a group and of all groups below it, while it is frozen, so that none is
 * missed. What was frozen before stays so. Returns the number of processes, or -errno.
 */
int cgroup_signal(int group_fd, int sig);

/*
 * Waits until no process is left in a group and below it; -ETIMEDOUT after timeout_ms (-1: for ever). Gone is
 * empty.
 */
int cgroup_wait_empty(int group_fd, int timeout_ms);
