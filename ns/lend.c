/* SPDX-License-Identifier: Apache-2.0 */
/* See lend.h. */
#include "ns/lend.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/sys.h"

int lend_fd(__u64 flags, int (*make)(const void *ctx), const void *ctx)
{
	int ends[2], fd = -EIO;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	struct clone_args args = { .flags = CLONE_FILES | flags, .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		fd = make(ctx);
		_exit(write(ends[1], &fd, sizeof(fd)) != (ssize_t)sizeof(fd));
	}
	if (pid < 0)
		fd = -errno;
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	fd_close(ends[1]);
	if (pid > 0 && read(ends[0], &fd, sizeof(fd)) != (ssize_t)sizeof(fd))
		fd = -EIO;
	fd_close(ends[0]);
	return fd;
}
