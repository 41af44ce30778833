/* SPDX-License-Identifier: Apache-2.0 */
/* See lock.h. */
#include "util/lock.h"

#include <errno.h>
#include <sys/file.h>

int lock_wait(int fd, bool is_shared)
{
	while (flock(fd, is_shared ? LOCK_SH : LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int lock_try(int fd, bool is_shared)
{
	return flock(fd, (is_shared ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0 ? -errno : 0;
}

int lock_end(int fd)
{
	return flock(fd, LOCK_UN) < 0 ? -errno : 0;
}
