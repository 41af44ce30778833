/* SPDX-License-Identifier: Apache-2.0 */
/* See freeze.h. */
#include "cgroup/freeze.h"

#include <errno.h>

#include "cgroup/events.h"
#include "util/fd.h"

int cgroup_freeze(int group_fd, bool freeze, int timeout_ms, struct err *e)
{
	int r = file_write(group_fd, "cgroup.freeze", freeze ? "1" : "0");
	if (r < 0)
		return err_ret(e, r, "cgroup.freeze %d", freeze);
	r = cgroup_events_wait(group_fd, "frozen", freeze, timeout_ms);
	if (r == 0)
		return 0;
	if (r != -ETIMEDOUT)
		return err_ret(e, r, "cgroup.events: waiting for frozen %d", freeze);
	if (!freeze)
		return err_new(e, ETIMEDOUT, "not thawed after %d ms: a group above it is frozen", timeout_ms);
	file_write(group_fd, "cgroup.freeze", "0");
	return err_new(e, ETIMEDOUT, "not frozen after %d ms: a process does not leave the kernel; it was thawed again",
		       timeout_ms);
}

int cgroup_is_frozen(int group_fd, bool *ret_is_frozen, struct err *e)
{
	struct cgroup_events ev;
	int r = cgroup_events_read(group_fd, &ev);
	if (r < 0)
		return err_ret(e, r, "cgroup.events");
	*ret_is_frozen = ev.is_frozen;
	return 0;
}
