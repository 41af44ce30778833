/* SPDX-License-Identifier: Apache-2.0 */
/* See group.h. */
#include "cgroup/group.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/attr.h"
#include "cgroup/events.h"
#include "cgroup/remove.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

enum { MKDIR_ROUNDS = 16, OPEN_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW };

static int open_path(const struct cgroup_tree *tree, const char *path, bool is_chosen)
{
	/* A name of our own choice has no component that anybody else controls. */
	if (!is_chosen)
		return path_open(tree->fd, path, PATH_BENEATH, OPEN_FLAGS, 0);
	int fd = openat(tree->fd, path, OPEN_FLAGS | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* An existing group must be empty and not frozen. */
static int check_existing(int fd, const char *path, struct err *e)
{
	struct cgroup_events ev;
	int r = cgroup_events_read(fd, &ev);
	if (r < 0)
		return err_ret(e, r, "cgroup /%s: cgroup.events", path);
	if (ev.is_populated)
		return err_new(e, EBUSY, "cgroup /%s: exists already and holds processes", path);
	if (ev.is_frozen)
		return err_new(e, EBUSY, "cgroup /%s: exists already and is frozen", path);
	return 0;
}

/* The length of the longest part of `path` that exists. */
static int find_existing(const struct cgroup_tree *tree, const char *path, size_t *ret_len, struct err *e)
{
	char part[PATH_MAX];
	snprintf(part, sizeof(part), "%s", path);
	for (;;) {
		fd_auto int fd = open_path(tree, part, false);
		if (fd < 0 && fd != -ENOENT)
			return err_ret(e, fd_take(&fd), "cgroup /%s", part);
		*ret_len = strlen(part);
		if (fd >= 0)
			return *ret_len == strlen(path) ? check_existing(fd, path, e) : 0;
		char *slash = strrchr(part, '/');
		if (!slash) {
			*ret_len = 0;
			return 0;
		}
		*slash = '\0';
	}
}

int cgroup_prepare(const struct cgroup_tree *tree, const struct cgroup_place *place, const struct cgroup_need *need,
		   struct cgroup_group *ret_group, struct err *e)
{
	struct cgroup_group g = {
		.path = place->path, .keep_len = place->base_len, .base_len = place->base_len,
		.is_chosen = place->is_chosen, .fd = -1,
	};
	int r = cgroup_need_check(tree, need, e);
	if (r == 0 && !place->is_chosen)
		r = find_existing(tree, place->path, &g.keep_len, e);
	if (r == 0)
		*ret_group = g;
	return r;
}

static int explain_mkdir(int r, const struct cgroup_tree *tree, const char *path, struct err *e)
{
	if (r == -EACCES || r == -EPERM)
		return err_ret(e, r, "cgroup /%s: mkdir in %s (run kist in a delegated group: systemd-run --user "
			       "--scope -p Delegate=yes)", path, tree->path);
	if (r == -EROFS)
		return err_ret(e, r, "cgroup /%s: mkdir: %s is mounted read-only", path, tree->path);
	if (r == -EAGAIN)
		return err_ret(e, r, "cgroup /%s: mkdir: cgroup.max.descendants or cgroup.max.depth of a group above "
			       "is reached", path);
	return err_ret(e, r, "cgroup /%s: mkdir in %s", path, tree->path);
}

/* Makes the missing groups of `path`, except for the last. */
static int make_parents(const struct cgroup_tree *tree, const char *path, size_t keep_len)
{
	char part[PATH_MAX];
	for (const char *slash = strchr(path + keep_len + (keep_len > 0), '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdirat(tree->fd, part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/*
 * Makes the leaf. Another kist may remove an empty group above between our two calls: then they are made
 * again. 1: it was there before.
 */
static int make_leaf(const struct cgroup_tree *tree, const struct cgroup_group *group)
{
	int r = 0;
	for (int round = 0; round < MKDIR_ROUNDS; round++) {
		if (mkdirat(tree->fd, group->path, 0755) == 0)
			return 0;
		if (errno == EEXIST)
			return 1;
		if (errno != ENOENT)
			return -errno;
		r = make_parents(tree, group->path, group->keep_len);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return r < 0 ? r : -ENOENT;
}

int cgroup_create(const struct cgroup_tree *tree, struct cgroup_group *group, const struct cgroup_need *need,
		  struct err *e)
{
	int made = make_leaf(tree, group);
	if (made < 0) {
		cgroup_remove_parents(tree, group->path, group->keep_len);
		return explain_mkdir(made, tree, group->path, e);
	}
	fd_auto int fd = open_path(tree, group->path, group->is_chosen);
	int r = fd < 0 ? err_ret(e, fd, "cgroup /%s", group->path) : 0;
	if (r == 0 && made == 1)
		r = check_existing(fd, group->path, e);
	if (r == 0 && need->n > 0) {
		free_auto char *base = group->base_len ? mem_fmt("%.*s", (int)group->base_len, group->path) : NULL;
		r = cgroup_need_enable(tree, group->path, base, need, e);
	}
	if (r < 0) {
		struct err ignored;
		if (made == 0)
			cgroup_remove(tree, group->path, group->keep_len, 0, &ignored);
		return r;
	}
	group->is_fresh = made == 0;
	group->fd = fd_take(&fd);
	return 0;
}

int cgroup_open(const struct cgroup_tree *tree, const char *path, struct err *e)
{
	if (!cgroup_path_is_sound(path))
		return err_new(e, EINVAL, "cgroup \"/%s\": not a path that kist makes", path);
	int fd = open_path(tree, path, false);
	if (fd == -ENOENT)
		return err_new(e, ENOENT, "cgroup /%s: has been removed", path);
	return fd < 0 ? err_ret(e, fd, "cgroup /%s", path) : fd;
}

int cgroup_of_pid(pid_t pid, struct arena *a, const char **ret_path, struct err *e)
{
	char file[64], text[2 * PATH_MAX];
	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	int r = attr_read(AT_FDCWD, file, text, sizeof(text));
	if (r < 0)
		return err_ret(e, r, "%s", file);
	char *path = cgroup_own_parse(a, text);
	if (!path || path[0] != '/')
		return err_new(e, ENODEV, "%s: names no group of cgroup v2", file);
	*ret_path = path;
	return 0;
}

int cgroup_chown(int group_fd, uid_t uid, gid_t gid, struct err *e)
{
	char list[ATTR_MAX];
	/* Before Linux 4.15 the kernel does not tell; these three it has always had. */
	if (attr_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", list, sizeof(list)) < 0)
		snprintf(list, sizeof(list), "cgroup.procs\ncgroup.subtree_control\ncgroup.threads");
	if (fchownat(group_fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cgroup: giving the directory to user %u", uid);
	char *save = NULL;
	for (char *name = strtok_r(list, "\n", &save); name; name = strtok_r(NULL, "\n", &save))
		if (!strchr(name, '/') && fchownat(group_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != ENOENT)
			return err_sys(e, "cgroup: giving %s to user %u", name, uid);
	return 0;
}

void cgroup_group_done(struct cgroup_group *group)
{
	fd_drop(&group->fd);
}
