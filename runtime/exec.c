/* SPDX-License-Identifier: Apache-2.0 */
/* See exec.h. */
#include "runtime/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/pids.h"
#include "cgroup/resctrl.h"
#include "ns/mount.h"
#include "runtime/console.h"
#include "runtime/exec_plan.h"
#include "runtime/exposed.h"
#include "runtime/launcher.h"
#include "runtime/process.h"
#include "runtime/rootless.h"
#include "runtime/spawn.h"
#include "runtime/sync.h"
#include "runtime/tty.h"
#include "util/fd.h"
#include "util/proc.h"
#include "util/sys.h"

/* ---- the child ---- */

struct joiner {
	const struct exec *x;
	int sync, parent_end, target, root;
	int launcher;    /* -1: kist's own file cannot be written to */
	int ns;      /* what the child itself has still to join */
	bool is_staged;
};

/*
 * In a user namespace the id that we have outside does not exist inside: become its root, as run does, and keep the
 * capabilities there until process_become is done with them.
 */
static int take_root_id(const struct exec *x, struct err *e)
{
	if (!(x->ns & CLONE_NEWUSER))
		return 0;
	if (setresgid(x->root_gid, x->root_gid, x->root_gid) < 0 || setresuid(x->root_uid, x->root_uid, x->root_uid) < 0)
		return err_sys(e, "become id %u:%u of the user namespace", x->root_uid, x->root_gid);
	return 0;
}

/* Joins what is given of the namespaces and enters the container's root, where that is not their root anyway. */
static int join(const struct joiner *j, int ns, struct err *e)
{
	if (ns && setns(j->target, ns) < 0)
		return err_sys(e, "join the container's namespaces");
	if (j->root >= 0 && (fchdir(j->root) < 0 || chroot(".") < 0 || chdir("/") < 0))
		return err_sys(e, "root of the container");
	return 0;
}

/*
 * A procfs that the container can neither change nor find, of the new process's own pid namespace. Where kist has not the
 * right to make one (it gets that only in the container's user namespace), the host's: before the namespaces are joined.
 */
static int own_proc(bool is_inside, struct err *e)
{
	static const struct mount_options plain = { .data = "" };
	int proc = mount_new("proc", NULL, &plain, e);
	if (proc != -EPERM || is_inside)
		return proc;
	err_clear(e);
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return proc < 0 ? err_sys(e, "/proc") : proc;
}

static int child_steps(const struct joiner *j, int *ret_master, struct process_found *found, struct err *e)
{
	const struct exec *x = j->x;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "parent death signal");
	bool is_labelled = lsm_is_used(&x->plan.lsm);
	fd_leave_auto int proc = is_labelled ? own_proc(j->is_staged, e) : -1;
	int r = is_labelled && proc < 0 ? proc : j->is_staged ? 0 : join(j, j->ns, e);
	if (r < 0)
		return r;
	if (setsid() < 0)
		return err_sys(e, "new session");
	r = lsm_keyring(proc, &x->plan.lsm, e);
	if (r < 0)
		return r;
	static const int as_they_are[3] = { -1, -1, -1 };
	int slave = -1;
	if (x->plan.is_terminal) {
		fd_auto int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = root < 0 ? err_sys(e, "/") : process_terminal(&x->plan, root, ret_master, &slave, e);
	}
	if (r == 0)
		r = process_stdio(&x->plan, slave, j->is_staged ? as_they_are : x->rq->stdio, e);
	if (r == 0)
		r = take_root_id(x, e);
	if (r == 0)
		r = process_become(&x->plan, found, e);
	if (r == 0 && is_labelled)
		r = lsm_label(proc, &x->plan.lsm, e);
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		r = err_sys(e, "parent death signal");
	return r;
}

static void child(const struct joiner *j)
{
	static struct process_found found;
	struct err e = { 0 };
	struct sync_message m = { .type = SYNC_EOF };
	int master = -1;
	close(j->parent_end);
	process_reset_signals();
	/* Our words must not reach the parent before the stage's, which tell it our pid. */
	if (j->is_staged && (sync_receive(j->sync, &m) < 0 || m.type != SYNC_MAPPED))
		_exit(1);
	if (child_steps(j, &master, &found, &e) == 0) {
		if (sync_send(j->sync, SYNC_READY, 0, master) < 0 || sync_receive(j->sync, &m) < 0 || m.type != SYNC_GO)
			_exit(1);
		if (prctl(PR_SET_PDEATHSIG, 0) < 0)
			err_sys(&e, "parent death signal");
		else
			process_exec(&j->x->plan, &found, j->launcher, j->sync, &e);
	}
	sync_send_error(j->sync, &e);
	_exit(e.exit ? e.exit : 1);
}

/* ---- the parent ---- */

/*
 * Between clone and setns the child shows in the container's pid namespace while it still has descriptors and
 * directories of the host. Where the container may trace it (CAP_SYS_PTRACE, no user namespace), a stage that the
 * container cannot see sheds all of them first and clones the child afterwards.
 */
