/* SPDX-License-Identifier: Apache-2.0 */
/* See create.h. The order is that of security: the record first, then what it speaks of. */
#include "runtime/create.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/devices_bpf.h"
#include "cgroup/resctrl.h"
#include "ns/kinds.h"
#include "runtime/console.h"
#include "runtime/control.h"
#include "runtime/gate.h"
#include "runtime/home.h"
#include "runtime/hooks.h"
#include "runtime/hosted.h"
#include "runtime/notify.h"
#include "runtime/plan.h"
#include "runtime/rootless.h"
#include "runtime/restore.h"
#include "runtime/spawn.h"
#include "runtime/sync.h"
#include "runtime/target.h"
#include "spec/check.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/helper.h"
#include "util/proc.h"
#include "util/sys.h"

/* Everything that one create holds on its way. */
struct create {
	const struct create_request *rq;
	struct container *c;
	struct plan plan;
	struct opened opened;
	struct home home;
	int gate, console, pidfd_socket;
	char *net_program;            /* kist-net, when network devices are listed */
	bool adds_userns;
	struct restore restore;
};

static void create_done(struct create *m)
{
	opened_done(&m->opened);
	fd_drop(&m->gate);
	fd_drop(&m->console);
	fd_drop(&m->pidfd_socket);
	free(m->net_program);
	home_done(&m->home);
	if (m->rq->restore)
		restore_done(&m->restore);
}

#define create_auto __attribute__((cleanup(create_done)))

/* ---- before any side effect ---- */

