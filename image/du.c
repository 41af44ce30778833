/* SPDX-License-Identifier: Apache-2.0 */
/* See du.h. */
#include "image/du.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"

/* True for the name of a file with several that it counts by. */
static bool counts(struct du *d, const struct stat *st)
{
	uint64_t names = ++inodes_row(&d->seen, st->st_dev, st->st_ino)->names;
	return names == (d->is_whole ? st->st_nlink : 1);
}

static int add_entries(struct du *d, int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	int r = list || errno == ENOENT ? 0 : -errno;
	if (!list) {
		fd_close(fd);
		return r;
	}
	int end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(list, &end));)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			r = du_add(d, fd, de->d_name);
	closedir(list);
	return r == 0 && end != -ENOENT ? end : r;
}

int du_add(struct du *d, int dirfd, const char *name)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && !counts(d, &st))
		return 0;
	d->bytes += (uint64_t)st.st_blocks * 512;
	return S_ISDIR(st.st_mode) ? add_entries(d, dirfd, name) : 0;
}

void du_done(struct du *d)
{
	inodes_done(&d->seen);
	*d = (struct du){ .bytes = 0 };
}