static void stage(const struct joiner *given)
{
	struct joiner j = *given;
	const struct exec *x = j.x;
	struct err e = { 0 };
	int r = x->group >= 0 ? cgroup_add(x->group, getpid()) : 0;
	if (r < 0)
		err_ret(&e, r, "join the container's group");
	if (r == 0)
		r = process_stdio(&x->plan, -1, x->rq->stdio, &e);
	/* 0 to 2, what is preserved, our end of the pair and the init's pidfd stay. */
	int keep[] = { j.sync, j.target, j.launcher, j.root };
	fd_close_others(3 + x->plan.preserve_fds, keep, ARRAY_LEN(keep));
	if (r == 0)
		r = join(&j, x->ns, &e);
	fd_drop(&j.root);
	if (r == 0) {
		j.parent_end = -1;
		j.is_staged = true;
		struct clone_args c = { .flags = CLONE_PARENT };
		pid_t pid = sys_clone3(&c);
		if (pid == 0)
			child(&j);
		r = pid < 0 ? err_sys(&e, "clone") : sync_send(j.sync, SYNC_CHILD, pid, -1);
	}
	if (r < 0)
		sync_send_error(j.sync, &e);
	_exit(r < 0);
}

static int clone_guarded(const struct joiner *j, struct container *c, struct err *e)
{
	int pidfd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD, .pidfd = (uint64_t)(uintptr_t)&pidfd };
	pid_t pid = sys_clone3(&args);
	if (pid == 0)
		stage(j);
	if (pid < 0)
		return err_sys(e, "clone");
	int r = spawn_through(pid, pidfd, c, e);
	if (r < 0)
		return r;
	r = sync_send(c->sync, SYNC_MAPPED, 0, -1);
	return r < 0 ? err_ret(e, r, "the new process") : 0;
}

/* Of a user's two groups the nearest one above both must be the user's. cgroups(7), "Cgroup delegation containment rules". */
static int clone_error(const struct exec *x, struct err *e)
{
	if (errno == ENODEV || errno == ENOMEM)
		return err_new(e, ESRCH, "container not running: it is ending");
	if (x->group >= 0 && (errno == EACCES || errno == EPERM) && proc_is_in_userns())
		return err_sys(e, "the container's cgroup is not to be entered from this session's: run kist in a group of the "
			       "same delegation, by systemd-run --user --scope -- kist exec ...");
	if (errno == EAGAIN)
		return err_sys(e, "clone: a limit on processes is reached (pids.max of the group, or RLIMIT_NPROC)");
	return err_sys(e, "clone");
}

static int clone_plain(struct exec *x, struct joiner *j, struct container *c, struct err *e)
{
	if ((x->ns & CLONE_NEWPID) && setns(x->target, CLONE_NEWPID) < 0)
		return err_sys(e, "join the container's pid namespace");
	j->ns = x->ns & ~CLONE_NEWPID;
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | (x->group >= 0 ? CLONE_INTO_CGROUP : 0), .exit_signal = SIGCHLD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd, .cgroup = x->group >= 0 ? (uint64_t)x->group : 0,
	};
	pid_t pid = sys_clone3(&args);
	if (pid == 0)
		child(j);
	if (pid < 0)
		return clone_error(x, e);
	c->pid = pid;
	c->pidfd = pidfd;
	return 0;
}

/* On the processors of execCPUAffinity.initial, which the new process inherits, and which are not kist's own. */
static int clone_bound(struct exec *x, struct joiner *j, struct container *c, struct err *e)
{
	struct attrs_cpus_kept kept;
	bool is_bound = x->plan.attrs.need & ATTRS_FIRST_CPUS;
	int r = is_bound ? attrs_bind(&x->plan.attrs, &kept, e) : 0;
	if (r < 0)
		return r;
	r = x->is_guarded ? clone_guarded(j, c, e) : clone_plain(x, j, c, e);
	/* After a failure too: the caller may go on, and its own is the first account. */
	struct err why;
	int back = is_bound ? attrs_unbind(&kept, &why) : 0;
	if (r == 0 && back < 0)
		*e = why;
	return r < 0 ? r : back;
}

/* A process is in the resctrl group of the one that made it, which is kist's own. */
static int join_rdt(const struct exec *x, pid_t pid, struct err *e)
{
	fd_auto int base = resctrl_open(e);
	return base < 0 ? base : resctrl_add(base, x->state.rdt, pid, e);
}

