/* SPDX-License-Identifier: Apache-2.0 */
/* See path.h. Source of the rules: openat2(2). */
#include "util/path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/sys.h"
#include "util/walk.h"

static bool is_walk;

static const uint64_t rule_bits[] = {
	[PATH_IN_ROOT] = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	[PATH_BENEATH] = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
};

void path_use_walk(bool on)
{
	is_walk = on;
}

int path_open(int root, const char *path, enum path_rule rule, int flags, mode_t mode)
{
	if (rule == PATH_BENEATH)
		while (*path == '/')
			path++;
	if (!*path)
		path = ".";
	if (!(flags & (O_CREAT | __O_TMPFILE)))
		mode = 0;
	for (int tries = 0; !is_walk; tries++) {
		int fd = sys_openat2(root, path, (uint64_t)(flags | O_CLOEXEC), mode, rule_bits[rule]);
		if (fd >= 0)
			return fd;
		/* openat2(2): EAGAIN when a rename raced with "..": ask again; the walk cannot be raced. */
		if (errno == EAGAIN && tries < 32)
			continue;
		if (errno != ENOSYS && errno != EPERM && errno != EAGAIN)
			return -errno;
		break;
	}
	return walk_open(root, path, rule == PATH_BENEATH, flags | O_CLOEXEC, mode);
}

int path_open_parent(int root, const char *path, enum path_rule rule, bool make, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	char dir[PATH_MAX];
	size_t len = slash ? (size_t)(slash - path) : 0;
	if (len >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, len);
	dir[len] = '\0';
	int fd = path_open(root, dir, rule, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOENT && make)
		fd = path_make_dirs(root, dir, 0755);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}

/* ".." across directories that do not exist yet has no meaning that all tools share. */
static bool has_dotdot(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '/' || !p[2]))
			return true;
	return false;
}

int path_make_dirs(int root, const char *path, mode_t mode)
{
	int fd = path_open(root, path, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	if (fd != -ENOENT)
		return fd;
	size_t len = strlen(path);
	while (len && path[len - 1] == '/')
		len--;
	char part[PATH_MAX];
	if (len == 0 || len >= sizeof(part))
		return len ? -ENAMETOOLONG : -ENOENT;
	memcpy(part, path, len);
	part[len] = '\0';
	if (has_dotdot(part))
		return -EINVAL;
	char *slash = strrchr(part, '/');
	const char *name = slash ? slash + 1 : part;
	if (slash)
		*slash = '\0';
	fd_auto int up = path_make_dirs(root, slash ? part : "", mode);
	if (up < 0)
		return fd_take(&up);
	if (strcmp(name, ".") != 0 && mkdirat(up, name, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = path_open(root, path, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	/* There, and yet not there: a symlink to what does not exist. */
	return fd == -ENOENT ? walk_make(root, path, true, mode) : fd;
}

int path_make_target(int root, const char *path, bool is_dir)
{
	if (is_dir)
		return path_make_dirs(root, path, 0755);
	struct stat st;
	int fd = path_open(root, path, PATH_IN_ROOT, O_PATH, 0);
	if (fd == -ENOENT) {
		const char *name;
		fd_auto int up = path_open_parent(root, path, PATH_IN_ROOT, true, &name);
		if (up < 0)
			return fd_take(&up);
		if (mknodat(up, name, S_IFREG | 0644, 0) < 0 && errno != EEXIST)
			return -errno;
		fd = sys_openat2(up, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
		if (fd < 0 && errno == ENOSYS)
			fd = openat(up, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		/* The image's /etc/resolv.conf is often a link to what only a running system has. */
		if (fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
			fd_close(fd);
			fd = walk_make(root, path, false, 0755);
		}
	}
	if (fd < 0)
		return fd;
	int r = fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : 0;
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	return fd;
}
