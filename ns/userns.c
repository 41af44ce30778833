/* SPDX-License-Identifier: Apache-2.0 */
/* See userns.h. */
#include "ns/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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
	fd_auto int fd = open(file, O_RDONLY | O_CLOEXEC);
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
