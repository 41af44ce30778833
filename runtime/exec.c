/* SPDX-License-Identifier: Apache-2.0 */
/* See exec.h. */
#include "runtime/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/freeze.h"
#include "cgroup/group.h"
#include "cgroup/pids.h"
#include "ns/userns.h"
#include "runtime/console.h"
#include "runtime/launcher.h"
#include "runtime/process.h"
#include "runtime/spawn.h"
#include "runtime/sync.h"
#include "runtime/user.h"
#include "spec/check.h"
#include "spec/load.h"
#include "spec/support.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/proc.h"
#include "util/sys.h"

struct exec {
	const struct exec_request *rq;
	struct state_dir dir;
	struct state state;
	struct spec spec;              /* the container's, as it was at create */
	struct spec_process process;   /* what is to run */
	struct process_plan plan;
	struct arena arena;
	struct cgroup_tree tree;
	int group, console, target;    /* target: pidfd of the init */
	int ns;                        /* CLONE_NEW* that the container has of its own or joined */
	bool is_guarded;               /* the container could look into a process that still has host descriptors */
};

static void exec_done(struct exec *x)
{
	state_close(&x->dir);
	state_done(&x->state);
	spec_done(&x->spec);
	arena_done(&x->arena);
	cgroup_tree_done(&x->tree);
	fd_drop(&x->group);
	fd_drop(&x->console);
	fd_drop(&x->target);
}

#define exec_auto __attribute__((cleanup(exec_done)))

/* ---- what to run ---- */

static int find_container(struct exec *x, struct err *e)
{
	fd_auto int root = state_open_root(x->rq->state_root, true, e);
	int r = root < 0 ? root : state_open(root, x->rq->id, false, &x->dir, e);
	if (r == 0)
		r = state_read(&x->dir, &x->state, e);
	if (r < 0)
		return r;
	int status = state_status(&x->dir, &x->state, &x->target);
	if (status < 0)
		return err_ret(e, status, "process %d", x->state.pid.v);
	if (status == STATUS_RUNNING)
		return spec_load_file(x->dir.fd, "config.json", &x->spec, e);
	return err_new(e, ESRCH, "container not running: it is %s", state_word(status));
}

/* Environment of the container, then what -e says: the last of a name wins (process_plan). */
static void add_env(struct exec *x)
{
	const struct strs *base = &x->process.env;
	size_t more = 0;
	while (x->rq->env && x->rq->env[more])
		more++;
	struct strs all = { .v = arena_array(&x->arena, base->n + more + 1, sizeof(char *)), .n = base->n + more };
	memcpy(all.v, base->v, base->n * sizeof(char *));
	if (more)
		memcpy(all.v + base->n, x->rq->env, more * sizeof(char *));
	x->process.env = all;
}

static void add_words(struct arena *a, struct strs *set, const char *const *words)
{
	size_t more = 0;
	while (words[more])
		more++;
	struct strs all = { .v = arena_array(a, set->n + more + 1, sizeof(char *)), .n = set->n + more };
	memcpy(all.v, set->v, set->n * sizeof(char *));
	memcpy(all.v + set->n, words, more * sizeof(char *));
	*set = all;
}

/* --cap puts capabilities to all sets but ambient's, as runc does. */
static void add_caps(struct exec *x)
{
	struct spec_capabilities *c = arena_new(&x->arena, struct spec_capabilities);
	if (x->process.capabilities)
		*c = *x->process.capabilities;
	add_words(&x->arena, &c->bounding, x->rq->caps);
	add_words(&x->arena, &c->effective, x->rq->caps);
	add_words(&x->arena, &c->permitted, x->rq->caps);
	x->process.capabilities = c;
}

