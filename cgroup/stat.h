/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a group uses. Callers: runtime (events --stats), engine (stats, top, inspect). Reads only; a file that
 * is not there (its controller is off) leaves its counters absent. Source: cgroup-v2.rst, "Core Interface
 * Files" onwards.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "util/arena.h"
#include "util/err.h"

/* A counter that may be absent; v UINT64_MAX of a limit: "max". */
struct stat_u64 {
	bool has;
	uint64_t v;
};

/* One device's line of io.stat. */
struct stat_io {
	uint32_t major, minor;
	uint64_t rbytes, wbytes, rios, wios;
};

struct cgroup_stat {
	struct {
		struct stat_u64 usage_usec, user_usec, system_usec;
		struct stat_u64 nr_periods, nr_throttled, throttled_usec;
	} cpu;
	struct {
		struct stat_u64 current, peak, limit, low, swap_current, swap_limit;  /* bytes */
		struct stat_u64 anon, file, kernel, slab, sock, shmem;                /* bytes, of memory.stat */
		struct stat_u64 inactive_file, pgfault, pgmajfault;
		struct stat_u64 oom, oom_kill, max_events, high_events;               /* of memory.events */
	} memory;
	struct {
		struct stat_u64 current, peak, limit;
	} pids;
	struct {
		struct stat_io *v;      /* in the arena */
		size_t n;
	} io;
};

/* Reads all of it. -ENODEV: the group has been removed. */
int cgroup_stat_read(int group_fd, struct arena *a, struct cgroup_stat *ret_stat, struct err *e);

/*
 * How many processes of the group (and below) the kernel killed for want of memory. 0 without the controller.
 */
int cgroup_oom_count(int group_fd, uint64_t *ret_count);
