/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in a container's group: its counters at intervals, and each time the kernel kills for want of memory.
 * Waits by poll(2). Caller: cli. Source: cgroup-v2.rst, "memory.events".
 */
#pragma once
#include <stdint.h>

#include "cgroup/stat.h"
#include "cgroup/stat_more.h"
#include "runtime/netstat.h"
#include "util/err.h"

enum event_type { EVENT_STATS, EVENT_OOM };

struct event {
	enum event_type type;
	const char *id;
	/* EVENT_STATS: */
	struct cgroup_stat stat;
	struct cgroup_stat_more more;
	const struct netstat *interfaces;
	size_t interface_count;
};

typedef int event_fn(void *ctx, const struct event *ev, struct err *e);

/*
 * Calls `tell` for each event until the container's first process has ended, or `tell` fails. interval_ms 0: tells the
 * counters once and returns. "container not running": it has stopped.
 */
int container_events(int root, const char *id, int64_t interval_ms, event_fn *tell, void *ctx, struct err *e);
