/* SPDX-License-Identifier: Apache-2.0 */
/* See target.h. */
#include "runtime/target.h"

#include <errno.h>

#include "cgroup/group.h"
#include "util/fd.h"

void target_done(struct target *t)
{
	state_close(&t->dir);
	state_done(&t->state);
	fd_drop(&t->pidfd);
	cgroup_tree_done(&t->tree);
	fd_drop(&t->group);
}

int target_open(int root, const char *id, bool lock, struct target *t, struct err *e)
{
	int r = state_open(root, id, lock, &t->dir, e);
	if (r == 0)
		r = state_read(&t->dir, &t->state, e);
	if (r < 0)
		return r;
	r = state_status(&t->dir, &t->state, &t->pidfd);
	if (r < 0)
		return err_ret(e, r, "process %d", t->state.pid.v);
	t->status = (enum state_status)r;
	/* The poststop hooks of a killed delete have still to run: there is no such container any more. */
	r = lock && t->state.has_hooks.v && t->status == STATUS_STOPPED ? state_is_named(&t->dir, id) : 1;
	if (r < 0)
		return err_ret(e, r, "state directory %s", id);
	return r == 0 ? err_new(e, ENOENT, "container %s does not exist", id) : 0;
}

int target_group(struct target *t, struct err *e)
{
	if (!t->state.cgroup || t->group >= 0)
		return 0;
	int r = t->tree.fd >= 0 ? 0 : cgroup_tree_open(&t->tree, e);
	if (r == 0)
		r = t->group = cgroup_open(&t->tree, t->state.cgroup, e);
	if (r == -ENOENT) {
		err_clear(e);
		return 0;
	}
	return r < 0 ? r : 0;
}

int target_need_group(struct target *t, const char *verb, struct err *e)
{
	int r = target_group(t, e);
	if (r == 0 && t->group < 0)
		r = err_new(e, ENOTSUP, "%s needs the container's cgroup, and it has none", verb);
	return r;
}
