/* SPDX-License-Identifier: Apache-2.0 */
/* See tree.h. */
#include "cgroup/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/mountinfo.h"
#include "util/proc.h"

enum { PROC_TEXT_MAX = 1 << 20 };

/* Opens `path` if a cgroup2 file system is mounted there. -ENODEV: something else is. */
static int open_at(const char *path)
{
	fd_auto int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == CGROUP2_SUPER_MAGIC ? fd_take(&fd) : -ENODEV;
}

char *cgroup_tree_parse(struct arena *a, const char *text)
{
	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		struct mountinfo_line m;
		end = strchrnul(line, '\n');
		if (mountinfo_cut(arena_strn(a, line, (size_t)(end - line)), &m) && strcmp(m.type, "cgroup2") == 0)
			return m.point;
	}
	return NULL;
}

static int open_from_mountinfo(char *path, size_t size)
{
	free_auto char *text = NULL;
	arena_auto struct arena a = { 0 };
	int r = file_read(AT_FDCWD, "/proc/self/mountinfo", 16 * PROC_TEXT_MAX, false, &text, NULL);
	if (r < 0)
		return r;
	const char *found = cgroup_tree_parse(&a, text);
	if (!found || strlen(found) >= size)
		return -ENODEV;
	memcpy(path, found, strlen(found) + 1);
	return open_at(path);
}

int cgroup_tree_open(struct cgroup_tree *ret_tree, struct err *e)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct cgroup_tree t = CGROUP_TREE_NONE;
	for (size_t i = 0; i < ARRAY_LEN(places) && t.fd < 0; i++) {
		t.fd = open_at(places[i]);
		t.is_hybrid = i > 0;
		snprintf(t.path, sizeof(t.path), "%s", places[i]);
	}
	if (t.fd < 0)
		t.fd = open_from_mountinfo(t.path, sizeof(t.path));
	if (t.fd < 0)
		return err_new(e, ENODEV, "cgroup v2 is not mounted (looked at /sys/fs/cgroup, its \"unified\" and "
			       "/proc/self/mountinfo): mount -t cgroup2 none /sys/fs/cgroup");
	*ret_tree = t;
	return 0;
}

void cgroup_tree_done(struct cgroup_tree *tree)
{
	fd_drop(&tree->fd);
}

char *cgroup_own_parse(struct arena *a, const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "0::", 3) == 0)
			return arena_strn(a, line + 3, strcspn(line + 3, "\n"));
	}
	return NULL;
}

static bool has_mark(const char *dir)
{
	static const char *const marks[] = { "user.delegate", "trusted.delegate" };
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		char v[4];
		if (getxattr(dir, marks[i], v, sizeof(v)) == 1 && v[0] == '1')
			return true;
	}
	return false;
}

static bool is_delegated(const char *dir)
{
	struct stat st;
	if (has_mark(dir))
		return true;
	/* For root of the host all of the tree is root's. */
	return (geteuid() != 0 || proc_is_in_userns()) && stat(dir, &st) == 0 && st.st_uid == geteuid();
}

/* The delegated group that `path` is, or whose supervisor leaf it is; NULL. */
static const char *find_base(const struct cgroup_tree *tree, struct arena *a, const char *path)
{
	if (strcmp(path, "/") == 0)
		return NULL;
	const char *name = strrchr(path, '/');
	char *up = arena_strn(a, path, (size_t)(name - path));
	if (strcmp(name + 1, CGROUP_SUPERVISOR) == 0 && *up && is_delegated(arena_fmt(a, "%s%s", tree->path, up)))
		return up;
	return is_delegated(arena_fmt(a, "%s%s", tree->path, path)) ? path : NULL;
}

int cgroup_own_read(const struct cgroup_tree *tree, struct arena *a, struct cgroup_own *ret_own, struct err *e)
{
	char buf[2 * PATH_MAX];
	fd_auto int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : read(fd, buf, sizeof(buf) - 1);
	if (n < 0)
		return err_ret(e, fd < 0 ? (int)n : -errno, "/proc/self/cgroup");
	buf[n] = '\0';
	char *path = cgroup_own_parse(a, buf);
	if (!path || path[0] != '/')
		return err_new(e, ENODEV, "/proc/self/cgroup: names no group of cgroup v2");
	char *gone = strstr(path, " (deleted)");
	if (gone)
		*gone = '\0';
	/* cgroup_namespaces(7): a group above our namespace's root shows as "/..". */
	bool is_outside = strncmp(path, "/..", 3) == 0 && (path[3] == '/' || !path[3]);
	ret_own->path = is_outside ? "" : path;
	ret_own->base = is_outside || gone ? NULL : find_base(tree, a, path);
	return 0;
}
