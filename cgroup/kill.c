/* SPDX-License-Identifier: Apache-2.0 */
/* See kill.h. */
#include "cgroup/kill.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "cgroup/events.h"
#include "cgroup/pids.h"
#include "util/fd.h"
#include "util/mem.h"

/*
 * How long a freeze may take before we signal all the same; a process that misses it is met in the next
 * round.
 */
enum { FREEZE_WAIT_MS = 500, KILL_ROUNDS = 50, ROUND_WAIT_MS = 100 };

static int signal_listed(int group_fd, int sig)
{
	free_auto pid_t *pids = NULL;
	size_t n;
	int r = cgroup_pids(group_fd, true, &pids, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (kill(pids[i], sig) < 0 && errno != ESRCH && r == 0)
			r = -errno;
	return r < 0 ? r : (int)n;
}

int cgroup_signal(int group_fd, int sig)
{
	struct cgroup_events ev = { 0 };
	int known = cgroup_events_read(group_fd, &ev);
	bool is_ours = known == 0 && !ev.is_frozen && file_write(group_fd, "cgroup.freeze", "1") == 0;
	if (is_ours)
		cgroup_events_wait(group_fd, "frozen", true, FREEZE_WAIT_MS);
	int r = signal_listed(group_fd, sig);
	if (is_ours)
		file_write(group_fd, "cgroup.freeze", "0");
	return r;
}

static int kill_by_list(int group_fd)
{
	for (int round = 0; round < KILL_ROUNDS; round++) {
		int r = cgroup_signal(group_fd, SIGKILL);
		if (r <= 0)
			return r;
		r = cgroup_wait_empty(group_fd, ROUND_WAIT_MS);
		if (r != -ETIMEDOUT)
			return r;
	}
	return 0;
}

int cgroup_kill(int group_fd)
{
	int r = file_write(group_fd, "cgroup.kill", "1");
	/*
	 * ENOENT: an older kernel, or the group is gone, which the list shows. EOPNOTSUPP: a threaded group.
	 */
	return r == -ENOENT || r == -EOPNOTSUPP ? kill_by_list(group_fd) : r;
}

int cgroup_wait_empty(int group_fd, int timeout_ms)
{
	int r = cgroup_events_wait(group_fd, "populated", false, timeout_ms);
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}
