/* SPDX-License-Identifier: Apache-2.0 */
/* See fd.h. */
#include "util/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/mem.h"

void fd_close(int fd)
{
	if (fd < 0)
		return;
	int saved = errno;
	close(fd);
	errno = saved;
}

ssize_t fd_read_all(int fd, void *buf, size_t len)
{
	size_t got = 0;
	while (got < len) {
		ssize_t n = read(fd, (char *)buf + got, len - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

ssize_t fd_read_at(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t got = 0;
	while (got < len) {
		ssize_t n = pread(fd, (char *)buf + got, len - got, (off_t)(offset + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int fd_write_all(int fd, const void *buf, size_t len)
{
	size_t put = 0;
	while (put < len) {
		ssize_t n = write(fd, (const char *)buf + put, len - put);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		put += (size_t)n;
	}
	return 0;
}

/* Reads on to the end, for procfs and sysfs, which tell no size, and for a file that is not as long as it said. */
static int read_to_end(int fd, char *own_p, size_t room, size_t len, size_t max, char **ret_bytes, size_t *ret_len)
{
	free_auto char *p = own_p;
	for (;;) {
		ssize_t n = fd_read_all(fd, p + len, room - len);
		if (n < 0)
			return (int)n;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
		if (len < room)
			break;
		room *= 2;
		p = mem_grow(p, room + 1);
	}
	p[len] = '\0';
	*ret_bytes = ptr_take(p);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int file_read(int dirfd, const char *name, size_t max, bool follow, char **ret_bytes, size_t *ret_len)
{
	/* O_NONBLOCK: a FIFO in the place of the file must not stop us (open(2)). */
	fd_auto int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return -errno;
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > 0 && (size_t)st.st_size > max)
		return -EFBIG;
	size_t size = st.st_size > 0 ? (size_t)st.st_size : 0, room = size ? size + 1 : 4096;
	free_auto char *p = mem_alloc(room + 1);
	ssize_t n = size ? read(fd, p, room) : 0;
	if (n < 0)
		return -errno;
	if (size == 0 || (size_t)n != size)
		return read_to_end(fd, ptr_take(p), room, (size_t)n, max, ret_bytes, ret_len);
	p[size] = '\0';
	*ret_bytes = ptr_take(p);
	if (ret_len)
		*ret_len = size;
	return 0;
}

struct dirent *fd_next(DIR *d, int *ret)
{
	errno = 0;
	struct dirent *de = readdir(d);
	if (!de && errno)
		*ret = -errno;
	return de;
}

bool file_is_regular(const char *path)
{
	struct stat st;
	return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int file_read_given(const char *path, size_t max, char **ret_bytes, size_t *ret_len)
{
	bool is_input = strcmp(path, "-") == 0;
	fd_auto int fd = is_input ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	if ((!is_input && fd < 0) || fstat(is_input ? STDIN_FILENO : fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!is_input && !S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return -EINVAL;
	enum { ROOM = 4096 };
	return read_to_end(is_input ? STDIN_FILENO : fd, mem_alloc(ROOM + 1), ROOM, 0, max, ret_bytes, ret_len);
}

int file_write_bytes(int dirfd, const char *name, const char *bytes, size_t len)
{
	fd_auto int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, bytes, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int file_write(int dirfd, const char *name, const char *value)
{
	return file_write_bytes(dirfd, name, value, strlen(value));
}

static int replace(int dirfd, const char *name, const char *bytes, size_t len, mode_t mode, bool sync)
{
	char tmp[280];
	/* One name for all writers: those of one file take turns by a lock, as its owner's contract says. */
	int n = snprintf(tmp, sizeof(tmp), ".%s.new", name);
	if (n < 0 || (size_t)n >= sizeof(tmp))
		return -ENAMETOOLONG;
	/* Where others could have put a file of theirs, which they may read, it has to be one of ours. */
	fd_auto int fd =
		openat(dirfd, tmp, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (sync ? O_EXCL : O_TRUNC), mode);
	if (fd < 0)
		return -errno;
	int r = fd_write_all(fd, bytes, len);
	if (r == 0 && sync && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, tmp, 0);
		return r;
	}
	if (!sync)
		return 0;
	fd_auto int dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fsync(dir) < 0)
		return -errno;
	return 0;
}

int file_replace(int dirfd, const char *name, const char *bytes, size_t len, mode_t mode)
{
	return replace(dirfd, name, bytes, len, mode, false);
}

int file_replace_sync(int dirfd, const char *name, const char *bytes, size_t len, mode_t mode)
{
	return replace(dirfd, name, bytes, len, mode, true);
}

/*
 * A tree on its way out. Whoever filled it may have nested it deeper than there are descriptors or stack: what lies
 * below DEPTH_MAX levels is moved up to the top, and the top is gone through again.
 */
struct removal {
	int top;
	dev_t dev;
	unsigned moved;     /* directories that were moved to the top */
	int first;          /* the first failure */
};

enum { REMOVE_DEPTH_MAX = 64 };

struct dirent_raw {  /* getdents64(2) */
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

static void remove_entry(struct removal *r, int dir, const char *name, bool is_dir, int depth);

static void remove_children(struct removal *r, int dir, int depth)
{
	_Alignas(struct dirent_raw) char buf[2048];
	for (;;) {
		long n = syscall(SYS_getdents64, dir, buf, sizeof(buf));
		if (n < 0 && r->first == 0)
			r->first = -errno;
		if (n <= 0)
			return;
		for (long at = 0; at < n;) {
			const struct dirent_raw *d = (const struct dirent_raw *)(const void *)(buf + at);
			at += d->len;
			if (strcmp(d->name, ".") != 0 && strcmp(d->name, "..") != 0)
				remove_entry(r, dir, d->name, d->type == DT_DIR, depth);
		}
	}
}

static int remove_subdir(struct removal *r, int dir, const char *name, int depth)
{
	if (depth >= REMOVE_DEPTH_MAX) {
		char moved[32];
		snprintf(moved, sizeof(moved), ".removed-%u-%d", r->moved, (int)getpid());
		if (renameat(dir, name, r->top, moved) < 0)
			return -errno;
		r->moved++;
		return 0;
	}
	fd_auto int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (sub < 0 || fstat(sub, &st) < 0)
		return -errno;
	if (st.st_dev != r->dev)
		return -EXDEV;
	remove_children(r, sub, depth + 1);
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* An empty directory goes without being looked into. */
static void remove_entry(struct removal *r, int dir, const char *name, bool is_dir, int depth)
{
	if (unlinkat(dir, name, is_dir ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
		return;
	int num = -errno;
	if (num == -ENOTEMPTY || num == -EEXIST || num == -EISDIR)
		num = remove_subdir(r, dir, name, depth);
	if (num < 0 && num != -ENOENT && r->first == 0)
		r->first = num;
}

int file_remove_tree(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno == ENOTDIR)
		return unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	fd_auto int top = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (top < 0 || fstat(top, &st) < 0)
		return -errno;
	struct removal r = { .top = top, .dev = st.st_dev };
	for (;;) {
		unsigned moved = r.moved;
		remove_children(&r, top, 0);
		if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
			return 0;
		if (r.first < 0)
			return r.first;
		/* Something was moved up, or put there meanwhile: once more from the start, as long as it helps. */
		if (errno != ENOTEMPTY || r.moved == moved || lseek(top, 0, SEEK_SET) < 0)
			return -errno;
	}
}

void fd_close_others(unsigned from, int *keep, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k > 0 && keep[k - 1] > keep[k]; k--) {
			int other = keep[k];
			keep[k] = keep[k - 1];
			keep[k - 1] = other;
		}
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < 0 || (unsigned)keep[i] < from)
			continue;
		if ((unsigned)keep[i] > from)
			close_range(from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	close_range(from, ~0U, 0);
}

int fd_find_missing(unsigned from, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int flags = fcntl((int)(from + i), F_GETFD);
		if (flags < 0 || (flags & FD_CLOEXEC))
			return (int)(from + i);
	}
	return -1;
}

char *fd_path(int fd, char buf[static 32])
{
	snprintf(buf, 32, "/proc/self/fd/%d", fd);
	return buf;
}
