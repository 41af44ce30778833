/* SPDX-License-Identifier: Apache-2.0 */
/* See live.h. */
#include "runtime/live.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/freeze.h"
#include "ns/userns.h"
#include "runtime/live_record.h"
#include "runtime/mounts.h"
#include "runtime/plan.h"
#include "runtime/rootless.h"
#include "runtime/target.h"
#include "spec/load.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/sys.h"

/* What the helper process tells: memory that both share. */
struct told {
	struct err err;
	size_t done;              /* removal: how many are out, counted from the end of the list */
	struct live_id ids[];     /* addition: of each mount, before it is attached */
};

/* One command on one container. */
struct live {
	struct target t;
	struct arena arena;
	struct spec spec;         /* the container's, as it was at create */
	struct spec_mounts list;  /* of the file */
	struct live_mounts known;
	struct plan plan;         /* addition */
	struct opened opened;
	const struct live_mount **wanted;  /* removal: one row of `known` per row of the list */
	int proc;                 /* the host's /proc, through which a mount is named by its descriptor */
	int ns;                   /* CLONE_NEW* of the container that the helper enters */
	uid_t uid;                /* the first ids of its user namespace */
	gid_t gid;
	struct told *told;
	size_t told_size;
};

#define LIVE_NONE { .t = TARGET_NONE, .opened = OPENED_NONE, .proc = -1 }

static void live_done(struct live *l)
{
	target_done(&l->t);
	opened_done(&l->opened);
	fd_drop(&l->proc);
	spec_done(&l->spec);
	arena_done(&l->arena);
	if (l->told)
		munmap(l->told, l->told_size);
}

#define live_auto __attribute__((cleanup(live_done)))

/* ---- the helper process: allocates nothing ---- */

/* By its descriptor, and lazily: what the program still has open there goes on. umount2(2), proc(5). */
static int take_out(const struct live *l, int mnt)
{
	char path[32];
	snprintf(path, sizeof(path), "self/fd/%d", mnt);
	return fchdir(l->proc) < 0 || umount2(path, MNT_DETACH) < 0 ? -errno : 0;
}

/*
 * Everything but the pid namespace: nobody in the container sees this process, which has descriptors of the host.
 * Returns the container's root.
 */
static int enter(const struct live *l, struct err *e)
{
	if (setns(l->t.pidfd, l->ns) < 0)
		return err_sys(e, "join the container's namespaces");
	if ((l->ns & CLONE_NEWUSER) &&
	    (setresgid(l->gid, l->gid, l->gid) < 0 || setresuid(l->uid, l->uid, l->uid) < 0))
		return err_sys(e, "become id %u:%u of the user namespace", l->uid, l->gid);
	umask(0);
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? err_sys(e, "root of the container") : root;
}

static int note_id(void *ctx, int mnt)
{
	bool is_root;
	return live_id_of(mnt, ctx, &is_root);
}

static int add_all(const struct live *l, int root, struct err *e)
{
	int r = 0;
	size_t i = 0;
	for (; i < l->plan.mount_count && r == 0; i++) {
		const struct mount_watch watch = { note_id, &l->told->ids[i] };
		r = mounts_make_one(&l->plan.mounts[i], &l->opened.trees[i], l->opened.is_file[i], &watch, root, e);
		if (r < 0)
			err_at(e, r, "%s", l->plan.mounts[i].where);
	}
	if (r == 0)
		r = mounts_finish(&l->plan, &l->opened, e);
	/* One that was not attached yet is refused, and goes with its descriptor. */
	while (r < 0 && i-- > 0)
		if (l->opened.trees[i] >= 0)
			take_out(l, l->opened.trees[i]);
	return r;
}

/* Opens the mount that the i-th row names, provided that it is the one that was added. */
static int open_added(const struct live *l, size_t i, int root, struct err *e)
{
	const char *destination = l->list.v[i].destination;
	struct live_id id = { 0 };
	bool is_root = false;
	fd_auto int fd = path_open(root, destination, PATH_IN_ROOT, O_PATH, 0);
	int r = fd < 0 ? fd : live_id_of(fd, &id, &is_root);
	if (r < 0)
		return err_ret(e, r, "mounts[%zu] %s", i, destination);
	if (!is_root || !live_is(l->wanted[i], &id))
		return err_new(e, EBUSY, "mounts[%zu] %s: what was added there is not there any more, or lies under another "
			       "mount", i, destination);
	return fd_take(&fd);
}

/* Whether a later row has the same destination: what this one names shows only once that is out. */
static bool is_covered(const struct live *l, size_t i)
{
	for (size_t k = i + 1; k < l->list.n; k++)
		if (strcmp(l->list.v[k].destination, l->list.v[i].destination) == 0)
			return true;
	return false;
}

