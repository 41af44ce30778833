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

/* One line of the file, whole or not at all. */
static bool put_line(struct logfile *l, enum log_stream stream, const char *line, size_t len, bool is_whole)
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
		l->is_partial[stream] = !is_whole;
		return true;
	}
	if (put > 0 && ftruncate(l->fd, l->size) < 0)
		l->size += put;
	return false;
}

/* A piece that is dropped takes the rest of its line along, and a line that lost its end is ended before the next. */
static void put_piece(struct logfile *l, enum log_stream stream, const char *piece, size_t len, bool is_whole)
{
	bool is_dropped = l->is_skipping[stream];

	if (!is_dropped && l->is_cut[stream])
		l->is_cut[stream] = is_dropped = !put_line(l, stream, "", 0, true);
	if (!is_dropped)
		is_dropped = !put_line(l, stream, piece, len, is_whole);
	l->is_skipping[stream] = is_dropped && !is_whole;
	l->is_cut[stream] |= is_dropped && l->is_partial[stream];
	l->dropped += is_dropped && is_whole;
}

void logfile_put(struct logfile *l, enum log_stream stream, const char *bytes, size_t len)
{
	while (len) {
		const char *end = memchr(bytes, '\n', len);
		size_t line = end ? (size_t)(end - bytes) : len;
		put_piece(l, stream, bytes, line, end != NULL);
		line += end != NULL;
		bytes += line;
		len -= line;
	}
}
