/* SPDX-License-Identifier: Apache-2.0 */
/* See record.h. */
#include "engine/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/create.h"
#include "runtime/state.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/lock.h"
#include "util/mem.h"

enum { RECORD_MAX = 1 << 20, NAME_TRIES = 100, WAIT_STEP_MS = 20, LOOKERS_TRIES = 4 };

static const struct jx_word manager_words[] = {
	{ "disabled", CGROUP_BY_NOBODY },
	{ "systemd", CGROUP_BY_SYSTEMD },
	{ 0 },
};

static const struct jx_field record_rows[] = {
	JX_STR(struct record, image, "image"),
	JX_STR(struct record, digest, "digest"),
	JX_STR(struct record, bundle, "bundle"),
	JX_STR(struct record, created, "created"),
	JX_STRS(struct record, command, "command"),
	JX_STR(struct record, stop_signal, "stopSignal"),
	JX_I64(struct record, stop_timeout_ms, "stopTimeoutMs"),
	JX_BOOL(struct record, is_rm, "rm"),
	JX_BOOL(struct record, is_terminal, "terminal"),
	JX_BOOL(struct record, is_input, "input"),
	JX_BOOL(struct record, is_detached, "detached"),
	JX_I64(struct record, log_max_bytes, "logMaxBytes"),
	JX_I64(struct record, log_max_files, "logMaxFiles"),
	JX_ENUM(struct record, cgroup_manager, "cgroupManager", manager_words),
	JX_PAIRS(struct record, labels, "labels"),
	JX_END,
};

static const struct jx_field ending_rows[] = {
	JX_STR(struct ending, started, "startedAt"),
	JX_STR(struct ending, finished, "finishedAt"),
	JX_I32(struct ending, exit_code, "exitCode"),
	JX_I32(struct ending, signal, "signal"),
	JX_BOOL(struct ending, is_oom, "oomKilled"),
	JX_U64(struct ending, log_dropped, "logDropped"),
	JX_STR(struct ending, error, "error"),
	JX_END,
};

/* ---- the directory ---- */

