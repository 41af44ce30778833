/* SPDX-License-Identifier: Apache-2.0 */
/* See meta.h. Sources: chown(2) (clears set-user-ID and capabilities), xattr(7), utimensat(2). */
#include "image/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/proc.h"

/* xattr(7): what programs with CAP_SYS_ADMIN of the host keep for themselves. */
static bool is_trusted(const char *name)
{
	return strncmp(name, "trusted.", 8) == 0;
}

bool meta_xattr_is_kept(const char *name)
{
	static const char *const kept[] = {
		"security.capability",
		"system.posix_acl_access",
		"system.posix_acl_default",
	};
	if (strstr(name, ".overlay."))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (strcmp(name, kept[i]) == 0)
			return true;
	return strncmp(name, "user.", 5) == 0 || is_trusted(name);
}

/*
 * What this file system or this user cannot hold is said, and left out; a file capability is not to be lost
 * so.
 */
static int xattr_failed(const struct tar_entry *en, const struct tar_xattr *x, struct err *e)
{
	bool is_optional = strcmp(x->name, "security.capability") != 0;
	if (is_optional && (errno == ENOTSUP || errno == EPERM)) {
		log_warn("entry \"%.200s\": xattr %s left out: %s", en->path, x->name, strerror(errno));
		return 0;
	}
	return err_sys(e, "xattr %s", x->name);
}

/*
 * `path` is /proc/self/fd/N of an O_PATH descriptor, which stands for the file itself, symlinks too; NULL:
 * `fd` is open.
 */
static int set_xattrs(int fd, const char *path, const struct tar_entry *en, struct err *e)
{
	for (size_t i = 0; i < en->xattr_count; i++) {
		const struct tar_xattr *x = &en->xattrs[i];
		/* An image is a stranger's word: it tells programs of the host nothing. */
		if (!meta_xattr_is_kept(x->name) || is_trusted(x->name))
			continue;
		int r = path ? setxattr(path, x->name, x->value, x->len, 0) :
			       fsetxattr(fd, x->name, x->value, x->len, 0);
		if (r < 0 && (r = xattr_failed(en, x, e)) < 0)
			return r;
	}
	return 0;
}

/* user_namespaces(7): an id that the namespace does not have. */
static int owner_failed(const struct tar_entry *en, struct err *e)
{
	if (errno == EINVAL && proc_is_in_userns())
		return err_new(e, EINVAL, "owner %u:%u: not among the ids that kist has for you: /etc/subuid and /etc/subgid "
			       "give a user more, through newuidmap of the package uidmap", en->uid, en->gid);
	return err_sys(e, "owner %u:%u", en->uid, en->gid);
}

int meta_file(int fd, const struct tar_entry *en, const struct meta_owner *own, struct err *e)
{
	if ((en->uid != own->uid || en->gid != own->gid) && fchown(fd, en->uid, en->gid) < 0)
		return owner_failed(en, e);
	if ((en->mode & 07000) && fchmod(fd, en->mode) < 0)
		return err_sys(e, "mode %o", en->mode);
	int r = set_xattrs(fd, NULL, en, e);
	if (r < 0)
		return r;
	struct timespec times[2] = { en->mtime, en->mtime };
	return futimens(fd, times) < 0 ? err_sys(e, "time") : 0;
}

bool meta_dir_needs(const struct tar_entry *en, const struct meta_owner *own)
{
	return en->uid != own->uid || en->gid != own->gid || en->xattr_count;
}

static bool is_of_type(enum tar_type type, const struct stat *st)
{
	static const mode_t kinds[] = {
		[TAR_DIR] = S_IFDIR, [TAR_SYMLINK] = S_IFLNK, [TAR_CHAR] = S_IFCHR, [TAR_BLOCK] = S_IFBLK, [TAR_FIFO] = S_IFIFO,
	};
	return (st->st_mode & S_IFMT) == kinds[type] && (type == TAR_DIR || st->st_nlink == 1);
}

int meta_node(int parent, const char *name, const struct tar_entry *en, struct err *e)
{
	fd_auto int fd = path_open(parent, name, PATH_BENEATH, O_PATH | O_NOFOLLOW, 0);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? err_ret(e, fd, "open") : err_sys(e, "stat");
	/* It was made a moment ago: if it is something else, or has another name, somebody works against us. */
	if (!is_of_type(en->type, &st))
		return err_new(e, EBUSY, "was replaced by somebody else while it was made");
	if (fchownat(fd, "", en->uid, en->gid, AT_EMPTY_PATH) < 0)
		return owner_failed(en, e);
	char path[32];
	fd_path(fd, path);
	bool is_plain = en->type != TAR_SYMLINK && en->type != TAR_DIR;
	if (is_plain && fchmodat(AT_FDCWD, path, en->mode, 0) < 0)
		return err_sys(e, "mode %o", en->mode);
	int r = set_xattrs(-1, path, en, e);
	if (r < 0 || en->type == TAR_DIR)
		return r;
	struct timespec times[2] = { en->mtime, en->mtime };
	return utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? err_sys(e, "time") : 0;
}
