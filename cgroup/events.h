/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.events: whether a group (with all below it) holds processes and whether it is frozen, and waiting
 * for a change by poll(2), never by sleeping. Used by the modules of cgroup/. Source: cgroup-v2.rst,
 * "cgroup.events".
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct cgroup_events {
	bool is_populated;
	bool is_frozen;
};

/*
 * Reads the state of a group now. -ENOENT: it is the root, which has no events; -ENODEV: it has been removed.
 */
int cgroup_events_read(int group_fd, struct cgroup_events *ret_events);

/*
 * Waits until "populated" or "frozen" has the value wanted. timeout_ms -1: for ever. 0, -ETIMEDOUT, or as
 * above.
 */
int cgroup_events_wait(int group_fd, const char *key, bool wanted, int timeout_ms);
