/* SPDX-License-Identifier: Apache-2.0 */
/* See dev.h. */
#include "ns/dev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "ns/mount.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/sys.h"

enum { DEVPTS_MAGIC = 0x1cd1 };  /* linux/magic.h DEVPTS_SUPER_MAGIC */

const struct dev_node dev_defaults[] = {
	{ "/dev/null",    "default device", S_IFCHR | 0666, 1, 3, 0, 0, -1 },
	{ "/dev/zero",    "default device", S_IFCHR | 0666, 1, 5, 0, 0, -1 },
	{ "/dev/full",    "default device", S_IFCHR | 0666, 1, 7, 0, 0, -1 },
	{ "/dev/random",  "default device", S_IFCHR | 0666, 1, 8, 0, 0, -1 },
	{ "/dev/urandom", "default device", S_IFCHR | 0666, 1, 9, 0, 0, -1 },
	{ "/dev/tty",     "default device", S_IFCHR | 0666, 5, 0, 0, 0, -1 },
};

const size_t dev_defaults_count = ARRAY_LEN(dev_defaults);

static bool is_same(const struct stat *st, const struct dev_node *node)
{
	if ((st->st_mode & S_IFMT) != (node->mode & S_IFMT))
		return false;
	return S_ISFIFO(st->st_mode) || st->st_rdev == makedev(node->major, node->minor);
}

/*
 * The file on which the host's node is bound: one that is there already must be that device, or the empty file that an
 * earlier container has left; a symlink is neither.
 */
static int open_place(int root, const struct dev_node *node, struct err *e)
{
	const char *name;
	fd_leave_auto int dir = path_open_parent(root, node->path, PATH_IN_ROOT, true, &name);
	if (dir < 0)
		return err_ret(e, dir, "%s %s", node->where, node->path);
	int made = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (made >= 0)
		return made;
	fd_leave_auto int fd = errno == EEXIST ? openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s %s", node->where, node->path);
	if (!is_same(&st, node) && !(S_ISREG(st.st_mode) && st.st_size == 0))
		return err_new(e, EEXIST, "%s %s: a file that is not this device is already there", node->where,
			       node->path);
	return fd_take(&fd);
}

/* Attaches the host's node on an empty file. In a user namespace nobody may make a device: mknod(2), EPERM. */
static int attach_host(int root, const struct dev_node *node, struct err *e)
{
	fd_leave_auto int target = open_place(root, node, e);
	if (target < 0)
		return fd_take(&target);
	int r = mount_attach(node->host_tree, target, e);
	return r < 0 ? err_at(e, r, "%s %s", node->where, node->path) : 0;
}

/* What exists must be the device that is asked for. */
static int check_existing(int dir, const char *name, const struct dev_node *node, struct err *e)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s %s", node->where, node->path);
	if (!is_same(&st, node))
		return err_new(e, EEXIST, "%s %s: a file that is not this device is already there", node->where,
			       node->path);
	return 0;
}

static int make_in(int dir, const char *name, const struct dev_node *node, struct err *e)
{
	if (mknodat(dir, name, node->mode, makedev(node->major, node->minor)) < 0)
		return errno == EEXIST ? check_existing(dir, name, node, e)
				       : err_sys(e, "%s %s", node->where, node->path);
	/* Umask is 0 while the child builds the tree, so the mode needs no second call. */
	if ((node->uid || node->gid) && fchownat(dir, name, node->uid, node->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s %s: owner", node->where, node->path);
	return 0;
}

static bool is_in_dev(const char *path)
{
	return strncmp(path, "/dev/", 5) == 0 && !strchr(path + 5, '/');
}

int dev_make(int root, const struct dev_node *nodes, size_t count, struct err *e)
{
	/* Nearly all nodes lie in /dev itself: it is opened once. */
	fd_leave_auto int dev = -1;
	for (size_t i = 0; i < count; i++) {
		const struct dev_node *n = &nodes[i];
		const char *name = n->path + 5;
		fd_leave_auto int other = -1;
		int dir = -1, r = 0;
		if (n->host_tree < 0 && is_in_dev(n->path))
			dir = dev = dev >= 0 ? dev : path_make_dirs(root, "/dev", 0755);
		else if (n->host_tree < 0)
			dir = other = path_open_parent(root, n->path, PATH_IN_ROOT, true, &name);
		if (n->host_tree < 0 && dir < 0)
			return err_ret(e, dir, "%s %s", n->where, n->path);
		r = n->host_tree < 0 ? make_in(dir, name, n, e) : attach_host(root, n, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct dev_link {
	const char *name, *target;
	bool needs_pts;
} links[] = {
	{ "fd",     "/proc/self/fd",   false },
	{ "stdin",  "/proc/self/fd/0", false },
	{ "stdout", "/proc/self/fd/1", false },
	{ "stderr", "/proc/self/fd/2", false },
	{ "core",   "/proc/kcore",     false },
	{ "ptmx",   "pts/ptmx",        true  },
};

int dev_links(int root, bool has_pts, struct err *e)
{
	fd_leave_auto int dir = path_make_dirs(root, "/dev", 0755);
	if (dir < 0)
		return err_ret(e, dir, "/dev");
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		if (links[i].needs_pts && !has_pts)
			continue;
		if (symlinkat(links[i].target, dir, links[i].name) < 0 && errno != EEXIST)
			return err_sys(e, "/dev/%s", links[i].name);
	}
	return 0;
}

int dev_console(int root, int slave, struct err *e)
{
	fd_auto int tree = mount_clone(slave, "", false, false, e);
	if (tree < 0)
		return err_at(e, tree, "/dev/console");
	fd_leave_auto int target = path_make_target(root, "/dev/console", false);
	if (target < 0)
		return err_ret(e, target, "/dev/console");
	int r = mount_attach(tree, target, e);
	return r < 0 ? err_at(e, r, "/dev/console") : 0;
}

int dev_terminal(int root, int *ret_master, int *ret_slave, struct err *e)
{
	fd_auto int master = path_open(root, "/dev/pts/ptmx", PATH_IN_ROOT, O_RDWR | O_NOCTTY, 0);
	if (master < 0)
		return err_ret(e, master, "/dev/pts/ptmx: a terminal needs a devpts mount");
	struct statfs fs;
	struct stat st;
	if (fstatfs(master, &fs) < 0 || fstat(master, &st) < 0)
		return err_sys(e, "/dev/pts/ptmx");
	if ((unsigned long)fs.f_type != DEVPTS_MAGIC || st.st_rdev != makedev(5, 2))
		return err_new(e, EPERM, "/dev/pts/ptmx: not a terminal multiplexer");
	int unlock = 0;
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "terminal: unlock");
	fd_auto int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_sys(e, "terminal: open its other end");
	*ret_master = fd_take(&master);
	*ret_slave = fd_take(&slave);
	return 0;
}
