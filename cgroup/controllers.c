/* SPDX-License-Identifier: Apache-2.0 */
/* See controllers.h. */
#include "cgroup/controllers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/attr.h"
#include "cgroup/pids.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/num.h"

int cgroup_need_add(struct cgroup_need *need, const char *name, const char *path)
{
	for (size_t i = 0; i < need->n; i++)
		if (strcmp(need->v[i].name, name) == 0)
			return 0;
	if (need->n == CGROUP_NEED_MAX)
		return -E2BIG;
	need->v[need->n++] = (struct cgroup_need_one){ .name = name, .path = path };
	return 0;
}

int cgroup_controllers(const struct cgroup_tree *tree, char *buf, size_t size)
{
	return attr_read(tree->fd, "cgroup.controllers", buf, size);
}

enum whereabouts { IN_NO_KERNEL, SWITCHED_OFF, BOUND_TO_V1, NOT_PASSED_DOWN };

/*
 * Why a controller is not in our tree, by its line in /proc/cgroups: name, hierarchy (0: v2), groups,
 * enabled.
 */
static enum whereabouts find_controller(const char *name)
{
	char buf[2 * ATTR_MAX];
	const char *v1_name = strcmp(name, "io") == 0 ? "blkio" : name;
	size_t len = strlen(v1_name);
	if (attr_read(AT_FDCWD, "/proc/cgroups", buf, sizeof(buf)) < 0)
		return IN_NO_KERNEL;
	for (const char *line = buf; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		uint64_t column[3];   /* hierarchy, groups, enabled */
		if (strncmp(line, v1_name, len) != 0 || line[len] != '\t' ||
		    num_list(line + len, "\t", column, 3) != 3)
			continue;
		if (!column[2])
			return SWITCHED_OFF;
		return column[0] ? BOUND_TO_V1 : NOT_PASSED_DOWN;
	}
	return IN_NO_KERNEL;
}

static int refuse(const struct cgroup_tree *tree, const struct cgroup_need_one *one, struct err *e)
{
	switch (find_controller(one->name)) {
	case BOUND_TO_V1:
		return err_new(e, EOPNOTSUPP, "%s: controller \"%s\" is bound to cgroup v1 on this host: boot with "
			       "cgroup_no_v1=all (or systemd.unified_cgroup_hierarchy=1)", one->path, one->name);
	case SWITCHED_OFF:
		return err_new(e, EOPNOTSUPP, "%s: controller \"%s\" is switched off at boot: remove cgroup_disable=%s "
			       "from the kernel's command line (or add cgroup_enable=%s)", one->path, one->name,
			       one->name, one->name);
	case NOT_PASSED_DOWN:
		return err_new(e, EOPNOTSUPP, "%s: controller \"%s\" is not passed down to %s: enable it in "
			       "cgroup.subtree_control of the groups above (systemd: Delegate=yes)", one->path,
			       one->name, tree->path);
	case IN_NO_KERNEL:
		break;
	}
	return err_new(e, EOPNOTSUPP, "%s: this kernel has no cgroup v2 controller \"%s\"", one->path, one->name);
}

int cgroup_need_check(const struct cgroup_tree *tree, const struct cgroup_need *need, struct err *e)
{
	char have[ATTR_MAX];
	if (need->n == 0)
		return 0;
	int r = cgroup_controllers(tree, have, sizeof(have));
	if (r < 0)
		return err_ret(e, r, "%s/cgroup.controllers", tree->path);
	for (size_t i = 0; i < need->n; i++)
		if (!attr_has_word(have, need->v[i].name))
			return refuse(tree, &need->v[i], e);
	return 0;
}

/* "+cpu +memory", of what is needed and not in `have`. Returns the number of words. */
static size_t missing_words(const struct cgroup_need *need, const char *have, char *ret_words, size_t size)
{
	size_t n = 0, len = 0;
	for (size_t i = 0; i < need->n; i++) {
		if (attr_has_word(have, need->v[i].name))
			continue;
		int got = snprintf(ret_words + len, size - len, "%s+%s", n ? " " : "", need->v[i].name);
		if (got < 0 || (size_t)got >= size - len)
			break;
		len += (size_t)got;
		n++;
	}
	return n;
}

