/* SPDX-License-Identifier: Apache-2.0 */
/* See logfile.h. */
#include "engine/logfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fd.h"

static const char *const stream_words[] = { [LOG_STDOUT] = "stdout", [LOG_STDERR] = "stderr" };

static int open_log(int dir, int flags)
{
	return openat(dir, "log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

int logfile_open(int dir, int64_t max_bytes, int max_files, struct logfile *ret, struct err *e)
{
	struct stat st;
	fd_auto int fd = open_log(dir, 0);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "log");
	*ret = (struct logfile){ .dir = dir, .size = st.st_size, .max_bytes = max_bytes, .max_files = max_files };
	ret->fd = fd_take(&fd);
	return 0;
}

void logfile_done(struct logfile *l)
{
	fd_drop(&l->fd);
}

static void name_of(int number, char out[static 24])
{
	snprintf(out, 24, number ? "log.%d" : "log", number);
}

/* Moves every file up by one; the last goes. Readers hold the files and know them by inode. */
static void rotate(struct logfile *l)
{
	char from[24], to[24];

	for (int i = l->max_files - 1; i > 0; i--) {
		name_of(i - 1, from);
		name_of(i, to);
		renameat(l->dir, from, l->dir, to);
	}
	if (l->max_files <= 1)
		unlinkat(l->dir, "log", 0);
	int fd = open_log(l->dir, O_EXCL);
	if (fd < 0)
		return;
	fd_drop(&l->fd);
	l->fd = fd;
	l->size = 0;
}

/* A line of many pieces stays in one file, unless it never ends. */
static bool is_full(const struct logfile *l, size_t more)
{
	int64_t after = l->size + (int64_t)more;
	bool is_between = !l->is_partial[LOG_STDOUT] && !l->is_partial[LOG_STDERR];

	return l->size > 0 && after > l->max_bytes && (is_between || after > 2 * l->max_bytes);
}

static void put_line(struct logfile *l, enum log_stream stream, const char *line, size_t len, bool is_whole)
{
	char head[CLOCK_TEXT_MAX + 16], newline = '\n';
	int n;

	clock_text(head);
	n = (int)strlen(head);
	n += snprintf(head + n, sizeof(head) - (size_t)n, " %s %c ", stream_words[stream], is_whole ? 'F' : 'P');
	struct iovec v[] = {
		{ .iov_base = head, .iov_len = (size_t)n },
		{ .iov_len = len },
		{ .iov_base = &newline, .iov_len = 1 },
	};
	memcpy(&v[1].iov_base, &line, sizeof(line));
	size_t all = (size_t)n + len + 1;
	if (is_full(l, all))
		rotate(l);
	ssize_t put = l->fd < 0 ? -1 : writev(l->fd, v, 3);
	if (put == (ssize_t)all) {
		l->size += put;
	} else {
		/* No half lines: what was taken of it goes again. */
		if (put > 0 && ftruncate(l->fd, l->size) < 0)
			l->size += put;
		l->dropped++;
	}
	l->is_partial[stream] = !is_whole;
}

void logfile_put(struct logfile *l, enum log_stream stream, const char *bytes, size_t len)
{
	while (len) {
		const char *end = memchr(bytes, '\n', len);
		size_t line = end ? (size_t)(end - bytes) : len;
		put_line(l, stream, bytes, line, end != NULL);
		line += end != NULL;
		bytes += line;
		len -= line;
	}
}