static int remove_all(const struct live *l, int root, struct err *e)
{
	for (size_t i = 0; i < l->list.n; i++) {
		if (is_covered(l, i))
			continue;
		fd_auto int fd = open_added(l, i, root, e);
		if (fd < 0)
			return fd_take(&fd);
	}
	for (size_t i = l->list.n; i-- > 0;) {
		fd_auto int fd = open_added(l, i, root, e);
		int r = fd < 0 ? fd : take_out(l, fd);
		if (r < 0)
			return fd < 0 ? r : err_ret(e, r, "mounts[%zu] %s", i, l->list.v[i].destination);
		l->told->done++;
	}
	return 0;
}

/* What an addition has left that died, or that could not be recorded. Not all of it need be there. */
static int take_back_all(const struct live *l, int root, struct err *e)
{
	for (size_t i = l->list.n; i-- > 0;) {
		fd_auto int fd = l->wanted[i]->mount.v ? open_added(l, i, root, e) : -1;
		if (fd >= 0)
			take_out(l, fd);
	}
	return 0;
}

static void helper(const struct live *l, int (*act)(const struct live *, int, struct err *))
{
	struct err *e = &l->told->err;
	/* Half a change must not be left by a signal to the foreground; our parent's end is no reason either. */
	int root = enter(l, e);
	_exit(root < 0 || act(l, root, e) < 0);
}

/* ---- the parent ---- */

/* Runs `act` in the container. The helper's account is l->told's. */
static int in_container(struct live *l, int (*act)(const struct live *, int, struct err *), struct err *e)
{
	sigset_t all, before;
	l->told->err = (struct err){ 0 };
	struct clone_args args = { .exit_signal = SIGCHLD };
	int status;
	/* Where pid namespaces are shared, the container could look into us. prctl(2). */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(e, "dumpable");
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid_t pid = sys_clone3(&args);
	if (pid == 0)
		helper(l, act);
	int r = pid < 0 ? err_sys(e, "clone") : 0;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		return r;
	if (l->told->err.num) {
		*e = l->told->err;
		return -e->num;
	}
	return status ? err_new(e, EPIPE, "the process in the container ended without a word") : 0;
}

static int check_status(struct live *l, struct err *e)
{
	bool is_frozen = false;
	int r = 0;
	if (l->t.status == STATUS_CREATING)
		return err_new(e, EINVAL, "container not running: it is still being created");
	if (l->t.status == STATUS_STOPPED)
		return err_new(e, ESRCH, "container not running");
	r = target_group(&l->t, e);
	if (r == 0 && l->t.group >= 0)
		r = cgroup_is_frozen(l->t.group, &is_frozen, e);
	if (r == 0 && is_frozen)
		r = err_new(e, EBUSY, "the container is paused: resume it first");
	return r;
}

static void set_namespaces(struct live *l)
{
	const struct spec_linux *linux_ = l->spec.linux_;
	char path[40];
	l->ns = l->t.state.is_userns.v ? CLONE_NEWUSER : 0;
	for (size_t i = 0; i < linux_->namespaces.n; i++)
		l->ns |= linux_->namespaces.v[i].kind & ~(CLONE_NEWPID | CLONE_NEWTIME);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", l->t.state.pid.v);
	l->uid = userns_first_of(path);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", l->t.state.pid.v);
	l->gid = userns_first_of(path);
}

/* Finds the container and reads file and record. */
static int look(struct live *l, int root, const char *id, const char *file, struct err *e)
{
	int r = target_open(root, id, true, &l->t, e);
	if (r == 0)
		r = check_status(l, e);
	if (r == 0)
		r = spec_load_file(l->t.dir.fd, "config.json", &l->spec, e);
	if (r < 0)
		return r;
	r = rootless_join(l->t.state.pid.v, l->t.state.is_userns.v || spec_namespace_find(&l->spec, CLONE_NEWUSER), e);
	/* In a user namespace that was joined, or that others made: sources are copied in a mount namespace of our own. */
	if (r == 0)
		r = rootless_enter(&l->spec, e);
	if (r < 0)
		return r;
	const struct spec_namespace *ns = spec_namespace_find(&l->spec, CLONE_NEWNS);
	if (!ns || ns->path)
		return err_new(e, EINVAL, "the container has no mount namespace of its own");
	set_namespaces(l);
	r = spec_load_mounts(file, &l->spec, &l->arena, &l->list, e);
	if (r == 0)
		r = live_read(&l->t.dir, &l->arena, &l->known, e);
	if (r < 0)
		return r;
	l->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->proc < 0)
		return err_sys(e, "/proc");
	l->told_size = sizeof(*l->told) + l->list.n * sizeof(l->told->ids[0]);
	void *told = mmap(NULL, l->told_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		return err_sys(e, "memory");
	l->told = told;
	return 0;
}

/* What cannot be done to a running container, or could not be taken back. */
static int check_kinds(const struct live *l, struct err *e)
{
	for (size_t i = 0; i < l->plan.mount_count; i++) {
		const struct plan_mount *m = &l->plan.mounts[i];
		if (m->kind == PLAN_REMOUNT)
			return err_new(e, EINVAL, "%s: remount adds no mount", m->where);
		if (m->options.is_copy_symlink)
			return err_new(e, EINVAL, "%s: copy-symlink makes no mount that could be taken out again", m->where);
		if (strcmp(m->type, "proc") == 0 && m->kind == PLAN_NEW)
			return err_new(e, EINVAL, "%s: a procfs is not added to a running container: it would show the "
				       "processes of the host", m->where);
		if (m->kind == PLAN_CGROUP && !(l->ns & CLONE_NEWCGROUP))
			return err_new(e, EINVAL, "%s: needs a cgroup namespace", m->where);
	}
	return 0;
}

