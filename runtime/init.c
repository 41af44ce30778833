/* SPDX-License-Identifier: Apache-2.0 */
/* See init.h. */
#include "runtime/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ns/dev.h"
#include "ns/host.h"
#include "ns/mask.h"
#include "ns/mount.h"
#include "ns/rootfs.h"
#include "ns/template.h"
#include "ns/userns.h"
#include "runtime/gate.h"
#include "runtime/mounts.h"
#include "runtime/sync.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/sys.h"

struct init {
	const struct init_args *a;
	const struct plan *p;
	int root;          /* the container's root, O_PATH */
	int place;         /* NEED_HOOKS, NEED_HOSTED: the directory that the root is attached on; -1 */
	int proc;          /* a /proc that no container can touch */
	int master, slave; /* the terminal, or -1 */
	int launcher;      /* -1: none */
	struct process_found found;
};

/* Until it is handed over, the child goes when the parent goes. prctl(2), PR_SET_PDEATHSIG. */
static int die_with_parent(struct init *c, struct err *e)
{
	(void)c;
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? err_sys(e, "parent death signal") : 0;
}

/* Also behind a stage: our words must not reach the parent before the stage's, which tell it our pid. */
static int wait_for_maps(struct init *c, struct err *e)
{
	struct sync_message m;
	int r = sync_receive(c->a->sync, &m);
	if (r < 0)
		return err_ret(e, r, "wait for the id maps");
	return m.type == SYNC_MAPPED ? 0 : err_new(e, EPIPE, "the id maps were not written");
}

/*
 * Hooks look for the root at its path among the host's mounts, of which we have a copy; a hosted tree lies there. While we
 * still have the ids by which kist may go there.
 */
