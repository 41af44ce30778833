/* SPDX-License-Identifier: Apache-2.0 */
/* See control.h. */
#include "runtime/control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/events.h"
#include "cgroup/freeze.h"
#include "cgroup/kill.h"
#include "cgroup/pids.h"
#include "cgroup/remove.h"
#include "cgroup/resctrl.h"
#include "runtime/bury.h"
#include "runtime/gate.h"
#include "runtime/hooks.h"
#include "runtime/home.h"
#include "runtime/notify.h"
#include "runtime/pidns.h"
#include "runtime/target.h"
#include "spec/load.h"
#include "util/fd.h"
#include "util/lock.h"
#include "util/log.h"
#include "util/proc.h"

enum { END_TIMEOUT_MS = 10000, FREEZE_TIMEOUT_MS = 10000 };

static int signal_init(const struct target *t, int sig, struct err *e)
{
	int r = t->status == STATUS_STOPPED ? -ESRCH : proc_signal(t->pidfd, sig);
	if (r == -ESRCH)
		return err_new(e, ESRCH, "container not running");
	return r < 0 ? err_ret(e, r, "signal %d", sig) : 0;
}

/* A container without a group has nothing but its init by which it could be reached. */
static int signal_all(struct target *t, int sig, struct err *e)
{
	int r = target_group(t, e);
	if (r < 0 || t->group < 0)
		return r < 0 ? r : signal_init(t, sig, e);
	r = sig == SIGKILL ? cgroup_kill(t->group) : cgroup_signal(t->group, sig);
	return r < 0 ? err_ret(e, r, "signal %d to the group", sig) : 0;
}

/* Of a container whose init has ended there may be others, in a shared pid namespace. Of none, it is not running. */
static int kill_group(struct target *t, int sig, struct err *e)
{
	struct cgroup_events now = { 0 };
	int r = target_group(t, e);
	if (r < 0)
		return r;
	bool is_there = t->group >= 0 && cgroup_events_read(t->group, &now) == 0 && now.is_populated;
	return t->status == STATUS_STOPPED && !is_there ? err_new(e, ESRCH, "container not running")
							: signal_all(t, sig, e);
}

int container_kill(int root, const char *id, int sig, bool all, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	int r = target_open(root, id, false, &t, e);
	if (r == 0 && t.status == STATUS_CREATING)
		r = err_new(e, EINVAL, "container not running: it is still being created");
	/* Where the init is not the first of a pid namespace, SIGKILL to it would leave the others running: there the
	 * container is its group, as for runc. pid_namespaces(7), "The namespace init process". */
	bool is_group = all || (sig == SIGKILL && t.state.is_pid_shared.v);
	if (r == 0)
		r = is_group ? kill_group(&t, sig, e) : signal_init(&t, sig, e);
	return r < 0 ? err_at(e, r, "kill %s", id) : 0;
}

/* Without the file system, after a reboot, there is nothing of it. */
static int remove_rdt(const struct target *t, struct err *e)
{
	fd_auto int base = resctrl_open(e);
	if (base >= 0)
		return resctrl_remove(base, t->state.rdt, t->state.rdt_own.v, e);
	err_clear(e);
	return 0;
}

/* Ends what runs and removes group and record. An unfinished create leaves the group of its intent. */
static int remove_all(struct target *t, struct err *e)
{
	int r = target_group(t, e);
	if (r < 0)
		return r;
	if (t->group >= 0)
		cgroup_kill(t->group);
	if (t->pidfd >= 0) {
		proc_signal(t->pidfd, SIGKILL);
		r = proc_wait_end(t->pidfd, END_TIMEOUT_MS);
		if (r < 0)
			return err_ret(e, r, "process %d does not end", t->state.pid.v);
	}
	home_leave(&t->state);
	if (t->state.cgroup && (t->tree.fd >= 0 || cgroup_tree_open(&t->tree, e) == 0))
		r = cgroup_remove(&t->tree, t->state.cgroup, t->state.cgroup_keep.v, END_TIMEOUT_MS, e);
	if (r == 0 && t->state.rdt)
		r = remove_rdt(t, e);
	return r < 0 ? r : container_bury(&t->dir, &t->state, e);
}

