/* SPDX-License-Identifier: Apache-2.0 */
/* See mask.h. */
#include "ns/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ns/mount.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/sys.h"

/* The two covers. The first use attaches the tree itself, later ones a copy of what is attached. */
struct covers {
	int dir, file;    /* detached, or attached after the first use; -1: not made */
	bool is_dir_used, is_file_used;
	const char *label;
};

static int empty_dir(const char *label, struct err *e)
{
	const struct mount_options o = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		.data = "nr_inodes=1,nr_blocks=1,mode=555", .context = label,
	};
	return mount_new("tmpfs", NULL, &o, e);
}

static int cover(int own_tree, bool *is_used, int target, struct err *e)
{
	if (!*is_used) {
		*is_used = true;
		return mount_attach(own_tree, target, e);
	}
	fd_leave_auto int copy = mount_clone(own_tree, "", false, false, e);
	return copy < 0 ? fd_take(&copy) : mount_attach(copy, target, e);
}

static int mask_one(int root, const char *path, struct covers *c, struct err *e)
{
	fd_leave_auto int target = path_open(root, path, PATH_IN_ROOT, O_PATH, 0);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	struct stat st;
	if (target < 0 || fstat(target, &st) < 0)
		return err_ret(e, target < 0 ? target : -errno, "open");
	if (!S_ISDIR(st.st_mode))
		return cover(c->file, &c->is_file_used, target, e);
	if (c->dir < 0 && (c->dir = empty_dir(c->label, e)) < 0)
		return c->dir;
	return cover(c->dir, &c->is_dir_used, target, e);
}

int mask_paths(int root, const struct strs *paths, int null_tree, const char *label, struct err *e)
{
	struct covers c = { .dir = -1, .file = null_tree, .label = label };
	int r = 0;
	for (size_t i = 0; i < paths->n && r == 0; i++) {
		r = mask_one(root, paths->v[i], &c, e);
		if (r < 0)
			err_at(e, r, "linux.maskedPaths[%zu] %s", i, paths->v[i]);
	}
	return r;
}

static int readonly_one(int root, const char *path, struct err *e)
{
	fd_leave_auto int target = path_open(root, path, PATH_IN_ROOT, O_PATH, 0);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_ret(e, target, "open");
	fd_leave_auto int tree = mount_clone(target, "", true, false, e);
	if (tree < 0)
		return fd_take(&tree);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_sys(e, "read-only");
	return mount_attach(tree, target, e);
}

int mask_readonly(int root, const struct strs *paths, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		int r = readonly_one(root, paths->v[i], e);
		if (r < 0)
			return err_at(e, r, "linux.readonlyPaths[%zu] %s", i, paths->v[i]);
	}
	return 0;
}

int mask_open_null(struct err *e)
{
	fd_auto int tree = mount_clone(AT_FDCWD, "/dev/null", false, true, e);
	struct stat st;
	if (tree < 0)
		return tree;
	if (fstat(tree, &st) < 0)
		return err_sys(e, "/dev/null");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_new(e, EPERM, "/dev/null: not character device 1:3 on this host");
	return fd_take(&tree);
}
