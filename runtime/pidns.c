/* SPDX-License-Identifier: Apache-2.0 */
/* See pidns.h. */
#include "runtime/pidns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "util/fd.h"
#include "util/mem.h"
#include "util/num.h"

enum { DEPTH_MAX = 32 };   /* pid_namespaces(7): so deep may they be nested */

static int open_ns(pid_t pid)
{
	char path[40];
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Whether a process is in the namespace or below it. Those that we may not look at are nobody's of ours. */
static bool is_in(pid_t pid, const struct stat *ns)
{
	fd_auto int fd = open_ns(pid);
	for (int depth = 0; fd >= 0 && depth <= DEPTH_MAX; depth++) {
		struct stat st;
		if (fstat(fd, &st) < 0)
			return false;
		if (st.st_ino == ns->st_ino && st.st_dev == ns->st_dev)
			return true;
		int up = ioctl(fd, NS_GET_PARENT);
		fd_drop(&fd);
		fd = up;
	}
	return false;
}

int pidns_list(pid_t init, pid_t **ret_pids, size_t *ret_count)
{
	struct stat ns;
	fd_auto int own = open_ns(init);
	if (own < 0 && own != -EACCES)
		return own == -ENOENT ? -ESRCH : own;
	/* While it waits at the gate it still is kist, at which users may not look, and alone. proc(5). */
	if (own >= 0 && fstat(own, &ns) < 0)
		return -errno;
	DIR *d = own < 0 ? NULL : opendir("/proc");
	if (own >= 0 && !d)
		return -errno;
	size_t n = 0, room = 16;
	pid_t *pids = mem_alloc(room * sizeof(*pids));
	pids[n++] = init;
	int r = 0;
	for (struct dirent *de; d && (de = fd_next(d, &r));) {
		const char *name = de->d_name;
		uint64_t pid;
		if (!num_take(&name, &pid) || *name || (pid_t)pid == init || !is_in((pid_t)pid, &ns))
			continue;
		if (n == room)
			pids = mem_grow(pids, (room *= 2) * sizeof(*pids));
		pids[n++] = (pid_t)pid;
	}
	if (d)
		closedir(d);
	if (r < 0) {
		free(pids);
		return r;
	}
	*ret_pids = pids;
	*ret_count = n;
	return 0;
}