/*
 * Moves the processes of a delegated group into its supervisor leaf, as a group that hands controllers down
 * must.
 */
static int vacate(int group_fd, const char *path, struct err *e)
{
	if (mkdirat(group_fd, CGROUP_SUPERVISOR, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cgroup /%s: making the leaf \"%s\" for its processes", path, CGROUP_SUPERVISOR);
	fd_auto int leaf = openat(group_fd, CGROUP_SUPERVISOR, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (leaf < 0)
		return err_sys(e, "cgroup /%s/%s", path, CGROUP_SUPERVISOR);
	/* Processes may fork while they are moved: go on until the list is empty. */
	for (int round = 0; round < 100; round++) {
		free_auto pid_t *pids = NULL;
		size_t n;
		int r = cgroup_pids(group_fd, false, &pids, &n);
		if (r < 0)
			return err_ret(e, r, "cgroup /%s: cgroup.procs", path);
		if (n == 0)
			return 0;
		for (size_t i = 0; i < n; i++)
			if ((r = cgroup_add(leaf, pids[i])) < 0 && r != -ESRCH)
				return err_ret(e, r, "cgroup /%s: moving process %d to its leaf \"%s\"", path,
					       (int)pids[i], CGROUP_SUPERVISOR);
	}
	return err_new(e, EBUSY, "cgroup /%s: its processes fork faster than they can be moved to a leaf", path);
}

static int explain(int r, const char *path, const char *words, const struct cgroup_need *need, struct err *e)
{
	switch (-r) {
	case EBUSY:
		return err_new(e, EBUSY, "%s: group /%s holds processes itself, so that it cannot hand \"%s\" "
			       "down: move them to a group below it, or run kist in a delegated group "
			       "(systemd-run --scope -p Delegate=yes)", need->v[0].path, path, words);
	case EACCES:
	case EPERM:
	case EROFS:
		return err_new(e, -r, "%s: \"%s\" to cgroup.subtree_control of group /%s: %s: run kist in a delegated "
			       "group (systemd-run --user --scope -p Delegate=yes)", need->v[0].path, words, path,
			       strerror(-r));
	default:
		return err_ret(e, r, "%s: \"%s\" to cgroup.subtree_control of group /%s", need->v[0].path, words, path);
	}
}

/* Enables in one group what it does not hand down yet. */
static int enable_in(int group_fd, const char *path, bool may_vacate, const struct cgroup_need *need, struct err *e)
{
	char have[ATTR_MAX], words[512];
	int r = attr_read(group_fd, "cgroup.subtree_control", have, sizeof(have));
	if (r < 0)
		return err_ret(e, r, "cgroup /%s: cgroup.subtree_control", path);
	if (missing_words(need, have, words, sizeof(words)) == 0)
		return 0;
	r = file_write(group_fd, "cgroup.subtree_control", words);
	if (r == -EBUSY && may_vacate) {
		r = vacate(group_fd, path, e);
		if (r < 0)
			return r;
		r = file_write(group_fd, "cgroup.subtree_control", words);
	}
	return r < 0 ? explain(r, path, words, need, e) : 0;
}

/* Whether the group has all that is needed already, which is the case from the second container on. */
static bool has_all(const struct cgroup_tree *tree, const char *path, const struct cgroup_need *need)
{
	char have[ATTR_MAX], words[512], file[PATH_MAX];
	snprintf(file, sizeof(file), "%s/cgroup.controllers", path);
	return attr_read(tree->fd, file, have, sizeof(have)) >= 0 &&
	       missing_words(need, have, words, sizeof(words)) == 0;
}

int cgroup_need_enable(const struct cgroup_tree *tree, const char *path, const char *base,
		       const struct cgroup_need *need, struct err *e)
{
	if (need->n == 0 || has_all(tree, path, need))
		return 0;
	int r = enable_in(tree->fd, "", false, need, e);
	char part[PATH_MAX];
	for (const char *slash = strchr(path, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		fd_auto int fd = openat(tree->fd, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "cgroup /%s", part);
		r = enable_in(fd, part, base && strcmp(base, part) == 0, need, e);
	}
	return r;
}
