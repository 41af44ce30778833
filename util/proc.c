/* SPDX-License-Identifier: Apache-2.0 */
/* See proc.h. */
#include "util/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fd.h"
#include "util/sys.h"

/* Reads a small procfs file in one read(2); returns its length or -errno. */
static ssize_t read_small(const char *path, char *buf, size_t size)
{
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

int proc_start_time(pid_t pid, uint64_t *ret_ticks, char *ret_state)
{
	char path[40], buf[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	ssize_t n = read_small(path, buf, sizeof(buf));
	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	/* The command name, field 2, may hold blanks and brackets: fields count from the last bracket. */
	char *p = strrchr(buf, ')');
	if (!p || p[1] != ' ')
		return -EINVAL;
	char state = p[2];
	p += 2;
	for (int field = 3; field < 22; field++) {
		p = strchr(p, ' ');
		if (!p)
			return -EINVAL;
		p++;
	}
	if (ret_ticks)
		*ret_ticks = strtoull(p, NULL, 10);
	if (ret_state)
		*ret_state = state;
	return 0;
}

int proc_open(pid_t pid, uint64_t start_ticks)
{
	if (pid <= 0)
		return -ESRCH;
	fd_auto int fd = sys_pidfd_open(pid, 0);
	if (fd < 0)
		return errno == EINVAL ? -ESRCH : -errno;
	uint64_t ticks;
	char state;
	int r = proc_start_time(pid, &ticks, &state);
	if (r < 0)
		return r;
	if (ticks != start_ticks || state == 'Z' || state == 'X')
		return -ESRCH;
	return fd_take(&fd);
}

int proc_signal(int pidfd, int sig)
{
	return sys_pidfd_send_signal(pidfd, sig) < 0 ? -errno : 0;
}

int proc_wait_end(int pidfd, int timeout_ms)
{
	int64_t left = timeout_ms, end = clock_ms() + timeout_ms;
	for (;;) {
		struct pollfd p = { .fd = pidfd, .events = POLLIN };
		int n = poll(&p, 1, (int)left);
		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
		if (timeout_ms < 0)
			continue;
		left = end - clock_ms();
		if (left < 0)
			left = 0;
	}
}

int proc_boot_id(char out[static 37])
{
	ssize_t n = read_small("/proc/sys/kernel/random/boot_id", out, 37);
	return n < 0 ? (int)n : n == 36 ? 0 : -EINVAL;
}

bool proc_is_in_userns(void)
{
	/* include/linux/proc_ns.h, PROC_USER_INIT_INO: part of the interface, since CRIU and others compare with it. */
	static const ino_t first = 0xEFFFFFFDU;
	static enum { UNKNOWN, FIRST, OTHER } which;
	struct stat st;
	if (which == UNKNOWN)
		which = stat("/proc/self/ns/user", &st) < 0 || st.st_ino == first ? FIRST : OTHER;
	return which == OTHER;
}