static int open_place(struct init *c, struct err *e)
{
	if (!c->p->root_place || !(c->p->need & NEED_TREE))
		return 0;
	c->place = open(c->p->root_place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return c->place < 0 ? err_sys(e, "root.path %s", c->p->root_place) : 0;
}

/* Host ids do not exist in the namespace: files would be made with an id that the kernel refuses (EOVERFLOW). */
static int become_mapped_root(struct init *c, struct err *e)
{
	const struct plan *p = c->p;
	bool is_given = p->uid_maps->n;
	uid_t uid = is_given ? userns_first(p->uid_maps) : userns_first_of("/proc/self/uid_map");
	gid_t gid = is_given ? userns_first(p->gid_maps) : userns_first_of("/proc/self/gid_map");
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_sys(e, "become id %u:%u of the user namespace", uid, gid);
	/* A change of user clears the parent death signal. prctl(2). */
	return die_with_parent(c, e);
}

static int join_namespaces(struct init *c, struct err *e)
{
	for (size_t i = 0; i < c->p->join_count; i++)
		if (setns(c->a->opened->joins[i], c->p->joins[i].kind) < 0)
			return err_sys(e, "linux.namespaces: join %s", c->p->joins[i].path);
	return 0;
}

static int new_session(struct init *c, struct err *e)
{
	(void)c;
	/* setsid(2) fails only for a group leader, which a fresh child is not. */
	return setsid() < 0 ? err_sys(e, "new session") : 0;
}

/*
 * A procfs that no container can touch: the host's, or that of the template. What lies on /proc of a namespace that others
 * made is their word: there it is one of our own.
 */
static int trusted_proc(const struct init *c, struct err *e)
{
	static const struct mount_options plain;
	if (plan_join_of(c->p, CLONE_NEWNS) >= 0)
		return mount_new("proc", NULL, &plain, e);
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return proc < 0 ? err_sys(e, "/proc") : proc;
}

static int open_proc(struct init *c, struct err *e)
{
	c->proc = trusted_proc(c, e);
	return c->proc < 0 ? c->proc : 0;
}

static int new_keyring(struct init *c, struct err *e)
{
	const struct lsm *l = &c->p->process.lsm;
	fd_auto int proc = l->selinux ? trusted_proc(c, e) : -1;
	return l->selinux && proc < 0 ? proc : lsm_keyring(proc, l, e);
}

/* After clone3 has put us into the group, so that its root is what the container sees. cgroup_namespaces(7). */
static int new_cgroupns(struct init *c, struct err *e)
{
	(void)c;
	return unshare(CLONE_NEWCGROUP) < 0 ? err_sys(e, "new cgroup namespace") : 0;
}

static int set_names(struct init *c, struct err *e)
{
	return host_names(c->p->spec->hostname, c->p->spec->domainname, e);
}

static int loopback_up(struct init *c, struct err *e)
{
	(void)c;
	return host_loopback(e);
}

/* The parent's helper moves them (netdev.h): sysctls that name one of them come later. */
static int wait_for_devices(struct init *c, struct err *e)
{
	struct sync_message m;
	int r = sync_receive(c->a->sync, &m);
	if (r < 0)
		return err_ret(e, r, "wait for the network devices");
	return m.type == SYNC_DEVICES ? 0 : err_new(e, EPIPE, "the network devices were not moved");
}

/*
 * Goes into the template and copies it. In a user namespace of its own the child has no right to do that: there the
 * parent or the stage has cloned it from the template, by CLONE_NEWNS. setns(2).
 */
static int copy_template(struct init *c, struct err *e)
{
	if (c->p->need & (NEED_USERNS | NEED_STAGE))
		return 0;
	if (setns(c->a->opened->template_ns, CLONE_NEWNS) < 0 || unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "copy the mount namespace template");
	return 0;
}

/* A copy of the host's namespace is a peer of it: nothing that we mount may travel back. mount_namespaces(7). */
static int seal_mounts(struct init *c, struct err *e)
{
	if (c->a->opened->template_ns >= 0)
		return copy_template(c, e);
	return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ? err_sys(e, "mount propagation of /") : 0;
}

/* The template's launcher, whose file system will have no other name once the old root is detached. */
static int open_launcher(struct init *c, struct err *e)
{
	if (c->a->opened->template_ns < 0 || !c->p->process.launch)
		return 0;
	c->launcher = open(TEMPLATE_LAUNCHER, O_PATH | O_CLOEXEC);
	return c->launcher < 0 ? err_sys(e, "%s of the mount namespace template", TEMPLATE_LAUNCHER) : 0;
}

static int set_sysctls(struct init *c, struct err *e)
{
	return host_sysctls(c->proc, &c->p->spec->linux_->sysctl, e);
}

static int attach_root(struct init *c, struct err *e)
{
	/* Modes of what is made in the tree are meant as they are written. */
	umask(0);
	if (c->place >= 0) {
		c->root = c->a->opened->root_tree;
		return mount_attach(c->root, c->place, e);
	}
	/* Without the template on a directory that every host has, and that is not needed any more: /sys still is, see
	 * new_tree of mounts.c. */
	const char *where = c->a->opened->template_ns >= 0 ? TEMPLATE_ROOT : access("/dev", F_OK) == 0 ? "/dev" : "/sys";
	c->root = rootfs_attach(c->a->opened->root_tree, where, e);
	return c->root < 0 ? c->root : 0;
}

static int make_mounts(struct init *c, struct err *e)
{
	return mounts_make(c->p, c->a->opened, c->root, e);
}

static int finish_mounts(struct init *c, struct err *e)
{
	return mounts_finish(c->p, c->a->opened, e);
}

/* The parent runs those of the runtime's namespaces. */
static int runtime_hooks(struct init *c, struct err *e)
{
	struct sync_message m = { .type = SYNC_EOF };
	if (sync_send(c->a->sync, SYNC_HOOKS, 0, -1) < 0 || sync_receive(c->a->sync, &m) < 0 || m.type != SYNC_HOOKED)
		return err_new(e, EPIPE, "kist has ended");
	return 0;
}

static int container_hooks(struct init *c, struct err *e)
{
	return hooks_create_container(c->p, &c->a->hooks, c->root >= 0 ? c->root : c->a->opened->root_tree, e);
}

/* Docker and podman count on a working directory that the image does not have. */
static int make_cwd(struct init *c, struct err *e)
{
	const char *cwd = c->p->process.cwd;
	if (!cwd || strcmp(cwd, "/") == 0)
		return 0;
	fd_auto int fd = path_make_dirs(c->root, cwd, 0755);
	if (fd < 0 && fd != -EROFS && fd != -EACCES)
		return err_ret(e, fd, "process.cwd %s", cwd);
	return 0;
}

static int make_devices(struct init *c, struct err *e)
{
	int r = dev_make(c->root, c->p->nodes, c->p->node_count, e);
	return r < 0 ? r : dev_links(c->root, mounts_has_pts(c->p), e);
}

static int make_terminal(struct init *c, struct err *e)
{
	/* Without a mount namespace of its own nothing is mounted: the root must have a devpts already. */
	bool has_mounts = c->p->need & NEED_TREE;
	int root = has_mounts ? c->root : c->a->opened->root_tree;
	int r = process_terminal(&c->p->process, root, &c->master, &c->slave, e);
	return r < 0 || !has_mounts ? r : dev_console(c->root, c->slave, e);
}

static int cover_paths(struct init *c, struct err *e)
{
	const struct spec_linux *l = c->p->spec->linux_;
	int r = mask_readonly(c->root, &l->readonly_paths, e);
	return r < 0 ? r : mask_paths(c->root, &l->masked_paths, c->a->opened->null_tree, l->mount_label, e);
}

static int root_readonly(struct init *c, struct err *e)
{
	return rootfs_readonly(c->root, e);
}

static int enter_root(struct init *c, struct err *e)
{
	return c->p->is_no_pivot ? rootfs_move(c->root, e) : rootfs_pivot(c->root, e);
}

static int chroot_only(struct init *c, struct err *e)
{
	return rootfs_chroot(c->root >= 0 ? c->root : c->a->opened->root_tree, e);
}

static int propagate_root(struct init *c, struct err *e)
{
	if (mount(NULL, "/", NULL, (unsigned long)c->p->spec->linux_->rootfs_propagation, NULL) < 0)
		return err_sys(e, "linux.rootfsPropagation");
	return 0;
}

static int set_stdio(struct init *c, struct err *e)
{
	return process_stdio(&c->p->process, c->slave, c->a->stdio, e);
}

static int become(struct init *c, struct err *e)
{
	int r = process_become(&c->p->process, &c->found, e);
	/* A change of user clears it. prctl(2), PR_SET_PDEATHSIG. */
	return r < 0 || !(c->p->process.uid || c->p->process.gid) ? r : die_with_parent(c, e);
}

static int label(struct init *c, struct err *e)
{
	return lsm_label(c->proc, &c->p->process.lsm, e);
}

static const struct step {
	const char *name;    /* NULL: its messages say all */
	unsigned need;       /* any of these bits; 0: always */
	int (*act)(struct init *c, struct err *e);
} steps[] = {
	{ "start",             0,              die_with_parent },
	{ "user namespace",    NEED_USERNS | NEED_STAGE | NEED_SCOPE, wait_for_maps },
	{ "namespaces",        NEED_JOINS,     join_namespaces },
	{ "root",              NEED_HOOKS | NEED_HOSTED, open_place },
	{ "user namespace",    NEED_USERNS_ID, become_mapped_root },
	{ "session",           0,              new_session },
	{ "keyring",           NEED_KEYRING,   new_keyring },
	{ "cgroup namespace",  NEED_CGROUPNS,  new_cgroupns },
	{ "names",             NEED_NAMES,     set_names },
	{ "network",           NEED_NETWORK,   loopback_up },
	{ "network devices",   NEED_NETDEV,    wait_for_devices },
	{ "mount namespace",   NEED_MOUNTNS,   seal_mounts },
	{ "launcher",          NEED_MOUNTNS,   open_launcher },
	{ "procfs",            NEED_SYSCTL | NEED_LABEL, open_proc },
	{ "root",              NEED_TREE,      attach_root },
	{ "mounts",            NEED_TREE,      make_mounts },
	{ "devices",           NEED_DEV,       make_devices },
	{ "terminal",          NEED_TERMINAL,  make_terminal },
	{ "hooks",             NEED_HOOKS,     runtime_hooks },
	{ NULL,                NEED_HOOKS,     container_hooks },
	/* Hooks bring network interfaces along, which sysctls may name. */
	{ "sysctl",            NEED_SYSCTL,    set_sysctls },
	{ "working directory", NEED_TREE,      make_cwd },
	{ "mounts",            NEED_TREE,      finish_mounts },
	{ "masked paths",      NEED_MASK,      cover_paths },
	{ "read-only root",    NEED_READONLY,  root_readonly },
	{ "pivot",             NEED_MOUNTNS,   enter_root },
	{ "chroot",            NEED_CHROOT,    chroot_only },
	{ "propagation",       NEED_PROPAGATE, propagate_root },
	{ "standard streams",  NEED_PROCESS,   set_stdio },
	{ "process",           NEED_PROCESS,   become },
	{ "label",             NEED_LABEL,     label },
};

/* Waits at the gate until `start` knocks; its connection carries the outcome. Returns the connection. */
static int wait_at_gate(struct init *c)
{
	int r = sync_send(c->a->sync, SYNC_READY, 0, c->master);
	/* Neighbours in a shared pid namespace may look at us while we wait: nothing of the host is to be seen. */
	int keep[] = { c->a->sync, c->a->gate, c->launcher };
	fd_close_others(3 + c->p->process.preserve_fds, keep, ARRAY_LEN(keep));
	c->master = -1;
	struct sync_message m = { .type = SYNC_EOF };
	if (r < 0 || sync_receive(c->a->sync, &m) < 0 || m.type != SYNC_DETACH)
		_exit(1);
	if (prctl(PR_SET_PDEATHSIG, 0) < 0 || sync_send(c->a->sync, SYNC_DETACHED, 0, -1) < 0)
		_exit(1);
	close(c->a->sync);
	int end = gate_wait(c->a->gate);
	if (end < 0)
		_exit(1);
	return end;
}

static int wait_for_parent(struct init *c)
{
	struct sync_message m = { .type = SYNC_EOF };
	if (sync_send(c->a->sync, SYNC_READY, 0, c->master) < 0 || sync_receive(c->a->sync, &m) < 0 || m.type != SYNC_GO)
		_exit(1);
	fd_drop(&c->master);
	prctl(PR_SET_PDEATHSIG, 0);
	return c->a->sync;
}

static int walk(struct init *c, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i].need && !(steps[i].need & c->p->need))
			continue;
		int r = steps[i].act(c, e);
		/* The program's own failures keep the words that callers match. */
		if (r < 0)
			return e->exit || !steps[i].name ? r : err_at(e, r, "%s", steps[i].name);
	}
	return 0;
}