static int pass_gate(struct target *t, bool *ret_is_abort, struct err *e)
{
	struct listener listener_auto l = LISTENER_NONE;
	const struct listener_process p = { .pid = t->state.pid.v, .init = t->state.pid.v, .state = &t->state };
	int r = t->state.has_listener.v ? listener_open_of(&t->dir, &t->state.arena, &l, e) : 0;
	if (r < 0)
		return r;
	r = gate_pass(&t->dir, &l, &p, ret_is_abort, e);
	/* Without its listener it would go on, or wait for ever. */
	if (r < 0 && t->state.has_listener.v)
		proc_signal(t->pidfd, SIGKILL);
	/* Behind the gate it ends by itself: a delete that comes next is not to find it running. */
	if (r < 0 && faccessat(t->dir.fd, "gate", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		proc_wait_end(t->pidfd, END_TIMEOUT_MS);
	return r;
}

/* A hook has failed: the container goes as by delete. runtime.md, "Lifecycle", steps 7 and 9. */
static void give_up(struct target *t)
{
	struct err e;
	err_clear(&e);
	if (remove_all(t, &e) < 0)
		log_warn("container %s: clean up: %s", t->state.id, e.text);
}

/* Without the lock: a hook may want to do something to the container. */
static int poststart(struct target *t, struct err *e)
{
	struct spec spec spec_auto = { 0 };
	int r = spec_load_file(t->dir.fd, "config.json", &spec, e);
	if (r == 0 && spec.hooks && spec.hooks->poststart.n) {
		lock_end(t->dir.fd);
		r = hooks_poststart(spec.hooks, &t->state, e);
	}
	/* Meanwhile it may have been deleted. */
	if (r < 0 && lock_wait(t->dir.fd, false) == 0 && state_is_named(&t->dir, t->dir.id) == 1)
		give_up(t);
	return r;
}

int container_start(int root, const char *id, const char *notify_socket, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	struct notify n notify_auto = { .socket = -1, .host = notify_socket };
	bool is_abort = false;
	int r = target_open(root, id, true, &t, e);
	if (r == 0 && t.status == STATUS_STOPPED)
		r = err_new(e, EINVAL, "cannot start a container that has stopped");
	else if (r == 0 && t.status != STATUS_CREATED)
		r = err_new(e, EINVAL, "cannot start a container that is already %s", state_word(t.status));
	if (r == 0 && notify_socket)
		r = notify_open(&n, &t.dir, e);
	if (r == 0)
		r = pass_gate(&t, &is_abort, e);
	if (is_abort)
		give_up(&t);
	if (r == 0 && t.state.has_hooks.v)
		r = poststart(&t, e);
	if (r == 0 && n.socket >= 0) {
		n.main_pid = t.state.pid.v;
		/* Others may have the container meanwhile: delete --force ends this wait. */
		lock_end(t.dir.fd);
		r = notify_wait(&n, t.pidfd, e);
	}
	return r < 0 && !e->exit ? err_at(e, r, "start %s", id) : r;
}

static int delete_forced(int root, const char *id, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	int r = target_open(root, id, true, &t, e);
	/* A create that was killed before its record was written had no other effect than the directory. */
	if (r == -ENODATA) {
		err_clear(e);
		return state_remove(&t.dir, e);
	}
	return r < 0 ? r : remove_all(&t, e);
}

static int delete_ended(int root, const char *id, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	int r = target_open(root, id, true, &t, e);
	if (r == 0 && t.status == STATUS_RUNNING)
		r = err_new(e, EBUSY, "cannot delete a container that is running: stop it first, or use --force");
	/* A created container goes without --force, as runc and crun do and their callers expect. */
	return r < 0 ? r : remove_all(&t, e);
}

int container_delete(int root, const char *id, bool force, struct err *e)
{
	struct err left;
	int r = force ? delete_forced(root, id, e) : delete_ended(root, id, e);
	if (r == -ENOENT) {
		int again = container_bury_again(root, id, &left);
		if (again == 0 || (again == -ENOENT && force))
			r = (err_clear(e), 0);
		else if (again != -ENOENT)
			r = (*e = left, again);
	}
	return r < 0 ? err_at(e, r, "delete %s", id) : 0;
}

static int freeze(int root, const char *id, bool on, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	const char *verb = on ? "pause" : "resume";
	int r = target_open(root, id, true, &t, e);
	if (r == 0 && (t.status == STATUS_STOPPED || t.status == STATUS_CREATING))
		r = err_new(e, ESRCH, "container not running");
	if (r == 0)
		r = target_need_group(&t, verb, e);
	bool is_frozen = false;
	if (r == 0)
		r = cgroup_is_frozen(t.group, &is_frozen, e);
	if (r == 0 && is_frozen == on)
		r = err_new(e, EINVAL, on ? "container is already paused" : "container is not paused");
	if (r == 0)
		r = cgroup_freeze(t.group, on, FREEZE_TIMEOUT_MS, e);
	return r < 0 ? err_at(e, r, "%s %s", verb, id) : 0;
}

int container_pause(int root, const char *id, struct err *e)
{
	return freeze(root, id, true, e);
}

int container_resume(int root, const char *id, struct err *e)
{
	return freeze(root, id, false, e);
}

int container_state(int root, const char *id, struct state *ret, enum state_status *ret_status, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	int r = target_open(root, id, false, &t, e);
	/* The directory of a create that has only begun, or was killed there. */
	if (r == -ENODATA) {
		err_clear(e);
		t.state.id = arena_str(&t.state.arena, id);
		t.state.bundle = t.state.rootfs = "";
		t.status = STATUS_CREATING;
		r = 0;
	}
	if (r == 0 && (t.status == STATUS_RUNNING || t.status == STATUS_CREATED))
		r = target_group(&t, e);
	bool is_frozen = false;
	if (r == 0 && t.group >= 0 && t.status == STATUS_RUNNING)
		r = cgroup_is_frozen(t.group, &is_frozen, e);
	if (r < 0)
		return r == -ENOENT ? r : err_at(e, r, "state %s", id);
	*ret_status = is_frozen ? STATUS_PAUSED : t.status;
	*ret = t.state;
	t.state = (struct state){ 0 };
	return 0;
}

int container_pids(int root, const char *id, pid_t **ret_pids, size_t *ret_count, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	int r = target_open(root, id, false, &t, e);
	/* A pid namespace of its own tells them as well. */
	if (r == 0 && !t.state.cgroup && !t.state.is_pid_shared.v && t.pidfd >= 0) {
		r = pidns_list(t.state.pid.v, ret_pids, ret_count);
		return r < 0 ? err_ret(e, r, "ps %s: list its pid namespace", id) : 0;
	}
	if (r == 0)
		r = target_group(&t, e);
	/* Of a container that has stopped, the group may be gone before it is deleted: systemd ends an empty scope. */
	if (r == 0 && t.group < 0 && t.state.cgroup) {
		*ret_pids = NULL;
		*ret_count = 0;
		return 0;
	}
	if (r == 0)
		r = target_need_group(&t, "ps", e);
	if (r == 0 && (r = cgroup_pids(t.group, true, ret_pids, ret_count)) < 0)
		err_ret(e, r, "list the group");
	return r < 0 ? err_at(e, r, "ps %s", id) : 0;
}

/* Waits for the grace period, then kills the group; at the end it is empty. */
static int end_within(struct target *t, int sig, int grace_ms, enum stop_outcome *ret, struct err *e)
{
	int r = proc_signal(t->pidfd, sig);
	if (r < 0 && r != -ESRCH)
		return err_ret(e, r, "signal %d", sig);
	r = proc_wait_end(t->pidfd, grace_ms);
	*ret = r == -ETIMEDOUT ? STOP_BY_KILL : STOP_BY_SIGNAL;
	if (r < 0 && r != -ETIMEDOUT)
		return err_ret(e, r, "wait");
	int killed = t->group >= 0 ? cgroup_kill(t->group) : -ENODEV;
	if (killed < 0 && *ret == STOP_BY_KILL)
		proc_signal(t->pidfd, SIGKILL);
	r = proc_wait_end(t->pidfd, END_TIMEOUT_MS);
	if (r == 0 && t->group >= 0)
		r = cgroup_wait_empty(t->group, END_TIMEOUT_MS);
	return r < 0 ? err_ret(e, r, "processes do not end after SIGKILL") : 0;
}

int container_stop(int root, const char *id, int sig, int grace_ms, enum stop_outcome *ret, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	int r = target_open(root, id, false, &t, e);
	if (r < 0)
		return err_at(e, r, "stop %s", id);
	*ret = STOP_ALREADY;
	r = target_group(&t, e);
	if (r < 0)
		return err_at(e, r, "stop %s", id);
	if (t.status == STATUS_STOPPED || t.status == STATUS_CREATING) {
		/* The init has ended; what it left running in a shared pid namespace has not. */
		if (t.group >= 0)
			cgroup_kill(t.group);
		return 0;
	}
	bool is_frozen = false;
	if (t.group >= 0 && cgroup_is_frozen(t.group, &is_frozen, e) == 0 && is_frozen)
		r = cgroup_freeze(t.group, false, FREEZE_TIMEOUT_MS, e);
	if (r == 0)
		r = end_within(&t, t.status == STATUS_CREATED ? SIGKILL : sig, grace_ms, ret, e);
	return r < 0 ? err_at(e, r, "stop %s", id) : 0;
}