static bool has_listener(const struct create *m)
{
	return m->plan.process.filter_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

/* The agent of notified system calls. Of a created container it is `start` that speaks to it. */
static int find_listener(struct create *m, struct err *e)
{
	const struct spec_seccomp *s = m->rq->spec->linux_->seccomp;
	if (!m->rq->is_run)
		return listener_look(s, e);
	int r = listener_open(s, &m->c->listener, e);
	if (r == 0 && s->listener_metadata)
		m->c->listener.metadata = arena_str(&m->c->arena, s->listener_metadata);
	return r;
}

static int decide(struct create *m, int own_rootfs, struct err *e)
{
	const struct create_request *rq = m->rq;
	fd_auto int rootfs = own_rootfs;
	struct plan_options o = {
		.id = rq->id, .bundle = rq->bundle, .is_no_pivot = rq->is_no_pivot, .is_no_keyring = rq->is_no_keyring,
		.preserve_fds = rq->preserve_fds, .has_rootfs_tree = rootfs >= 0,
		.rootfs_path = rq->rootfs_path, .has_cache = true,
		.state_root = m->c->dir.root,
		.listen_fds = rq->service.listen_fds, .listen_names = rq->service.listen_names,
		.is_notified = rq->service.notify_socket,
	};
	int r = spec_check(rq->spec, e);
	if (r == 0)
		r = rootless_plan(rq->spec, rootfs < 0, &m->c->arena, &o, e);
	if (r == 0 && rq->restore)
		r = restore_open(rq->restore, rq->spec, &m->restore, e);
	if (r == 0)
		r = plan_make(rq->spec, &o, &m->c->arena, &m->plan, e);
	m->adds_userns = o.adds_userns;
	if (r == 0)
		r = process_check_preserved(&m->plan.process, e);
	if (r == 0 && has_listener(m))
		r = find_listener(m, e);
	if (r == 0 && (m->plan.need & NEED_NETDEV) && !(m->net_program = helper_find("kist-net", e)))
		r = err_at(e, -ENOENT, "linux.netDevices");
	if (r == 0 && rq->console_socket && !(m->plan.need & NEED_TERMINAL))
		r = err_new(e, EINVAL, "console socket: given, but process.terminal is not true");
	if (r == 0 && rq->console_socket)
		r = m->console = console_connect(rq->console_socket, e);
	if (r >= 0 && rq->pidfd_socket)
		r = m->pidfd_socket = pidfd_socket_connect(rq->pidfd_socket, e);
	if (r >= 0)
		r = plan_open(&m->plan, m->c->dir.root, fd_take(&rootfs), &m->c->arena, &m->opened, e);
	return r < 0 ? r : 0;
}

/* What linux.intelRdt asks for, on the resctrl file system that is mounted. */
static int place_rdt(struct create *m, struct err *e)
{
	const struct spec_linux *l = m->rq->spec->linux_;
	struct container *c = m->c;
	if (!l || !l->intel_rdt)
		return 0;
	c->resctrl = resctrl_open(e);
	return c->resctrl < 0 ? c->resctrl : resctrl_plan(c->resctrl, l->intel_rdt, m->rq->id, &c->arena, &c->rdt, e);
}

/* ---- side effects, each undone by undo() ---- */

static int record_intent(struct create *m, struct err *e)
{
	struct state *s = &m->c->state;
	*s = (struct state){
		.id = m->rq->id, .bundle = m->rq->state_bundle ? m->rq->state_bundle : m->rq->bundle,
		.rootfs = m->plan.rootfs ? m->plan.rootfs : m->rq->rootfs_path ? m->rq->rootfs_path : "",
		.cgroup = m->home.has_group ? m->home.group.path : NULL,
		.cgroup_keep = { .has = m->home.has_group, .v = (uint32_t)m->home.group.keep_len },
		.scope = m->home.scope.unit, .scope_mark = m->home.scope.mark,
		.is_scope_user = { .has = m->home.scope.is_user, .v = m->home.scope.is_user },
		.is_terminal = { .has = true, .v = m->plan.need & NEED_TERMINAL },
		.is_pid_shared = { .has = !(m->plan.new_ns & CLONE_NEWPID), .v = true },
		.has_listener = { .has = has_listener(m), .v = has_listener(m) },
		.is_userns = { .has = m->adds_userns, .v = m->adds_userns },
		.annotations = m->rq->spec->annotations,
		.rdt = m->c->rdt.group, .rdt_own = { .has = m->c->rdt.owns_clos, .v = m->c->rdt.owns_clos },
	};
	int r = m->plan.need & NEED_HOSTED ? hosted_note(&m->plan, &m->opened, s, e) : 0;
	return r < 0 ? r : state_write_first(&m->c->dir, s, e);
}

static int make_rdt(struct create *m, struct err *e)
{
	struct container *c = m->c;
	int r = c->rdt.group ? resctrl_make(c->resctrl, &c->rdt, e) : 0;
	/* What could not be made is not ours to remove: somebody else may have that name. */
	if (r < 0)
		c->rdt.group = c->state.rdt = NULL;
	return r;
}

/* The devices of the config into the child's network, which waits for them before its sysctls. */
static int move_devices(struct create *m, struct err *e)
{
	if (!(m->plan.need & NEED_NETDEV))
		return 0;
	int at = plan_join_of(&m->plan, CLONE_NEWNET);
	int joined = at < 0 ? -1 : m->opened.joins[at];
	fd_auto int made = joined < 0 ? ns_open_of(m->c->pid, CLONE_NEWNET, e) : -1;
	if (joined < 0 && made < 0)
		return fd_take(&made);
	const struct spec_net_devices *devices = &m->rq->spec->linux_->net_devices;
	int r = netdev_move(m->net_program, joined < 0 ? made : joined, devices, &m->c->net, e);
	if (r == 0 && (r = sync_send(m->c->sync, SYNC_DEVICES, 0, -1)) < 0)
		err_ret(e, r, "the container's process");
	return r;
}

/* While the child builds its tree: what only we can do, and what would cost time one after the other. */
static int meanwhile(struct create *m, struct err *e)
{
	struct container *c = m->c;
	int r = 0;
	if (m->home.has_group)
		r = devices_apply(m->home.group.fd, &m->plan.devices, m->plan.need & (NEED_USERNS_ID | NEED_INSIDE),
				  false, e);
	if (r == 0)
		r = process_oom_score(&m->plan.process, c->pid, e);
	if (r == 0 && c->rdt.group)
		r = resctrl_add(c->resctrl, c->rdt.group, c->pid, e);
	fd_auto int file = r < 0 ? -1 : openat(c->dir.fd, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (r == 0 && (file < 0 || (r = fd_write_all(file, m->rq->config, m->rq->config_len)) < 0))
		r = file < 0 ? err_sys(e, "state directory: config.json") : err_ret(e, r, "state directory: config.json");
	return r;
}

/* What the final record says of the process is read while it works. */
static int learn_process(struct create *m, struct err *e)
{
	struct state *s = &m->c->state;
	s->pid = (struct opt_i32){ .has = true, .v = m->c->pid };
	s->pid_start.has = true;
	s->created = clock_text(arena_alloc(&m->c->arena, CLOCK_TEXT_MAX));
	int r = proc_start_time(m->c->pid, &s->pid_start.v, NULL);
	char *boot = arena_alloc(&m->c->arena, 37);
	if (r == 0)
		r = proc_boot_id(boot);
	s->boot_id = boot;
	return r < 0 ? err_ret(e, r, "process %d", (int)m->c->pid) : 0;
}

static int write_pid_file(struct create *m, struct err *e)
{
	return m->rq->pid_file ? spawn_pid_file(m->rq->pid_file, m->c, e) : 0;
}

/*
 * Everything of the container is there but its root as "/". From now on it is one that has to be deleted with its hooks,
 * and the record says so first; but still "creating": it has no pid there.
 */
static int run_hooks(struct create *m, struct err *e)
{
	struct container *c = m->c;
	c->state.has_hooks = (struct opt_bool){ true, hooks_are_later(c->hooks) };
	struct state record = c->state;
	record.pid.has = false;
	int r = state_write(&c->dir, &record, e);
	if (r == 0)
		r = hooks_create_runtime(c->hooks, &c->state, e);
	if (r == 0 && (r = sync_send(c->sync, SYNC_HOOKED, 0, -1)) < 0)
		err_ret(e, r, "the container's process");
	return r;
}

/* The other half's last word before the program; the terminal comes with it. */
static int wait_ready(struct create *m, struct err *e)
{
	struct container *c = m->c;
	struct sync_message msg;
	int r = sync_receive(c->sync, &msg);
	if (r == 0 && msg.type == SYNC_HOOKS) {
		r = run_hooks(m, e);
		if (r < 0)
			return r;
		r = sync_receive(c->sync, &msg);
	}
	if (r < 0)
		return err_ret(e, r, "wait for the container's process");
	if (msg.type == SYNC_ERROR) {
		*e = msg.err;
		return -e->num;
	}
	if (msg.type != SYNC_READY)
		return err_new(e, EPIPE, "the container's process ended before it was ready%s",
			       m->plan.limits.need.n ? " (killed, or out of memory within its limit)" : "");
	c->master = msg.fd;
	if (m->console < 0 || c->master < 0)
		return 0;
	r = console_send(m->console, c->master, e);
	fd_drop(&c->master);
	return r;
}

static int hand_over(struct create *m, struct err *e)
{
	struct sync_message msg = { .type = SYNC_EOF };
	int r = sync_send(m->c->sync, SYNC_DETACH, 0, -1);
	if (r == 0)
		r = sync_receive(m->c->sync, &msg);
	if (r < 0 || msg.type != SYNC_DETACHED)
		return err_new(e, EPIPE, "the container's process ended while it was handed over");
	fd_drop(&m->c->sync);
	netdev_keep(&m->c->net);
	return 0;
}

/* systemd makes the group for a process that is there. */
static int adopt(struct create *m, pid_t pid, struct err *e)
{
	int r = home_adopt(&m->home, &m->plan, pid, &m->c->tree, &m->c->arena, e);
	if (m->home.has_group) {
		m->c->state.cgroup = m->home.group.path;
		m->c->state.cgroup_keep = (struct opt_u32){ .has = true, .v = (uint32_t)m->home.group.keep_len };
	}
	return r;
}

/* A process that is nothing but there, until we kill it or end. */
static pid_t start_holder(struct err *e)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
			pause();
		_exit(1);
	}
	return pid < 0 ? err_sys(e, "clone") : pid;
}

