/* SPDX-License-Identifier: Apache-2.0 */
/* See logread.h. A file is known by its inode, so a rotation meanwhile neither skips nor repeats a line. */
#include "engine/logread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/logfile.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/mem.h"

enum { FILES_MAX = 1000, STAMP_LEN = 30 };

/* One line of the file, in its parts. */
struct piece {
	const char *stamp;            /* STAMP_LEN bytes */
	enum log_stream stream;
	bool is_whole;
	const char *text;
	size_t len;
};

struct reader {
	const struct record_dir *d;
	const struct logread_options *o;
	char since[CLOCK_TEXT_MAX];   /* as the file writes it: compares as text; "" : all */
	FILE *file;                   /* the one that is read */
	ino_t inode;
	char *line;
	size_t room;
	int64_t skip;                 /* whole lines still to pass over, for tail */
	bool is_inside[LOG_STREAMS];  /* the last piece of the stream was a P */
};

static bool parse(const char *line, size_t len, struct piece *ret)
{
	static const char *const words[] = { [LOG_STDOUT] = " stdout ", [LOG_STDERR] = " stderr " };
	enum { WORD_LEN = 8, HEAD_LEN = STAMP_LEN + WORD_LEN + 2 };

	if (len < HEAD_LEN)
		return false;
	for (enum log_stream s = LOG_STDOUT; s < LOG_STREAMS; s++) {
		if (memcmp(line + STAMP_LEN, words[s], WORD_LEN) != 0)
			continue;
		*ret = (struct piece){ line, s, line[STAMP_LEN + WORD_LEN] == 'F', line + HEAD_LEN, len - HEAD_LEN };
		return true;
	}
	return false;
}

/* Reads the next complete line. False: there is none yet; the file stays where it was. */
static bool next_line(struct reader *r, struct piece *ret)
{
	for (;;) {
		long at = ftell(r->file);
		ssize_t n = getline(&r->line, &r->room, r->file);
		if (n > 0 && r->line[n - 1] == '\n') {
			if (!parse(r->line, (size_t)n - 1, ret) ||
			    strncmp(ret->stamp, r->since, r->since[0] ? STAMP_LEN : 0) < 0)
				continue;
			return true;
		}
		clearerr(r->file);
		fseek(r->file, at, SEEK_SET);
		return false;
	}
}

/* ---- files ---- */

