/* SPDX-License-Identifier: Apache-2.0 */
/* See rootfs.h. */
#include "ns/rootfs.h"

#include <errno.h>
#include <fcntl.h>

#include "util/fd.h"
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

int rootfs_move(int root, struct err *e)
{
	if (fchdir(root) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return err_sys(e, "move the root");
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