/* The restored init is there with its namespaces, and nothing else: the moment of the runtime's own hooks. */
static int restore_begun(void *ctx, pid_t pid, struct err *e)
{
	struct create *m = ctx;
	struct container *c = m->c;
	c->pid = pid;
	int r = meanwhile(m, e);
	if (r == 0)
		r = learn_process(m, e);
	if (r < 0 || !c->hooks)
		return r;
	c->state.has_hooks = (struct opt_bool){ true, hooks_are_later(c->hooks) };
	struct state record = c->state;
	record.pid.has = false;
	r = state_write(&c->dir, &record, e);
	return r < 0 ? r : hooks_create_runtime(c->hooks, &c->state, e);
}

/* The restored processes are complete, and wait. */
static int restore_complete(void *ctx, pid_t pid, struct err *e)
{
	struct create *m = ctx;
	int r = 0;
	if (m->plan.process.attrs.need & ATTRS_BY_PARENT)
		r = attrs_give(&m->plan.process.attrs, pid, e);
	if (r == 0)
		r = state_write(&m->c->dir, &m->c->state, e);
	return r < 0 ? r : write_pid_file(m, e);
}

/* In the place of spawn and what follows it. The init is our child, as it is after spawn. */
static int restore(struct create *m, struct err *e)
{
	struct container *c = m->c;
	const struct restore_args args = {
		.restore = &m->restore, .plan = &m->plan, .opened = &m->opened, .state = c->dir.fd, .group = m->home.group.fd,
		.group_path = m->home.group.path, .stdio = { m->rq->stdio[0], m->rq->stdio[1], m->rq->stdio[2] },
		.begun = restore_begun, .complete = restore_complete, .ctx = m,
	};
	int r = restore_run(&args, &c->pid, &c->master, e);
	if (r == 0 && (c->pidfd = sys_pidfd_open(c->pid, 0)) < 0)
		r = err_sys(e, "pidfd of the container's process");
	if (r < 0 || m->console < 0)
		return r;
	if (c->master < 0)
		return err_new(e, ENXIO, "console socket: criu did not give the terminal's master");
	r = console_send(m->console, c->master, e);
	fd_drop(&c->master);
	return r;
}