static int open_file(struct reader *r, int number, ino_t *ret_inode)
{
	char name[24];
	struct stat st;

	snprintf(name, sizeof(name), number ? "log.%d" : "log", number);
	fd_auto int fd = openat(r->d->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret_inode = st.st_ino;
	return fd_take(&fd);
}

static int use_file(struct reader *r, int own_fd, ino_t inode, struct err *e)
{
	FILE *file = fdopen(own_fd, "r");

	if (!file)
		return err_sys(e, "container %s: log", r->d->name);
	if (r->file)
		fclose(r->file);
	r->file = file;
	r->inode = inode;
	return 0;
}

/*
 * While files are moved up by one, one number is free for a moment; two are not. They move the way in which they are
 * looked at, so none is missed.
 */
static bool is_beyond(int fd, int *misses)
{
	*misses = fd < 0 ? *misses + 1 : 0;
	return *misses > 1;
}

/* Opens the oldest file. -ENOENT: there is no log. */
static int open_oldest(struct reader *r, struct err *e)
{
	ino_t inode, last_inode = 0;
	int last = -ENOENT, misses = 0;

	for (int i = 0; i < FILES_MAX; i++) {
		int fd = open_file(r, i, &inode);
		if (is_beyond(fd, &misses))
			break;
		if (fd < 0)
			continue;
		fd_close(last);
		last = fd;
		last_inode = inode;
	}
	return last < 0 ? last : use_file(r, last, last_inode, e);
}

/* Finds the file after the one that is read: its descriptor, or -1: ours is the newest, or all are gone (--rm). */
static int find_next(struct reader *r, ino_t *ret_inode, bool *ret_is_lost)
{
	ino_t inode;
	int newer = -1, misses = 0;

	*ret_is_lost = false;
	for (int i = 0; i < FILES_MAX; i++) {
		int fd = open_file(r, i, &inode);
		if (is_beyond(fd, &misses))
			break;
		if (fd < 0)
			continue;
		if (inode == r->inode) {
			fd_close(fd);
			return newer;
		}
		fd_close(newer);
		newer = fd;
		*ret_inode = inode;
	}
	*ret_is_lost = newer < 0;
	return newer;
}

typedef int piece_fn(struct reader *r, const struct piece *p);

static int each_of_file(struct reader *r, piece_fn *fn, struct err *e)
{
	struct piece p;

	while (next_line(r, &p)) {
		int n = fn(r, &p);
		if (n < 0)
			return err_ret(e, n, "standard output");
	}
	return 0;
}

/* Calls `fn` for every line that there is now. Once a newer file is there, ours gets no more lines: one last look. */
static int each_line(struct reader *r, piece_fn *fn, struct err *e)
{
	bool is_lost;
	ino_t inode;

	for (;;) {
		int n = each_of_file(r, fn, e);
		fd_auto int next = n < 0 ? -1 : find_next(r, &inode, &is_lost);
		if (n < 0 || next < 0)
			return n < 0 ? n : is_lost ? -ENOENT : 0;
		n = each_of_file(r, fn, e);
		if (n == 0)
			n = use_file(r, fd_take(&next), inode, e);
		if (n < 0)
			return n;
	}
}

/* ---- printing ---- */

static int print_piece(struct reader *r, const struct piece *p)
{
	FILE *out = p->stream == LOG_STDERR ? stderr : stdout;
	bool is_start = !r->is_inside[p->stream];

	r->is_inside[p->stream] = !p->is_whole;
	if (r->skip > 0) {
		r->skip -= p->is_whole;
		return 0;
	}
	/* What comes first in time is to be seen first where both are one terminal or file. */
	if (out == stderr)
		fflush(stdout);
	if (is_start && r->o->is_timed)
		fprintf(out, "%.*s ", STAMP_LEN, p->stamp);
	fwrite(p->text, 1, p->len, out);
	if (p->is_whole)
		fputc('\n', out);
	return ferror(out) ? -EIO : 0;
}

static int count_piece(struct reader *r, const struct piece *p)
{
	r->skip += p->is_whole;
	return 0;
}

/* ---- following ---- */

static bool has_ended(const struct record_dir *d)
{
	struct ending x ending_auto = { 0 };

	return record_look(d, &x) != RECORD_RUNNING;
}

/* Waits for a change of a log or of record.json, which is closed when the container's keeper ends. */
static int wait_change(int watch)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t n = read(watch, events, sizeof(events));

	return n < 0 && errno != EINTR ? -errno : 0;
}

static int watch_dir(const struct record_dir *d, struct err *e)
{
	char path[32];
	fd_auto int watch = inotify_init1(IN_CLOEXEC);

	if (watch < 0)
		return err_sys(e, "container %s: watch the log", d->name);
	if (inotify_add_watch(watch, fd_path(d->fd, path), IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE |
			      IN_DELETE | IN_DELETE_SELF) < 0)
		return err_sys(e, "container %s: watch the log", d->name);
	return fd_take(&watch);
}

static int follow(struct reader *r, int watch, struct err *e)
{
	for (;;) {
		bool is_last = has_ended(r->d);
		int n = each_line(r, print_piece, e);
		/* A log that is gone for a moment is being rotated; its directory goes after the end only. */
		if ((n < 0 && n != -ENOENT) || fflush(stdout) == EOF || is_last)
			return n == -ENOENT ? 0 : n;
		n = wait_change(watch);
		if (n < 0)
			return err_ret(e, n, "container %s: watch the log", r->d->name);
	}
}

static int read_all(struct reader *r, struct err *e)
{
	fd_auto int watch = r->o->is_follow ? watch_dir(r->d, e) : -1;

	if (r->o->is_follow && watch < 0)
		return watch;
	int n = open_oldest(r, e);
	if (n == -ENOENT)
		return err_new(e, ENODATA, "container %s: has no log (it ran in the foreground)", r->d->name);
	if (n == 0 && r->o->tail >= 0) {
		n = each_line(r, count_piece, e);
		r->skip = r->skip > r->o->tail ? r->skip - r->o->tail : 0;
		if (n == 0)
			n = open_oldest(r, e);
	}
	if (n < 0)
		return n;
	if (r->o->is_follow)
		return follow(r, watch, e);
	n = each_line(r, print_piece, e);
	return (n == 0 || n == -ENOENT) && fflush(stdout) == EOF ? err_sys(e, "standard output") : n == -ENOENT ? 0 : n;
}

int logread(const struct record_dir *d, const struct logread_options *o, struct err *e)
{
	struct reader r = { .d = d, .o = o };

	if (o->since.tv_sec || o->since.tv_nsec)
		clock_format(o->since, r.since);
	int n = read_all(&r, e);
	if (r.file)
		fclose(r.file);
	free(r.line);
	return n;
}
