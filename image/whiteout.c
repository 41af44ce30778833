/* SPDX-License-Identifier: Apache-2.0 */
/* See whiteout.h. */
#include "image/whiteout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/path.h"

enum whiteout_kind whiteout_kind(const char *name, const char **ret_target)
{
	if (strncmp(name, ".wh.", 4) != 0)
		return WHITEOUT_NONE;
	const char *target = name + 4;
	*ret_target = target;
	if (strcmp(target, ".wh..opq") == 0)
		return WHITEOUT_OPAQUE;
	if (strncmp(target, ".wh.", 4) == 0)
		return WHITEOUT_IGNORED;
	bool is_bad = !*target || strcmp(target, ".") == 0 || strcmp(target, "..") == 0;
	return is_bad ? WHITEOUT_BAD : WHITEOUT_FILE;
}

bool whiteout_is(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* The path of an O_PATH descriptor, or of a name below it, for the calls that take no descriptor. */
static void proc_path(int fd, const char *name, char *out, size_t size)
{
	snprintf(out, size, "/proc/self/fd/%d%s%s", fd, name ? "/" : "", name ? name : "");
}

/*
 * trusted.* needs CAP_SYS_ADMIN in the first user namespace; overlayfs with "userxattr" reads user.* instead.
 */
static const char *const opaque_names[] = { "trusted.overlay.opaque", "user.overlay.opaque" };

int opaque_set(int parent, const char *name, struct err *e)
{
	char path[NAME_MAX + 64];
	proc_path(parent, name, path, sizeof(path));
	int r = -1;
	for (int i = 0; i < 2 && r < 0; i++) {
		r = name ? lsetxattr(path, opaque_names[i], "y", 1, 0) :
			   setxattr(path, opaque_names[i], "y", 1, 0);
		if (r < 0 && errno != EPERM)
			break;
	}
	return r < 0 ? err_sys(e, "make opaque") : 0;
}

static bool is_opaque(int dir)
{
	char path[64], value[8];
	proc_path(dir, NULL, path, sizeof(path));
	return getxattr(path, opaque_names[0], value, sizeof(value)) > 0 ||
	       getxattr(path, opaque_names[1], value, sizeof(value)) > 0;
}

int whiteout_make(int parent, const char *name, bool is_hidden, struct err *e)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISDIR(st.st_mode) ? opaque_set(parent, name, e) : 0;
	if (errno != ENOENT)
		return err_sys(e, "whiteout");
	if (is_hidden || is_opaque(parent))
		return 0;
	return mknodat(parent, name, S_IFCHR, makedev(0, 0)) < 0 ? err_sys(e, "whiteout") : 0;
}

int whiteout_sweep(int dir, struct err *e)
{
	int list = path_open(dir, ".", PATH_BENEATH, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = list < 0 ? NULL : fdopendir(list);
	if (!d) {
		fd_close(list);
		return err_ret(e, list < 0 ? list : -ENOMEM, "list");
	}
	struct stat st;
	int r = 0;
	for (struct dirent *de; (de = fd_next(d, &r));)
		if (de->d_type == DT_CHR && fstatat(dir, de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    whiteout_is(&st))
			unlinkat(dir, de->d_name, 0);
	closedir(d);
	return r < 0 ? err_ret(e, r, "list") : 0;
}
