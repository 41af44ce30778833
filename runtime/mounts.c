/* SPDX-License-Identifier: Apache-2.0 */
/* See mounts.h. */
#include "runtime/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "ns/mount.h"
#include "ns/tmpcopy.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/sys.h"

/* What lxcfs and the like may put over single files of procfs; anything else there would fool kist or the program. */
static const char *const proc_allowed[] = {
	"/proc", "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
	"/proc/loadavg", "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
};

static int check_proc(int target, const struct plan_mount *m, struct err *e)
{
	struct statfs fs;
	if (fstatfs(target, &fs) < 0)
		return err_sys(e, "statfs");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(proc_allowed); i++)
		if (strcmp(m->destination, proc_allowed[i]) == 0)
			return 0;
	return err_new(e, EPERM, "the destination lies inside of procfs, where nothing else may be mounted");
}

/* proc and sysfs are trusted by the program: their place must be a plain directory, not a symlink of the image. */
static int open_plain(int root, const struct plan_mount *m, struct err *e)
{
	int fd = path_open(root, m->destination, PATH_BENEATH, O_PATH | O_DIRECTORY, 0);
	if (fd == -ELOOP || fd == -ENOTDIR)
		return err_new(e, -fd, "must be a plain directory in the root file system");
	if (fd == -ENOENT || fd == -EXDEV)
		fd = path_make_target(root, m->destination, true);
	return fd < 0 ? err_ret(e, fd, "destination") : fd;
}