static int record_added(struct live *l, struct err *e)
{
	size_t n = l->known.n;
	struct live_mounts all = { .v = arena_array(&l->arena, n + l->list.n, sizeof(*all.v)), .n = n + l->list.n };
	if (n)
		memcpy(all.v, l->known.v, n * sizeof(*all.v));
	for (size_t i = 0; i < l->list.n; i++)
		all.v[n + i] = live_row(l->list.v[i].destination, &l->told->ids[i]);
	return live_write(&l->t.dir, &all, e);
}

static void take_back(struct live *l)
{
	struct live_mount *rows = arena_array(&l->arena, l->list.n, sizeof(*rows));
	struct err ignored;
	l->wanted = arena_array(&l->arena, l->list.n, sizeof(struct live_mount *));
	for (size_t i = 0; i < l->list.n; i++) {
		rows[i] = live_row(l->list.v[i].destination, &l->told->ids[i]);
		l->wanted[i] = &rows[i];
	}
	in_container(l, take_back_all, &ignored);
}

static int add(struct live *l, struct err *e)
{
	struct spec with = { .mounts = l->list, .linux_ = l->spec.linux_ };
	struct plan_options o = { .id = l->t.state.id, .bundle = l->t.state.bundle };
	/* Maps of a bundle count the host's ids; what has no root directory to name has come from the store. */
	int r = rootless_plan(&with, l->t.state.rootfs && *l->t.state.rootfs, &l->arena, &o, e);
	if (r == 0)
		r = plan_make_mounts(&with, &o, &l->arena, &l->plan, e);
	if (r == 0)
		r = check_kinds(l, e);
	if (r == 0)
		r = plan_open_mounts(&l->plan, &l->arena, &l->opened, e);
	if (r < 0)
		return r;
	r = in_container(l, add_all, e);
	if (r == 0)
		r = record_added(l, e);
	/* What it says that it could not do, the helper itself has taken back. */
	if (r < 0 && !l->told->err.num)
		take_back(l);
	return r;
}

/* The last row of the record at a destination that no later row of the list has taken yet. */
static int find_wanted(struct live *l, struct err *e)
{
	bool *is_taken = arena_array(&l->arena, l->known.n, sizeof(*is_taken));
	l->wanted = arena_array(&l->arena, l->list.n, sizeof(struct live_mount *));
	for (size_t i = l->list.n; i-- > 0;) {
		for (size_t k = l->known.n; k-- > 0 && !l->wanted[i];)
			if (!is_taken[k] && strcmp(l->known.v[k].destination, l->list.v[i].destination) == 0) {
				l->wanted[i] = &l->known.v[k];
				is_taken[k] = true;
			}
		if (!l->wanted[i])
			return err_new(e, ENOENT, "mounts[%zu] %s: no mount was added there", i, l->list.v[i].destination);
	}
	return 0;
}

/* Out is what was taken out, and what lay below it. */
static bool is_out(const struct live *l, const struct live_mount *m)
{
	for (size_t i = l->list.n - l->told->done; i < l->list.n; i++) {
		size_t len = strlen(l->list.v[i].destination);
		bool is_below = strncmp(m->destination, l->list.v[i].destination, len) == 0 && m->destination[len] == '/';
		if (l->wanted[i] == m || is_below)
			return true;
	}
	return false;
}

static int remove_listed(struct live *l, struct err *e)
{
	int r = find_wanted(l, e);
	if (r < 0)
		return r;
	r = in_container(l, remove_all, e);
	struct live_mounts rest = { .v = arena_array(&l->arena, l->known.n, sizeof(*rest.v)) };
	for (size_t k = 0; k < l->known.n; k++)
		if (!is_out(l, &l->known.v[k]))
			rest.v[rest.n++] = l->known.v[k];
	struct err why;
	int w = l->told->done ? live_write(&l->t.dir, &rest, &why) : 0;
	if (r == 0 && w < 0) {
		*e = why;
		r = w;
	}
	return r;
}

static int change(int root, const char *id, const char *file, const char *verb, int (*act)(struct live *, struct err *),
		  struct err *e)
{
	struct live l live_auto = LIVE_NONE;
	int r = look(&l, root, id, file, e);
	if (r == 0)
		r = act(&l, e);
	return r < 0 ? err_at(e, r, "mounts %s %s", verb, id) : 0;
}

int container_mounts_add(int root, const char *id, const char *file, struct err *e)
{
	return change(root, id, file, "add", add, e);
}

int container_mounts_remove(int root, const char *id, const char *file, struct err *e)
{
	return change(root, id, file, "remove", remove_listed, e);
}