/* criu wants to know the group before it has a process: another one holds the scope meanwhile. */
static int restore_in_scope(struct create *m, struct err *e)
{
	pid_t holder = start_holder(e);
	if (holder < 0)
		return holder;
	int r = adopt(m, holder, e);
	if (r == 0)
		r = restore(m, e);
	kill(holder, SIGKILL);
	while (waitpid(holder, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

static int act(struct create *m, struct err *e)
{
	int r = record_intent(m, e);
	if (r == 0)
		r = home_make(&m->home, &m->plan, &m->c->tree, e);
	if (r == 0)
		r = make_rdt(m, e);
	if (m->rq->restore) {
		if (r == 0)
			r = m->plan.need & NEED_SCOPE ? restore_in_scope(m, e) : restore(m, e);
		return r == 0 ? home_close(&m->home, &m->plan, e) : r;
	}
	if (r == 0 && !m->rq->is_run)
		r = m->gate = gate_make(&m->c->dir, e);
	if (r >= 0 && (m->plan.need & NEED_NOTIFY))
		r = notify_make(&m->c->dir, &m->opened.trees[m->plan.mount_count - 1], e);
	if (r < 0)
		return r;
	const struct init_args args = {
		.plan = &m->plan, .opened = &m->opened, .state = m->c->dir.fd, .gate = m->gate,
		.stdio = { m->rq->stdio[0], m->rq->stdio[1], m->rq->stdio[2] },
		.hooks = m->c->hooks ? hooks_child_make(&m->plan, &m->c->state, &m->c->arena) : HOOKS_CHILD_NONE,
	};
	r = spawn(&args, m->home.group.fd, m->c, e);
	if (r == 0 && (m->plan.need & NEED_SCOPE))
		r = adopt(m, m->c->pid, e);
	if (r == 0)
		r = spawn_map(&m->plan, m->c, e);
	if (r == 0)
		r = move_devices(m, e);
	if (r == 0)
		r = meanwhile(m, e);
	if (r == 0)
		r = learn_process(m, e);
	if (r == 0)
		r = wait_ready(m, e);
	if (r == 0)
		r = home_close(&m->home, &m->plan, e);
	if (hooks_are_later(m->c->hooks))
		m->c->state.has_hooks = (struct opt_bool){ true, r == 0 || m->c->state.has_hooks.v };
	if (r == 0 && (m->plan.process.attrs.need & ATTRS_BY_PARENT))
		r = attrs_give(&m->plan.process.attrs, m->c->pid, e);
	if (r == 0)
		r = state_write(&m->c->dir, &m->c->state, e);
	if (r == 0 && m->pidfd_socket >= 0)
		r = pidfd_socket_send(m->pidfd_socket, m->c->pidfd, "standard", e);
	if (r == 0)
		r = write_pid_file(m, e);
	if (r == 0 && !m->rq->is_run)
		r = hand_over(m, e);
	return r;
}

/* ---- all of it ---- */

/* What a checkpoint has ended holds its id until it is restored or deleted. */
static int replace_checkpointed(int root, const char *id, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	struct err ignored;
	bool is_over = target_open(root, id, false, &t, &ignored) == 0 && t.status == STATUS_STOPPED &&
		       t.state.is_checkpointed.v;
	return is_over ? container_delete(root, id, false, e) : 0;
}

int container_create(const struct create_request *rq, struct container *ret, struct err *e)
{
	struct container c container_auto = CONTAINER_NONE;
	const char *verb = rq->restore ? "restore" : "create";
	struct create m create_auto = {
		.rq = rq, .c = &c, .opened = OPENED_NONE, .home = HOME_NONE, .gate = -1, .console = -1,
		.pidfd_socket = -1, .restore = RESTORE_NONE,
	};
	fd_auto int rootfs = rq->own_rootfs;
	c.hooks = rq->spec->hooks;
	int r = state_check_id(rq->id, e);
	if (r < 0)
		return r;
	r = c.dir.root = state_open_root(rq->state_root, true, e);
	if (r >= 0)
		r = decide(&m, fd_take(&rootfs), e);
	if (r == 0 && rq->restore)
		r = replace_checkpointed(c.dir.root, rq->id, e);
	if (r == 0)
		r = place_rdt(&m, e);
	if (r == 0)
		r = home_place(&m.home, rq->cgroup_manager, &m.plan, &c.tree, &c.arena, e);
	if (r < 0)
		return e->exit ? r : err_at(e, r, "%s %s", verb, rq->id);
	r = state_create(fd_take(&c.dir.root), rq->id, &c.dir, e);
	if (r < 0)
		return err_at(e, r, "%s %s", verb, rq->id);
	r = act(&m, e);
	c.cgroup = fd_take(&m.home.group.fd);
	if (r < 0) {
		container_undo(&c);
		return e->exit ? r : err_at(e, r, "%s %s", verb, rq->id);
	}
	/* Strings of the record that the plan or the request owns live on with their owners. */
	*ret = c;
	c = CONTAINER_NONE;
	return 0;
}
