/* SPDX-License-Identifier: Apache-2.0 */
/* See userns.h. */
#include "ns/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ns/kinds.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/num.h"
#include "util/sys.h"

/* All lines of a map go in one write: user_namespaces(7). */
static int write_map(int proc, const char *file, const struct spec_id_maps *maps, struct err *e)
{
	str_auto struct str text = STR_MAX(16384);
	for (size_t i = 0; i < maps->n; i++)
		str_fmt(&text, "%u %u %u\n", maps->v[i].container_id.v, maps->v[i].host_id.v, maps->v[i].size.v);
	int r = text.len ? file_write_bytes(proc, file, text.p, text.len) : 0;
	return r < 0 ? err_ret(e, r, "%s", file) : 0;
}

int userns_write_maps(pid_t pid, const struct spec_id_maps *uids, const struct spec_id_maps *gids, bool deny_setgroups,
		      struct err *e)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd_auto int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return err_sys(e, "%s", path);
	int r = deny_setgroups ? file_write(proc, "setgroups", "deny") : 0;
	if (r < 0)
		return err_ret(e, r, "setgroups");
	r = write_map(proc, "gid_map", gids, e);
	return r < 0 ? r : write_map(proc, "uid_map", uids, e);
}

int userns_make(const struct spec_id_maps *uids, const struct spec_id_maps *gids, struct err *e)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	int hold[2];
	if (pipe2(hold, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		char c;
		close(hold[1]);
		_exit(read(hold[0], &c, 1) < 0);
	}
	int r = pid < 0 ? err_sys(e, "user namespace") : userns_write_maps(pid, uids, gids, false, e);
	if (r == 0)
		r = ns_open_of(pid, CLONE_NEWUSER, e);
	fd_close(hold[0]);
	fd_close(hold[1]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

/* ---- comparing ---- */

struct id_range {
	uint64_t inside, outside, size;
};

enum { RANGES_MAX = 340, MAP_BYTES_MAX = 64 << 10 };   /* user_namespaces(7) */

struct id_ranges {
	struct id_range v[RANGES_MAX];
	size_t n;
};

/* In order, ranges that continue each other as one: the kernel sorts long maps, and nobody must write them so. */
static void add_range(struct id_ranges *list, struct id_range r)
{
	size_t at = list->n++;
	for (; at > 0 && list->v[at - 1].inside > r.inside; at--)
		list->v[at] = list->v[at - 1];
	list->v[at] = r;
}

static void join_ranges(struct id_ranges *list)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++) {
		struct id_range *last = n ? &list->v[n - 1] : NULL;
		if (last && last->inside + last->size == list->v[i].inside && last->outside + last->size == list->v[i].outside)
			last->size += list->v[i].size;
		else
			list->v[n++] = list->v[i];
	}
	list->n = n;
}

static int read_map(pid_t pid, const char *file, struct id_ranges *ret, struct err *e)
{
	char path[40];
	free_auto char *text = NULL;
	size_t len;
	uint64_t column[3];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int r = file_read(AT_FDCWD, path, MAP_BYTES_MAX, false, &text, &len);
	if (r < 0)
		return err_ret(e, r, "%s", path);
	for (const char *p = text; ret->n < RANGES_MAX && num_list(p, " ", column, 3) == 3; p++) {
		add_range(ret, (struct id_range){ column[0], column[1], column[2] });
		p = strchr(p, '\n');
		if (!p)
			break;
	}
	join_ranges(ret);
	return 0;
}

static int compare_map(pid_t pid, const char *file, const char *key, const struct spec_id_maps *maps, struct err *e)
{
	struct id_ranges there = { .n = 0 }, wanted = { .n = 0 };
	int r = read_map(pid, file, &there, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < maps->n && i < RANGES_MAX; i++)
		add_range(&wanted, (struct id_range){ maps->v[i].container_id.v, maps->v[i].host_id.v, maps->v[i].size.v });
	join_ranges(&wanted);
	bool is_same = there.n == wanted.n && memcmp(there.v, wanted.v, there.n * sizeof(there.v[0])) == 0;
	return is_same ? 0 : err_new(e, EINVAL, "linux.%s: the user namespace that is joined maps other ids", key);
}

/* Enters and waits for its end. A map shows ids as they are to the reader, so that it is we who must read it. */
static void stay_in(int ns, int end)
{
	char entered = setns(ns, CLONE_NEWUSER) == 0;
	if (write(end, &entered, 1) == 1)
		while (read(end, &entered, 1) < 0 && errno == EINTR)
			;
	_exit(0);
}

int userns_compare(int ns, const struct spec_id_maps *uids, const struct spec_id_maps *gids, struct err *e)
{
	int ends[2];
	char entered = 0;
	struct clone_args args = { .exit_signal = SIGCHLD };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, "socket pair");
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		close(ends[0]);
		stay_in(ns, ends[1]);
	}
	int r = pid < 0 ? err_sys(e, "clone") : 0;
	fd_close(ends[1]);
	if (r == 0 && (fd_read_all(ends[0], &entered, 1) != 1 || !entered))
		r = err_new(e, EPERM, "enter the user namespace");
	if (r == 0)
		r = compare_map(pid, "uid_map", "uidMappings", uids, e);
	if (r == 0)
		r = compare_map(pid, "gid_map", "gidMappings", gids, e);
	fd_close(ends[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

int64_t userns_to_host(const struct spec_id_maps *maps, uint32_t container_id)
{
	for (size_t i = 0; i < maps->n; i++) {
		uint32_t first = maps->v[i].container_id.v;
		if (container_id >= first && container_id - first < maps->v[i].size.v)
			return (int64_t)maps->v[i].host_id.v + (container_id - first);
	}
	return -1;
}

uint32_t userns_first_of(const char *file)
{
	char text[256];
	uint32_t first = 0;
	uint64_t column[3];   /* id, host, size */
	bool is_first = true;
	/* In a mount namespace that others made, it may be anything. */
	fd_auto int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	for (const char *p = text; num_list(p, " ", column, 3) == 3; p = strchr(p, '\n') + 1) {
		if (column[0] == 0)
			return 0;
		first = is_first ? (uint32_t)column[0] : first;
		is_first = false;
		if (!strchr(p, '\n'))
			break;
	}
	return first;
}

uint32_t userns_first(const struct spec_id_maps *maps)
{
	if (userns_to_host(maps, 0) >= 0 || maps->n == 0)
		return 0;
	return maps->v[0].container_id.v;
}