static int set_user(struct exec *x, struct err *e)
{
	struct spec_user *u = arena_new(&x->arena, struct spec_user);
	if (x->process.user)
		*u = *x->process.user;
	x->process.user = u;
	if (x->rq->user) {
		char path[40];
		snprintf(path, sizeof(path), "/proc/%d/root", x->state.pid.v);
		fd_auto int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct user found;
		int r = root < 0 ? err_sys(e, "root of the container") : user_find(root, x->rq->user, &x->arena, &found, e);
		if (r < 0)
			return r;
		u->uid = (struct opt_u32){ .has = true, .v = found.uid };
		u->gid = (struct opt_u32){ .has = true, .v = found.gid };
		u->additional_gids = (struct u32s){ .v = (uint32_t *)(uintptr_t)found.groups, .n = found.group_count };
	}
	size_t n = u->additional_gids.n;
	uint32_t *gids = arena_array(&x->arena, n + x->rq->gid_count, sizeof(*gids));
	if (n)
		memcpy(gids, u->additional_gids.v, n * sizeof(*gids));
	if (x->rq->gid_count)
		memcpy(gids + n, x->rq->gids, x->rq->gid_count * sizeof(*gids));
	u->additional_gids = (struct u32s){ .v = gids, .n = n + x->rq->gid_count };
	return 0;
}

static int from_options(struct exec *x, struct err *e)
{
	const struct exec_request *rq = x->rq;
	if (!x->spec.process)
		return err_new(e, EINVAL, "process: the container has none, so --process is needed");
	x->process = *x->spec.process;
	x->process.console_size = NULL;
	size_t n = 0;
	while (rq->args && rq->args[n])
		n++;
	if (n == 0)
		return err_new(e, EINVAL, "no command given");
	x->process.args = (struct strs){ .v = (const char **)(uintptr_t)rq->args, .n = n };
	if (rq->cwd)
		x->process.cwd = rq->cwd;
	x->process.terminal = (struct opt_bool){ .has = true, .v = rq->has_terminal && rq->is_terminal };
	if (rq->has_no_new_privs)
		x->process.no_new_privileges = (struct opt_bool){ .has = true, .v = rq->is_no_new_privs };
	add_env(x);
	if (rq->caps)
		add_caps(x);
	int r = set_user(x, e);
	return r < 0 ? r : spec_check_process(&x->process, e);
}

static int from_file(struct exec *x, struct err *e)
{
	struct spec_process *p;
	int r = spec_load_process(AT_FDCWD, x->rq->process_file, &x->arena, &p, e);
	if (r < 0)
		return err_at(e, r, "%s", x->rq->process_file);
	r = spec_supported_process(p, e);
	if (r < 0)
		return err_at(e, r, "%s", x->rq->process_file);
	x->process = *p;
	if (x->rq->has_terminal)
		x->process.terminal = (struct opt_bool){ .has = true, .v = x->rq->is_terminal };
	return 0;
}

static int plan(struct exec *x, struct err *e)
{
	const struct spec_linux *l = x->spec.linux_;
	int r = x->rq->process_file ? from_file(x, e) : from_options(x, e);
	for (size_t i = 0; l && i < l->namespaces.n; i++)
		x->ns |= l->namespaces.v[i].kind;
	if (r == 0)
		r = process_plan(&x->process, l ? l->seccomp : NULL, x->ns & CLONE_NEWUSER, &x->arena, &x->plan, e);
	if (r < 0)
		return r;
	x->plan.preserve_fds = x->rq->preserve_fds;
	if (x->plan.is_terminal && x->rq->rows && x->rq->columns) {
		x->plan.rows = x->rq->rows;
		x->plan.columns = x->rq->columns;
	}
	int ptrace = caps_number("cap_sys_ptrace");
	const struct spec_capabilities *c = x->spec.process ? x->spec.process->capabilities : NULL;
	for (size_t i = 0; c && i < c->bounding.n && !(x->ns & CLONE_NEWUSER); i++)
		x->is_guarded |= caps_number(c->bounding.v[i]) == ptrace;
	return 0;
}

/* The group in which the init is now, wherever it has moved to. */
static int open_group(struct exec *x, struct err *e)
{
	if (!x->state.cgroup)
		return 0;
	const char *path;
	int r = cgroup_tree_open(&x->tree, e);
	if (r == 0)
		r = cgroup_of_pid(x->state.pid.v, &x->arena, &path, e);
	if (r == 0)
		r = x->group = cgroup_open(&x->tree, path[0] == '/' ? path + 1 : path, e);
	bool is_frozen = false;
	if (r >= 0)
		r = cgroup_is_frozen(x->group, &is_frozen, e);
	if (r == 0 && is_frozen && !x->rq->is_ignore_paused)
		r = err_new(e, EBUSY, "cannot exec in a paused container (resume it, or use --ignore-paused)");
	return r;
}

