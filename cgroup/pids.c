/* SPDX-License-Identifier: Apache-2.0 */
/* See pids.h. */
#include "cgroup/pids.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"

enum { PROCS_MAX = 64 << 20 };

struct pid_list {
	pid_t *v;
	size_t n, room;
};

static void push(struct pid_list *list, pid_t pid)
{
	if (list->n == list->room) {
		list->room = list->room ? 2 * list->room : 16;
		list->v = mem_grow(list->v, list->room * sizeof(*list->v));
	}
	list->v[list->n++] = pid;
}

int cgroup_each_child(int group_fd, int (*act)(int parent_fd, int child_fd, const char *name, void *ctx), void *ctx)
{
	int fd = openat(group_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	DIR *d = fdopendir(fd);
	if (!d) {
		fd_close(fd);
		return -ENOMEM;
	}
	int r = 0;
	for (struct dirent *de; r >= 0 && (de = readdir(d));) {
		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			continue;
		fd_auto int child = openat(fd, de->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child >= 0)
			r = act(fd, child, de->d_name, ctx);
		else if (errno != ENOENT && errno != ENODEV)
			r = -errno;
	}
	closedir(d);
	return r < 0 ? r : 0;
}

static int list_one(int parent_fd, int child_fd, const char *name, void *ctx)
{
	struct pid_list *list = ctx;
	free_auto char *text = NULL;
	(void)parent_fd, (void)name;
	int r = file_read(child_fd, "cgroup.procs", PROCS_MAX, false, &text, NULL);
	/* A threaded group answers EOPNOTSUPP: its processes stand in the list of the domain above it. */
	if (r < 0 && r != -EOPNOTSUPP && r != -ENODEV && r != -ENOENT)
		return r;
	for (char *p = text; p && *p;) {
		long pid = strtol(p, &p, 10);
		if (pid > 0)
			push(list, (pid_t)pid);
		p += *p == '\n';
	}
	return 0;
}

static int list_below(int parent_fd, int child_fd, const char *name, void *ctx)
{
	int r = list_one(parent_fd, child_fd, name, ctx);
	return r < 0 ? r : cgroup_each_child(child_fd, list_below, ctx);
}

int cgroup_pids(int group_fd, bool is_recursive, pid_t **ret_pids, size_t *ret_n)
{
	struct pid_list list = { 0 };
	int r = is_recursive ? list_below(-1, group_fd, "", &list) : list_one(-1, group_fd, "", &list);
	if (r < 0) {
		free(list.v);
		return r;
	}
	*ret_pids = list.v;
	*ret_n = list.n;
	return 0;
}

int cgroup_add(int group_fd, pid_t pid)
{
	char text[16];
	snprintf(text, sizeof(text), "%d", (int)pid);
	return file_write(group_fd, "cgroup.procs", text);
}