/*
 * Hooks are files of the container, and it is still we who wait for them: nothing of the host may be found in us.
 * Our file is out of reach already (exposed.h).
 */
static int start_hooks(struct init *c, int end, struct err *e)
{
	int keep[] = { end, c->launcher };
	fd_close_others(3 + c->p->process.preserve_fds, keep, ARRAY_LEN(keep));
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(e, "dumpable");
	return hooks_start_container(c->p, &c->a->hooks, c->launcher, e);
}

void init_run(const struct init_args *args)
{
	struct init c = { .a = args, .p = args->plan, .root = -1, .place = -1, .proc = -1, .master = -1, .slave = -1,
			  .launcher = args->opened->launcher };
	struct err e = { 0 };
	close(args->parent_end);
	close(args->state);
	process_reset_signals();
	/* Neighbours in a pid namespace that is not our own may not look into us before we are the program. prctl(2). */
	if (!(c.p->new_ns & CLONE_NEWPID) && geteuid() == 0)
		prctl(PR_SET_DUMPABLE, 0);
	if (walk(&c, &e) < 0) {
		sync_send_error(args->sync, &e);
		_exit(1);
	}
	int end = args->gate >= 0 ? wait_at_gate(&c) : wait_for_parent(&c);
	if (!(args->plan->need & NEED_PROCESS)) {
		err_new(&e, EINVAL, "process: missing in config.json, so there is nothing to start");
	} else if ((args->plan->need & NEED_START_HOOKS) && start_hooks(&c, end, &e) < 0) {
		sync_send_abort(end, &e);
		_exit(1);
	} else {
		process_exec(&args->plan->process, &c.found, c.launcher, end, &e);
	}
	sync_send_error(end, &e);
	_exit(e.exit ? e.exit : 1);
}
