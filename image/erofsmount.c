/* SPDX-License-Identifier: Apache-2.0 */
/* See erofsmount.h. Sources: fsopen(2); the kernel's Documentation/filesystems/erofs.rst. */
#include "image/erofsmount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "image/ref.h"
#include "util/fd.h"

int erofs_wish(enum erofs_wish *ret_wish, struct err *e)
{
	const char *text = getenv("KIST_EROFS");
	*ret_wish = EROFS_AUTO;
	if (!text || !*text || !strcmp(text, "auto"))
		return 0;
	if (strcmp(text, "never") != 0 && strcmp(text, "always") != 0)
		return err_new(e, EINVAL, "KIST_EROFS: expected auto, always or never, got \"%.40s\"", text);
	*ret_wish = *text == 'n' ? EROFS_NEVER : EROFS_ALWAYS;
	return 0;
}

/* The kernel says by ENOTBLK that it mounts devices only. */
static int refused(int num, struct err *e)
{
	if (num == EPERM)
		return err_new(e, EPERM, "EROFS: only root of the host may mount it");
	if (num == ENODEV)
		return err_new(e, ENODEV, "EROFS: unknown to this kernel");
	if (num == ENOTBLK)
		return err_new(e, ENOTBLK, "EROFS: this kernel mounts no regular file (Linux 6.12 and later do)");
	errno = num;
	return err_sys(e, "EROFS");
}

int erofs_mount(int file, struct err *e)
{
	char path[32];
	fd_auto int fs = fsopen("erofs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "source", fd_path(file, path), 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return refused(errno, e);
	int mnt = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	return mnt < 0 ? refused(errno, e) : mnt;
}

/* Finds an offer. Returns the number of the descriptor, 0: there is none. */
static int find_offer(int meet, pid_t *ret_pid)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(meet, F_GETLK, &l) < 0 || l.l_type == F_UNLCK || l.l_pid <= 0 || l.l_start > INT_MAX)
		return 0;
	*ret_pid = l.l_pid;
	return (int)l.l_start;
}

/* Who offers may be gone, and its number somebody else's: the offer must be there still when the mount is copied. */
static int copy_offer(int meet)
{
	pid_t pid, again;
	char path[64];
	struct statfs fs;
	int mnt = find_offer(meet, &pid);
	if (!mnt)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, mnt);
	fd_auto int theirs = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (theirs < 0 || fstatfs(theirs, &fs) < 0 || fs.f_type != EROFS_SUPER_MAGIC_V1)
		return -ENOENT;
	fd_auto int copy = open_tree(theirs, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (copy < 0)
		return -errno;
	return find_offer(meet, &again) == mnt && again == pid ? fd_take(&copy) : -ENOENT;
}

int erofs_join(int meet, int file, struct err *e)
{
	int mnt = copy_offer(meet);
	return mnt >= 0 ? mnt : erofs_mount(file, e);
}

void erofs_offer(int meet, int mnt)
{
	struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = mnt, .l_len = 1 };
	/* Without it, the next one mounts the file anew. */
	if (fcntl(meet, F_SETLK, &l) < 0)
		errno = 0;
}

char *erofs_path(const char *digest, char out[static STORE_PATH_MAX])
{
	snprintf(out, STORE_PATH_MAX, "erofs/sha256/%s", digest_hex(digest));
	return out;
}

int erofs_open(const struct store *s, const char *digest)
{
	char path[STORE_PATH_MAX];
	int fd = s->dir < 0 ? -ENOENT :
			      openat(s->dir, erofs_path(digest, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	return fd < 0 && s->dir >= 0 ? -errno : fd;
}

bool erofs_has(const struct store *s, const char *digest)
{
	char path[STORE_PATH_MAX];
	return s->dir >= 0 && faccessat(s->dir, erofs_path(digest, path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int64_t erofs_bytes(const struct store *s, const char *digest)
{
	char path[STORE_PATH_MAX];
	struct stat st;
	bool is_there = s->dir >= 0 && fstatat(s->dir, erofs_path(digest, path), &st, AT_SYMLINK_NOFOLLOW) == 0;
	return is_there ? st.st_size : 0;
}