/* The new process has reported; the terminal, the limits of its memory and the pid file come before it goes on. */
static int release(struct exec *x, struct container *c, struct err *e)
{
	struct sync_message m;
	int r = sync_receive(c->sync, &m);
	if (r < 0)
		return err_ret(e, r, "wait for the new process");
	if (m.type == SYNC_ERROR)
		return (*e = m.err, -e->num);
	if (m.type != SYNC_READY)
		return err_new(e, EPIPE, "the new process ended before it was ready");
	c->master = m.fd;
	if (x->rq->is_plain_lines && c->master >= 0)
		tty_plain_lines(c->master);
	if (x->console >= 0 && c->master >= 0) {
		r = console_send(x->console, c->master, e);
		fd_drop(&c->master);
	}
	if (r == 0)
		r = process_oom_score(&x->plan, c->pid, e);
	if (r == 0 && x->state.rdt)
		r = join_rdt(x, c->pid, e);
	if (r == 0 && (x->plan.attrs.need & ATTRS_BY_PARENT))
		r = attrs_give(&x->plan.attrs, c->pid, e);
	if (r == 0 && x->pidfd_socket >= 0)
		r = pidfd_socket_send(x->pidfd_socket, c->pidfd, "setns", e);
	if (r == 0 && x->rq->pid_file)
		r = spawn_pid_file(x->rq->pid_file, c, e);
	if (r == 0 && (r = sync_send(c->sync, SYNC_GO, 0, -1)) < 0)
		err_ret(e, r, "the new process");
	const struct listener_process p = { .pid = c->pid, .init = x->state.pid.v, .is_exec = true, .state = &x->state };
	if (r == 0)
		r = listener_outcome(&x->listener, &p, c->sync, &m, e);
	if (r < 0)
		return r;
	if (m.type == SYNC_LOST)
		return err_new(e, EPIPE, "the new process ended before it could go on");
	return m.type == SYNC_ERROR ? (*e = m.err, -e->num) : 0;
}

static int run(struct exec *x, struct container *c, struct err *e)
{
	int ends[2];
	int r = sync_pair(ends, e);
	if (r < 0)
		return r;
	c->sync = ends[0];
	fd_auto int child_end = ends[1];
	fd_auto int launcher = x->plan.launch ? launcher_open() : -1;
	if (x->plan.launch && launcher < 0)
		return err_ret(e, launcher, "launcher");
	struct joiner j = { .x = x, .sync = child_end, .parent_end = c->sync, .target = x->target, .root = x->root,
			    .launcher = launcher };
	/* No process of the container may trace the child or open what its /proc entry links to. prctl(2). */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(e, "dumpable");
	r = clone_bound(x, &j, c, e);
	fd_drop(&child_end);
	if (r == 0)
		r = release(x, c, e);
	/* conmon tells by its absence that the program did not start. */
	if (r < 0 && c->pid_file)
		unlink(c->pid_file);
	if (r < 0 && c->pid > 0) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	return r;
}

/* What has to be read from a pipe cannot be read again: should kist have to execute itself anew, then before that. */
static void seal_early(void)
{
	struct err later;
	launcher_seal_self(&later);
}

int container_exec(const struct exec_request *rq, struct exec_process *ret, struct err *e)
{
	struct exec x exec_auto = { .rq = rq, .dir = STATE_DIR_NONE, .tree = CGROUP_TREE_NONE, .group = -1, .console = -1,
				    .pidfd_socket = -1, .target = -1, .root = -1, .listener = LISTENER_NONE };
	struct container c container_auto = CONTAINER_NONE;
	int r = exec_find(&x, e);
	if (r == 0)
		r = rootless_join(x.state.pid.v, exec_has_userns(&x), e);
	if (r == 0 && rq->process_file && !file_is_regular(rq->process_file))
		seal_early();
	if (r == 0)
		r = exec_plan(&x, e);
	/*
	 * Before the program runs, a process that may trace the new one could open kist's own file through it; and without
	 * the launcher it is kist itself that executes the program.
	 */
	if (r == 0 && (x.is_guarded || (!x.plan.launch && exposed_is_writable(&x.spec))))
		r = launcher_seal_self(e);
	if (r == 0 && rq->console_socket && !x.plan.is_terminal)
		r = err_new(e, EINVAL, "console socket: given, but no terminal is asked for");
	if (r == 0 && rq->console_socket && (r = x.console = console_connect(rq->console_socket, e)) > 0)
		r = 0;
	if (r == 0 && rq->pidfd_socket && (r = x.pidfd_socket = pidfd_socket_connect(rq->pidfd_socket, e)) > 0)
		r = 0;
	if (r == 0 && (x.plan.filter_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		r = listener_open(x.spec.linux_->seccomp, &x.listener, e);
	if (r == 0)
		r = exec_open_root(&x, e);
	if (r == 0)
		r = exec_open_group(&x, e);
	/* Before it is there: whoever comes after it must know. */
	if (r == 0)
		r = exec_note_tracer(&x, e);
	if (r == 0)
		r = run(&x, &c, e);
	if (r < 0)
		return e->exit ? r : err_at(e, r, "exec %s", rq->id);
	*ret = (struct exec_process){ .pid = c.pid, .pidfd = fd_take(&c.pidfd), .master = fd_take(&c.master) };
	return 0;
}