/* Four syllables and two digits: easy to say and to type. */
static int make_up_name(char name[static 16])
{
	static const char first[] = "bcdfghjklmnprstvz", second[] = "aeiou";
	unsigned char dice[10];
	size_t at = 0;

	if (getrandom(dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
		return -EIO;
	for (size_t i = 0; i < 8; i += 2) {
		name[at++] = first[dice[i] % (sizeof(first) - 1)];
		name[at++] = second[dice[i + 1] % (sizeof(second) - 1)];
	}
	snprintf(name + at, 16 - at, "%02u", (unsigned)(dice[8] * 256 + dice[9]) % 100);
	return 0;
}

/* A layout that skopeo has made has no such directory yet. */
static int open_containers(const struct store *s, bool is_made, struct err *e)
{
	int fd = s->dir < 0 ? -1 : openat(s->dir, "containers", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (s->dir < 0)
		errno = ENOENT;
	else if (fd < 0 && errno == ENOENT && is_made && mkdirat(s->dir, "containers", 0755) == 0)
		fd = openat(s->dir, "containers", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "store %s: containers", s->path ? s->path : "") : fd;
}

static int make_dir(int containers, const char *name, struct record_dir *d, struct err *e)
{
	char made_up[16];

	for (int tries = 0; tries < NAME_TRIES; tries++) {
		if (!name && make_up_name(made_up) < 0)
			return err_sys(e, "random name");
		const char *word = name ? name : made_up;
		if (mkdirat(containers, word, 0700) == 0) {
			snprintf(d->name, sizeof(d->name), "%s", word);
			return 0;
		}
		if (errno != EEXIST)
			return err_sys(e, "container %s: make its directory", word);
		if (name)
			break;
	}
	return err_new(e, EEXIST, "container %s: the name is taken (kist rm %s removes it)", name ? name : "",
		       name ? name : "");
}

int record_make(const struct store *s, const char *name, struct record_dir *ret, struct err *e)
{
	struct record_dir d record_auto = RECORD_DIR_NONE;
	int r = name ? state_check_id(name, e) : 0;

	if (r < 0)
		return r;
	d.containers = open_containers(s, true, e);
	if (d.containers < 0)
		return d.containers;
	/* A prune may take the new directory for remains of a killed command until we have the lock. */
	for (int tries = 0; tries < NAME_TRIES; tries++) {
		err_clear(e);
		r = make_dir(d.containers, name, &d, e);
		if (r < 0)
			return r;
		fd_drop(&d.fd);
		d.fd = openat(d.containers, d.name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = d.fd < 0 ? err_sys(e, "container %s", d.name) : record_take(&d, e);
		if (r != -ENOENT)
			break;
	}
	if (r < 0) {
		struct err ignored;
		record_remove(&d, &ignored);
		return r;
	}
	*ret = d;
	d = RECORD_DIR_NONE;
	return 0;
}

int record_open(const struct store *s, const char *name, struct record_dir *ret, struct err *e)
{
	struct record_dir d record_auto = RECORD_DIR_NONE;
	int r = state_check_id(name, e);

	if (r < 0)
		return r;
	if (s->dir < 0)
		return err_new(e, ENOENT, "no such container: %s", name);
	d.containers = open_containers(s, false, e);
	if (d.containers == -ENOENT) {
		err_clear(e);
		return err_new(e, ENOENT, "no such container: %s", name);
	}
	if (d.containers < 0)
		return d.containers;
	d.fd = openat(d.containers, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d.fd < 0)
		return errno == ENOENT ? err_new(e, ENOENT, "no such container: %s", name) : err_sys(e, "container %s", name);
	snprintf(d.name, sizeof(d.name), "%s", name);
	*ret = d;
	d = RECORD_DIR_NONE;
	return 0;
}

void record_close(struct record_dir *d)
{
	fd_drop(&d->containers);
	fd_drop(&d->fd);
	fd_drop(&d->file);
	fd_drop(&d->meet);
	fd_drop(&d->mount);
}

/* Reads the open file whole. -ENOENT with `is_named`: its directory was removed. */
static int read_text(int fd, bool is_named, char **ret_text, size_t *ret_len)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (is_named && st.st_nlink == 0)
		return -ENOENT;
	if (st.st_size > RECORD_MAX)
		return -EFBIG;
	free_auto char *text = mem_alloc((size_t)st.st_size + 1);
	ssize_t n = pread(fd, text, (size_t)st.st_size, 0);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	*ret_len = (size_t)n;
	*ret_text = ptr_take(text);
	return 0;
}

/* The first line with its end; 0: it is not whole. */
static size_t head_of(const char *text, size_t len)
{
	const char *end = !text ? NULL : memchr(text, '\n', len);

	return end ? (size_t)(end - text) + 1 : 0;
}

int record_take(struct record_dir *d, struct err *e)
{
	fd_auto int fd = openat(d->fd, "record.json", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "container %s: record.json", d->name);
	/* `ps` holds a shared lock for the blink of an eye. */
	int r = lock_try(fd, false);
	for (int tries = 0; r == -EWOULDBLOCK && tries < LOOKERS_TRIES; tries++) {
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
		r = lock_try(fd, false);
	}
	if (r == -EWOULDBLOCK)
		return err_new(e, EBUSY, "container %s: is running", d->name);
	if (r < 0)
		return err_ret(e, r, "container %s: lock", d->name);
	free_auto char *text = NULL;
	size_t len = 0;
	r = read_text(fd, true, &text, &len);
	if (r < 0)
		return err_ret(e, r, "container %s: record.json", d->name);
	d->head_len = head_of(text, len);
	fd_drop(&d->file);
	d->file = fd_take(&fd);
	return 0;
}

int record_remove(struct record_dir *d, struct err *e)
{
	int r = file_remove_tree(d->containers, d->name);

	/* A second try costs nothing, and what is left behind by a passing error would stay. */
	if (r < 0 && r != -ENOENT)
		r = file_remove_tree(d->containers, d->name);
	return r < 0 && r != -ENOENT ? err_ret(e, r, "container %s: remove its directory", d->name) : 0;
}

int record_each(const struct store *s, int (*fn)(void *ctx, const char *name), void *ctx, struct err *e)
{
	if (s->dir < 0)
		return 0;
	int fd = openat(s->dir, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, "store %s: containers", s->path);
	int r = 0, end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(dir, &end));)
		if (de->d_name[0] != '.')
			r = fn(ctx, de->d_name);
	closedir(dir);
	return r == 0 && end < 0 ? err_ret(e, end, "store %s: containers", s->path) : r;
}

/* ---- the two lines ---- */

/*
 * In place, under the lock: the file itself carries it. A file that somebody holds is not final, and one whose writer
 * was killed between the two calls still has whole lines, as far as they count.
 */
static int put_line(const struct record_dir *d, size_t at, const struct str *text, struct err *e)
{
	if (text->is_full)
		return err_new(e, EFBIG, "container %s: record.json: over %d bytes", d->name, RECORD_MAX);
	if (pwrite(d->file, text->p, text->len, (off_t)at) != (ssize_t)text->len ||
	    ftruncate(d->file, (off_t)(at + text->len)) < 0)
		return err_sys(e, "container %s: record.json", d->name);
	return 0;
}

int record_write(struct record_dir *d, const struct record *r, struct err *e)
{
	str_auto struct str text = STR_MAX(RECORD_MAX / 2);

	jx_print(&text, record_rows, r, 0);
	str_puts(&text, "\n");
	d->head_len = text.len;
	return put_line(d, 0, &text, e);
}

int record_read(const struct record_dir *d, struct record *ret, struct err *e)
{
	struct record r = { 0 };
	free_auto char *text = NULL;
	fd_auto int fd = openat(d->fd, "record.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t len = 0;
	int n = fd < 0 ? -errno : read_text(fd, false, &text, &len);

	if (n == 0)
		len = head_of(text, len);
	if (n == 0 && len && jx_load(text, len, "record.json", record_rows, &r, &r.arena, NULL, e) == 0) {
		*ret = r;
		return 0;
	}
	record_done(&r);
	err_clear(e);
	return err_new(e, ENODATA, "container %s: has no record (kist rm -f %s removes what is there)", d->name, d->name);
}

void record_done(struct record *r)
{
	arena_done(&r->arena);
}

int record_begin(const struct record_dir *d, struct err *e)
{
	char now[CLOCK_TEXT_MAX];
	const struct ending x = { .started = clock_text(now) };

	return record_end(d, &x, e);
}

int record_end(const struct record_dir *d, const struct ending *x, struct err *e)
{
	str_auto struct str text = STR_MAX(RECORD_MAX / 2);

	jx_print(&text, ending_rows, x, 0);
	str_puts(&text, "\n");
	return put_line(d, d->head_len, &text, e);
}

void ending_done(struct ending *x)
{
	arena_done(&x->arena);
}

static void read_ending(int fd, struct ending *ret)
{
	struct ending x = { 0 };
	struct err ignored = { 0 };
	free_auto char *text = NULL;
	size_t len = 0, head = 0;

	*ret = (struct ending){ 0 };
	if (read_text(fd, false, &text, &len) < 0)
		return;
	head = head_of(text, len);
	if (head == 0 || head == len)
		return;
	if (jx_load(text + head, len - head, "record.json", ending_rows, &x, &x.arena, NULL, &ignored) < 0)
		ending_done(&x);
	else
		*ret = x;
}

static enum record_state state_of(const struct ending *x, bool is_locked)
{
	if (is_locked)
		return RECORD_RUNNING;
	if (x->finished)
		return RECORD_ENDED;
	return x->started ? RECORD_ORPHANED : RECORD_NEW;
}

enum record_state record_look(const struct record_dir *d, struct ending *ret)
{
	fd_auto int fd = openat(d->fd, "record.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*ret = (struct ending){ 0 };
	if (fd < 0)
		return RECORD_NEW;
	bool is_locked = lock_try(fd, true) == -EWOULDBLOCK;
	read_ending(fd, ret);
	return state_of(ret, is_locked);
}

/* flock(2) has no timeout, so a limited wait asks again until the time is over. */
static int lock_within(int fd, int timeout_ms)
{
	struct timespec step = { .tv_nsec = WAIT_STEP_MS * 1000000L };
	int r;

	if (timeout_ms < 0)
		return lock_wait(fd, true);
	while ((r = lock_try(fd, true)) == -EWOULDBLOCK && timeout_ms > 0) {
		nanosleep(&step, NULL);
		timeout_ms -= WAIT_STEP_MS;
	}
	return r;
}

int record_wait(const struct record_dir *d, int timeout_ms, struct ending *ret, struct err *e)
{
	fd_auto int fd = openat(d->fd, "record.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*ret = (struct ending){ 0 };
	if (fd < 0)
		return 0;
	int r = lock_within(fd, timeout_ms);
	if (r < 0)
		return r == -EWOULDBLOCK ? -EBUSY : err_ret(e, r, "container %s: wait", d->name);
	read_ending(fd, ret);
	return 0;
}
