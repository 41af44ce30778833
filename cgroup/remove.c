/* SPDX-License-Identifier: Apache-2.0 */
/* See remove.h. */
#include "cgroup/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/kill.h"
#include "cgroup/pids.h"
#include "cgroup/place.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

enum { RESTARTS_MAX = 100 };

static bool is_gone(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

/*
 * Removes the sub-groups of `dir` that can be removed. Returns the number it saw; `ret_busy` is the name of
 * one that was not to be removed, or "".
 */
static int sweep(int dir, char ret_busy[static NAME_MAX + 1])
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		int r = -errno;
		fd_close(fd);
		return r;
	}
	int seen = 0;
	ret_busy[0] = '\0';
	for (struct dirent *de; (de = readdir(d));) {
		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			continue;
		seen++;
		if (unlinkat(fd, de->d_name, AT_REMOVEDIR) < 0 && !is_gone(-errno))
			snprintf(ret_busy, NAME_MAX + 1, "%s", de->d_name);
	}
	closedir(d);
	return seen;
}

/*
 * Removes all groups below `group_fd`. Walks with two descriptors whatever the depth, because a container may
 * nest its groups deeper than our limit of open files. -EBUSY: a group without sub-groups does not go.
 */
static int remove_below(int group_fd)
{
	fd_auto int at = openat(group_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool is_down = false;
	for (int depth = 0, restarts = 0; at >= 0 && restarts < RESTARTS_MAX;) {
		char busy[NAME_MAX + 1];
		int seen = sweep(at, busy);
		if (seen < 0 && !is_gone(seen))
			return seen;
		/* We went down because it was busy; without sub-groups, it is processes that keep it. */
		if (seen == 0 && is_down)
			return -EBUSY;
		is_down = seen > 0 && busy[0];
		if (!is_down && depth == 0)
			return 0;
		int next = openat(at, is_down ? busy : "..", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		depth += is_down ? 1 : -1;
		if (next < 0 && is_gone(-errno)) {
			/* Somebody else removes here too. */
			next = openat(group_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
			is_down = false;
			depth = 0;
			restarts++;
		}
		fd_drop(&at);
		at = next;
	}
	return at < 0 ? -errno : -EBUSY;
}

/* Words for what is left: "processes 12 15 ...". */
static int tell_left(int group_fd, const char *path, struct err *e)
{
	free_auto pid_t *pids = NULL;
	str_auto struct str s = STR_MAX(200);
	size_t n = 0;
	if (cgroup_pids(group_fd, true, &pids, &n) == 0)
		for (size_t i = 0; i < n && i < 16; i++)
			str_fmt(&s, " %d", (int)pids[i]);
	if (n == 0)
		return err_new(e, EBUSY, "cgroup /%s: still busy, though no process of ours shows in it", path);
	return err_new(e, EBUSY, "cgroup /%s: still holds %zu process%s:%s%s", path, n, n == 1 ? "" : "es", s.p,
		       n > 16 ? " ..." : "");
}

/* The long way, when the group is not empty yet. */
static int remove_busy(const struct cgroup_tree *tree, const char *path, bool is_self, int timeout_ms, struct err *e)
{
	fd_auto int fd = path_open(tree->fd, path, PATH_BENEATH, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return is_gone(fd) ? 0 : err_ret(e, fd, "cgroup /%s", path);
	int r = cgroup_wait_empty(fd, timeout_ms);
	if (r == -ETIMEDOUT)
		return tell_left(fd, path, e);
	if (r < 0)
		return err_ret(e, r, "cgroup /%s: waiting for its processes", path);
	r = remove_below(fd);
	if (r == 0 && is_self && unlinkat(tree->fd, path, AT_REMOVEDIR) < 0)
		r = -errno;
	if (r == -EBUSY || r == -ENOTEMPTY)
		return tell_left(fd, path, e);
	return r == 0 || is_gone(r) ? 0 : err_ret(e, r, "cgroup /%s: rmdir", path);
}

void cgroup_remove_parents(const struct cgroup_tree *tree, const char *path, size_t keep_len)
{
	char up[PATH_MAX];
	snprintf(up, sizeof(up), "%s", path);
	for (char *slash; (slash = strrchr(up, '/')) && (size_t)(slash - up) > keep_len;) {
		*slash = '\0';
		if (unlinkat(tree->fd, up, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return;
	}
}

int cgroup_remove(const struct cgroup_tree *tree, const char *path, size_t keep_len, int timeout_ms, struct err *e)
{
	bool is_self = strlen(path) > keep_len;
	if (!cgroup_path_is_sound(path))
		return err_new(e, EINVAL, "cgroup \"/%s\": not a path that kist makes", path);
	if (!is_self || (unlinkat(tree->fd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)) {
		int r = remove_busy(tree, path, is_self, timeout_ms, e);
		if (r < 0)
			return r;
	}
	cgroup_remove_parents(tree, path, keep_len);
	return 0;
}