/* ---- the child ---- */

struct joiner {
	const struct exec *x;
	int sync, parent_end, target;
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
	const struct spec_linux *l = x->spec.linux_;
	uid_t uid = userns_first(&l->uid_mappings);
	gid_t gid = userns_first(&l->gid_mappings);
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_sys(e, "become id %u:%u of the user namespace", uid, gid);
	return 0;
}

static int child_steps(const struct joiner *j, int *ret_master, struct process_found *found, struct err *e)
{
	const struct exec *x = j->x;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "parent death signal");
	if (j->ns && setns(j->target, j->ns) < 0)
		return err_sys(e, "join the container's namespaces");
	if (setsid() < 0)
		return err_sys(e, "new session");
	if (sys_join_session_keyring(NULL) < 0 && errno != ENOSYS)
		return err_sys(e, "new session keyring");
	static const int as_they_are[3] = { -1, -1, -1 };
	int slave = -1, r = 0;
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
	int keep[] = { j.sync, j.target, j.launcher };
	fd_close_others(3 + x->plan.preserve_fds, keep, ARRAY_LEN(keep));
	if (r == 0 && setns(j.target, x->ns) < 0)
		r = err_sys(&e, "join the container's namespaces");
	if (r == 0) {
		j.ns = 0;
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
		return errno == ENODEV || errno == ENOMEM ? err_new(e, ESRCH, "container not running: it is ending")
							  : err_sys(e, "clone");
	c->pid = pid;
	c->pidfd = pidfd;
	return 0;
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
	if (x->console >= 0 && c->master >= 0) {
		r = console_send(x->console, c->master, e);
		fd_drop(&c->master);
	}
	if (r == 0)
		r = process_oom_score(&x->plan, c->pid, e);
	if (r == 0 && x->rq->pid_file) {
		char pid[16];
		int n = snprintf(pid, sizeof(pid), "%d", (int)c->pid);
		r = pid_file_write(x->rq->pid_file, pid, (size_t)n);
		if (r < 0)
			err_ret(e, r, "pid file %s", x->rq->pid_file);
		else
			c->pid_file = x->rq->pid_file;
	}
	if (r == 0 && (r = sync_send(c->sync, SYNC_GO, 0, -1)) < 0)
		err_ret(e, r, "the new process");
	if (r == 0 && (r = sync_receive(c->sync, &m)) < 0)
		err_ret(e, r, "the new process");
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
	struct joiner j = { .x = x, .sync = child_end, .parent_end = c->sync, .target = x->target, .launcher = launcher };
	/* No process of the container may trace the child or open what its /proc entry links to. prctl(2). */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(e, "dumpable");
	r = x->is_guarded ? clone_guarded(&j, c, e) : clone_plain(x, &j, c, e);
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

int container_exec(const struct exec_request *rq, struct exec_process *ret, struct err *e)
{
	struct exec x exec_auto = { .rq = rq, .dir = STATE_DIR_NONE, .tree = CGROUP_TREE_NONE, .group = -1, .console = -1,
				    .target = -1 };
	struct container c container_auto = CONTAINER_NONE;
	int r = find_container(&x, e);
	if (r == 0)
		r = plan(&x, e);
	/* Before the program runs, a process that may trace the new one could open kist's own file through it. */
	if (r == 0 && x.is_guarded)
		r = launcher_seal_self(e);
	if (r == 0 && rq->console_socket && !x.plan.is_terminal)
		r = err_new(e, EINVAL, "console socket: given, but no terminal is asked for");
	if (r == 0 && rq->console_socket && (r = x.console = console_connect(rq->console_socket, e)) > 0)
		r = 0;
	if (r == 0)
		r = open_group(&x, e);
	if (r == 0)
		r = run(&x, &c, e);
	if (r < 0)
		return e->exit ? r : err_at(e, r, "exec %s", rq->id);
	*ret = (struct exec_process){ .pid = c.pid, .pidfd = fd_take(&c.pidfd), .master = fd_take(&c.master) };
	return 0;
}
