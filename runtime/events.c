/* SPDX-License-Identifier: Apache-2.0 */
/* See events.h. */
#include "runtime/events.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "runtime/target.h"
#include "util/clock.h"
#include "util/fd.h"

struct watch {
	struct target *t;
	event_fn *tell;
	void *ctx;
	uint64_t oom_kills;   /* that have been told, or were before us */
};

static int tell_stats(struct watch *w, struct err *e)
{
	arena_auto struct arena a = { 0 };
	struct event ev = { .type = EVENT_STATS, .id = w->t->state.id };
	struct netstat *interfaces = NULL;
	int r = cgroup_stat_read(w->t->group, &a, &ev.stat, e);
	if (r < 0)
		return r;
	cgroup_stat_more(w->t->group, &a, &ev.more);
	ev.interface_count = netstat_read(w->t->state.pid.v, &a, &interfaces);
	ev.interfaces = interfaces;
	return w->tell(w->ctx, &ev, e);
}

/* One event for each process that was killed. That the group is gone is no news here. */
static int tell_kills(struct watch *w, struct err *e)
{
	const struct event ev = { .type = EVENT_OOM, .id = w->t->state.id };
	uint64_t now = w->oom_kills;
	int r = 0;
	cgroup_oom_count(w->t->group, &now);
	for (; w->oom_kills < now && r == 0; w->oom_kills++)
		r = w->tell(w->ctx, &ev, e);
	return r;
}

static int wait_and_tell(struct watch *w, int64_t interval_ms, struct err *e)
{
	/* The file reports a change since it was read or opened. Without the controller there is none: poll(2) skips -1. */
	fd_auto int memory = openat(w->t->group, "memory.events", O_RDONLY | O_CLOEXEC);
	cgroup_oom_count(w->t->group, &w->oom_kills);
	for (int64_t due = clock_ms() + interval_ms;;) {
		struct pollfd p[] = {
			{ .fd = w->t->pidfd, .events = POLLIN },
			{ .fd = memory, .events = POLLPRI },
		};
		int64_t left = due - clock_ms();
		int n = poll(p, 2, left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "wait for events");
		char text[1024];
		if (p[1].revents && pread(memory, text, sizeof(text), 0) < 0)
			fd_drop(&memory);
		int r = tell_kills(w, e);
		if (r < 0 || p[0].revents)
			return r;
		if (clock_ms() < due)
			continue;
		due += interval_ms;
		r = tell_stats(w, e);
		/* It is ending, and its group is gone already. */
		if (r == -ENODEV)
			err_clear(e);
		else if (r < 0)
			return r;
	}
}

int container_events(int root, const char *id, int64_t interval_ms, event_fn *tell, void *ctx, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	struct watch w = { .t = &t, .tell = tell, .ctx = ctx };
	int r = target_open(root, id, false, &t, e);
	if (r == 0 && (t.status == STATUS_STOPPED || t.status == STATUS_CREATING))
		r = err_new(e, ESRCH, "container not running");
	if (r == 0)
		r = target_need_group(&t, "events", e);
	if (r == 0)
		r = interval_ms ? wait_and_tell(&w, interval_ms, e) : tell_stats(&w, e);
	return r < 0 ? err_at(e, r, "events %s", id) : 0;
}