static int open_target(int root, const struct plan_mount *m, bool is_file, struct err *e)
{
	if (strcmp(m->type, "proc") == 0 || strcmp(m->type, "sysfs") == 0)
		return open_plain(root, m, e);
	if (m->options.is_dest_nofollow) {
		const char *name;
		fd_auto int up = path_open_parent(root, m->destination, PATH_IN_ROOT, true, &name);
		int fd = up < 0 ? up : openat(up, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_ret(e, up < 0 ? up : -errno, "destination");
		return fd;
	}
	int fd = path_make_target(root, m->destination, !is_file);
	return fd < 0 ? err_ret(e, fd, "destination") : fd;
}

/* A tmpfs gets its mount points and devices before it becomes read-only: mounts_finish. */
static bool is_late_readonly(const struct plan_mount *m)
{
	return m->kind == PLAN_NEW && strcmp(m->type, "tmpfs") == 0 && (m->options.attr_set & MOUNT_ATTR_RDONLY);
}

/* The mode of a directory that is there, or 0. What runc and crun do: a tmpfs is as open as what it covers. */
static unsigned mode_there(int root, const char *path)
{
	fd_leave_auto int fd = path_open(root, path, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	struct stat st;
	return fd < 0 || fstat(fd, &st) < 0 ? 0 : st.st_mode & 07777;
}

static int set_mode(int tree, unsigned mode, struct err *e)
{
	fd_leave_auto int dir = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 || fchmod(dir, mode) < 0 ? err_sys(e, "mode of the file system's root") : 0;
}

/* Where sysfs cannot be mounted anew (a user namespace that does not own its network), the template's serves. */
static int new_tree(const struct plan_mount *m, const char *type, unsigned root_mode, struct err *e)
{
	struct mount_options o = m->options;
	o.root_mode = root_mode;
	if (is_late_readonly(m))
		o.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	int tree = mount_new(type, m->source, &o, e);
	if (tree != -EPERM || strcmp(type, "sysfs") != 0)
		return tree;
	struct err ignored;
	fd_auto int copy = mount_clone(AT_FDCWD, "/sys", true, false, &ignored);
	if (copy < 0)
		return tree;
	int r = mount_attributes(copy, &m->options, &ignored);
	return r < 0 ? tree : fd_take(&copy);
}

/* copy-symlink: a link of the same target; one that is there already will do. */
static int make_link(int root, const struct plan_mount *m, struct err *e)
{
	const char *name;
	fd_auto int up = path_open_parent(root, m->destination, PATH_IN_ROOT, true, &name);
	if (up < 0)
		return err_ret(e, up, "destination");
	if (symlinkat(m->link, up, name) == 0)
		return 0;
	char there[PATH_MAX];
	ssize_t n = errno == EEXIST ? readlinkat(up, name, there, sizeof(there) - 1) : -1;
	if (n < 0)
		return errno == EINVAL ? err_new(e, EEXIST, "destination: a file that is not this symlink is there")
				       : err_sys(e, "destination");
	there[n] = '\0';
	return strcmp(there, m->link) == 0 ? 0 : err_new(e, EEXIST, "destination: a symlink to %s is there", there);
}

int mounts_make_one(const struct plan_mount *m, int *tree_slot, bool is_file, const struct mount_watch *watch, int root,
		    struct err *e)
{
	int own_tree = *tree_slot;
	if (m->link)
		return make_link(root, m, e);
	unsigned root_mode = m->is_mode_kept ? mode_there(root, m->destination) : 0;
	fd_leave_auto int target = open_target(root, m, is_file, e);
	if (target < 0)
		return fd_take(&target);
	int r = check_proc(target, m, e);
	if (r < 0)
		return r;
	if (m->kind == PLAN_REMOUNT) {
		r = mount_reconfigure(target, &m->options, e);
		if (r == 0)
			r = mount_attributes(target, &m->options, e);
		return r < 0 ? r : mount_propagate(target, &m->options, e);
	}
	fd_leave_auto int made = own_tree >= 0 ? -1 : new_tree(m, m->kind == PLAN_CGROUP ? "cgroup2" : m->type, root_mode, e);
	int tree = own_tree >= 0 ? own_tree : made;
	if (made >= 0 && (watch || is_late_readonly(m)))
		*tree_slot = fd_take(&made);
	if (tree < 0)
		return tree;
	if (own_tree >= 0 && m->kind == PLAN_CGROUP)
		r = mount_attributes(tree, &m->options, e);
	if (own_tree >= 0 && root_mode)
		r = set_mode(tree, root_mode, e);
	/* tmpfs with tmpcopyup takes over what it hides, before it hides it. */
	if (r == 0 && m->options.is_tmpcopyup)
		r = tmpcopy(target, tree, e);
	if (r == 0 && watch && (r = watch->made(watch->ctx, tree)) < 0)
		err_ret(e, r, "statx");
	if (r == 0)
		r = mount_attach(tree, target, e);
	if (r == 0 && m->kind != PLAN_BIND && (m->options.rec_set || m->options.rec_clr)) {
		const struct mount_options only = { .rec_set = m->options.rec_set, .rec_clr = m->options.rec_clr };
		r = mount_attributes(tree, &only, e);
	}
	if (r == 0 && m->kind != PLAN_BIND)
		r = mount_propagate(tree, &m->options, e);
	return r;
}

int mounts_make(const struct plan *p, const struct opened *o, int root, struct err *e)
{
	for (size_t i = 0; i < p->mount_count; i++) {
		int r = mounts_make_one(&p->mounts[i], &o->trees[i], o->is_file[i], NULL, root, e);
		if (r < 0)
			return err_at(e, r, "%s", p->mounts[i].where);
	}
	return 0;
}

int mounts_finish(const struct plan *p, const struct opened *o, struct err *e)
{
	static const struct mount_options readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	for (size_t i = 0; i < p->mount_count; i++) {
		int r = is_late_readonly(&p->mounts[i]) ? mount_attributes(o->trees[i], &readonly, e) : 0;
		if (r < 0)
			return err_at(e, r, "%s", p->mounts[i].where);
	}
	return 0;
}

bool mounts_has_pts(const struct plan *p)
{
	for (size_t i = 0; i < p->mount_count; i++)
		if (strcmp(p->mounts[i].destination, "/dev/pts") == 0 && strcmp(p->mounts[i].type, "devpts") == 0)
			return true;
	return false;
}
