/* SPDX-License-Identifier: Apache-2.0 */
/* See rootfs.h. */
#include "ns/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>

#include "util/fd.h"
#include "util/mountinfo.h"
#include "util/sys.h"

int rootfs_attach(int tree, const char *where, struct err *e)
{
	if (move_mount(tree, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "root.path: attach");
	int fd = open(where, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "root.path") : fd;
}

int rootfs_pivot(int root, struct err *e)
{
	/* pivot_root(2), NOTES: the old root is stacked below the new one at ".", so no put_old directory is needed. */
	if (fchdir(root) < 0 || sys_pivot_root(".", ".") < 0)
		return err_sys(e, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "detach the old root");
	return chdir("/") < 0 ? err_sys(e, "root.path") : 0;
}

/* ---- without pivot_root, the old root stays below ---- */

/*
 * Takes one procfs or sysfs of the old root away. In a user namespace it may be locked to its place: there it is
 * covered. mount_namespaces(7), "Restrictions on mount namespaces".
 */
static int hide_bare(const char *path, struct err *e)
{
	struct statfs fs;
	if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL && errno != EPERM && errno != ENOENT)
		return err_sys(e, "old root: %s", path);
	if (statfs(path, &fs) < 0 || (fs.f_type != PROC_SUPER_MAGIC && fs.f_type != SYSFS_MAGIC))
		return 0;
	if (mount("none", path, "tmpfs", MS_RDONLY, "nr_inodes=2,mode=0") < 0)
		return err_sys(e, "old root: cover %s", path);
	return 0;
}

/*
 * A full procfs or sysfs anywhere in the namespace lets a process of the container that makes a user namespace mount
 * another one, without the masks of this one. user_namespaces(7). Runs when the container's tree already lies over "/",
 * and paths still count from what is below.
 */
static int hide_all_bare(struct err *e)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	if (!f)
		return err_sys(e, "old root: mountinfo");
	static char line[8192];
	struct mountinfo_line m;
	int r = 0;
	while (r == 0 && fgets(line, sizeof(line), f))
		if (mountinfo_cut(line, &m) && (strcmp(m.type, "proc") == 0 || strcmp(m.type, "sysfs") == 0))
			r = hide_bare(m.point, e);
	fclose(f);
	return r;
}

int rootfs_move(int root, struct err *e)
{
	if (fchdir(root) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return err_sys(e, "move the root");
	int r = hide_all_bare(e);
	if (r < 0)
		return r;
	if (chroot(".") < 0 || chdir("/") < 0)
		return err_sys(e, "chroot");
	return 0;
}

int rootfs_chroot(int root, struct err *e)
{
	if (fchdir(root) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_sys(e, "chroot");
	return 0;
}

int rootfs_readonly(int root, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	if (mount_setattr(root, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "root.readonly");
	return 0;
}
