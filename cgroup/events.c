/* SPDX-License-Identifier: Apache-2.0 */
/* See events.h. */
#include "cgroup/events.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "cgroup/attr.h"
#include "util/clock.h"
#include "util/fd.h"

enum { EVENTS_TEXT_MAX = 256 };

int cgroup_events_read(int group_fd, struct cgroup_events *ret_events)
{
	char text[EVENTS_TEXT_MAX];
	uint64_t populated = 0, frozen = 0;
	int r = attr_read(group_fd, "cgroup.events", text, sizeof(text));
	if (r < 0)
		return r;
	r = attr_key(text, "populated", &populated);
	/* Before Linux 5.2 there is no freezer in v2, and no such line. */
	attr_key(text, "frozen", &frozen);
	*ret_events = (struct cgroup_events){ .is_populated = populated != 0, .is_frozen = frozen != 0 };
	return r;
}

/* 1: the key has the value wanted; 0: not yet. */
static int look(int events_fd, const char *key, bool wanted)
{
	char text[EVENTS_TEXT_MAX];
	uint64_t v;
	ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	int r = attr_key(text, key, &v);
	return r < 0 ? r : (v != 0) == wanted;
}

int cgroup_events_wait(int group_fd, const char *key, bool wanted, int timeout_ms)
{
	fd_auto int fd = openat(group_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int64_t end = timeout_ms > 0 ? clock_ms() + timeout_ms : 0;
	for (int left = timeout_ms; ;) {
		int r = look(fd, key, wanted);
		if (r != 0)
			return r < 0 ? r : 0;
		if (left == 0)
			return -ETIMEDOUT;
		/* The file reports a change since the last read: none can slip in between. */
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		if (poll(&p, 1, left) < 0 && errno != EINTR)
			return -errno;
		if (timeout_ms > 0) {
			int64_t rest = end - clock_ms();
			left = rest > 0 ? (int)rest : 0;
		}
	}
}
