/* SPDX-License-Identifier: Apache-2.0 */
/* See container.h. */
#include "runtime/container.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/kill.h"
#include "cgroup/remove.h"
#include "runtime/bury.h"
#include "runtime/home.h"
#include "runtime/hooks.h"
#include "runtime/sync.h"
#include "util/fd.h"
#include "util/lock.h"
#include "util/log.h"

enum { REMOVE_TIMEOUT_MS = 10000 };

/* ---- the way back ---- */

static void reap(struct container *c)
{
	/* Our own child that nobody else reaps: the number is still its. */
	if (c->pid > 0)
		kill(c->pid, SIGKILL);
	while (c->pid > 0 && waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
}

int container_destroy(struct container *c, struct err *e)
{
	struct stat st;
	netdev_undo(&c->net);
	reap(c);
	/* While we did not hold the lock, a `delete --force` may have done it all, and a new container have the name. */
	int r = 0;
	if (c->is_unlocked) {
		lock_wait(c->dir.fd, false);
		if (fstat(c->dir.fd, &st) == 0 && st.st_nlink == 0)
			return 0;
	}
	if (c->state.scope && c->cgroup >= 0)
		cgroup_kill(c->cgroup);
	home_leave(&c->state);
	if (c->state.cgroup && c->cgroup >= 0) {
		r = cgroup_remove(&c->tree, c->state.cgroup, c->state.cgroup_keep.v, 0, e);
		if (r < 0) {
			err_clear(e);
			cgroup_kill(c->cgroup);
			r = cgroup_remove(&c->tree, c->state.cgroup, c->state.cgroup_keep.v, REMOVE_TIMEOUT_MS, e);
		}
	}
	if (r == 0 && c->state.rdt)
		r = resctrl_remove(c->resctrl, c->state.rdt, c->state.rdt_own.v, e);
	return r < 0 ? r : container_bury(&c->dir, &c->state, e);
}

void container_close(struct container *c)
{
	state_close(&c->dir);
	fd_drop(&c->pidfd);
	fd_drop(&c->sync);
	fd_drop(&c->master);
	fd_drop(&c->cgroup);
	listener_done(&c->listener);
	fd_drop(&c->resctrl);
	netdev_undo(&c->net);
	cgroup_tree_done(&c->tree);
	arena_done(&c->arena);
}

void container_undo(struct container *c)
{
	struct err e;
	err_clear(&e);
	if (c->pid_file)
		unlink(c->pid_file);
	if (container_destroy(c, &e) < 0)
		log_warn("container %s: clean up: %s", c->dir.id, e.text);
	if (c->rdt.group)
		resctrl_undo(c->resctrl, &c->rdt);
}

/* ---- the way on ---- */

int container_go(struct container *c, struct err *e)
{
	struct sync_message m = { .type = SYNC_EOF };
	const struct listener_process p = { .pid = c->pid, .init = c->pid, .state = &c->state };
	/* A restored process runs already. */
	bool is_restored = c->sync < 0;
	int r = is_restored ? 0 : sync_send(c->sync, SYNC_GO, 0, -1);
	if (r < 0)
		err_ret(e, r, "the container's process");
	else if (!is_restored)
		r = listener_outcome(&c->listener, &p, c->sync, &m, e);
	fd_drop(&c->sync);
	if (r == 0 && m.type == SYNC_LOST)
		r = err_ret(e, -EPIPE, "the container's process");
	if (r < 0)
		err_at(e, r, "start %s", c->dir.id);
	if (m.type == SYNC_ERROR || m.type == SYNC_ABORT) {
		*e = m.err;
		r = e->exit ? -e->num : err_at(e, -e->num, "start %s", c->dir.id);
	}
	if (r == 0) {
		netdev_keep(&c->net);
		c->is_unlocked = lock_end(c->dir.fd) == 0;
	}
	if (r == 0 && c->hooks && (r = hooks_poststart(c->hooks, &c->state, e)) < 0)
		err_at(e, r, "start %s", c->dir.id);
	if (r < 0)
		container_undo(c);
	return r;
}
