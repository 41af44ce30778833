/* SPDX-License-Identifier: Apache-2.0 */
/* See erofsmount.h. Sources: fsopen(2); the kernel's Documentation/filesystems/erofs.rst. */
#include "image/erofsmount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
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
