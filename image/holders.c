/* SPDX-License-Identifier: Apache-2.0 */
/* See holders.h. */
#include "image/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/lock.h"
#include "util/mem.h"

enum { LIST_MAX = 1 << 20 };

/* One container; one without a list (half made, or not from an image) holds nothing. */
static int take_one(int top, const char *id, holders_fn *take, void *ctx, struct err *e)
{
	char path[NAME_MAX + 16];
	free_auto char *list = NULL;
	snprintf(path, sizeof(path), "%s/layers", id);
	int r = file_read(top, path, LIST_MAX, false, &list, NULL);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? err_ret(e, r, "%s", path) : take(ctx, id, list);
}

static int each_below(const struct store *s, const char *name, holders_fn *take, void *ctx, struct err *e)
{
	int top = openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0)
		return errno == ENOENT ? 0 : err_sys(e, "store %s: %s", s->path, name);
	DIR *d = fdopendir(top);
	if (!d) {
		fd_close(top);
		return err_sys(e, "store %s: %s", s->path, name);
	}
	int r = 0, end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));)
		if (de->d_name[0] != '.')
			r = take_one(top, de->d_name, take, ctx, e);
	closedir(d);
	return r == 0 && end < 0 ? err_ret(e, end, "store %s: list %s", s->path, name) : r;
}

struct mounted {
	holders_fn *take;
	void *ctx;
};

static bool take_mount(void *ctx, const char *id, char *list)
{
	const struct mounted *m = ctx;
	char name[32];
	snprintf(name, sizeof(name), HOLDER_MOUNT "%.12s", id);
	return m->take(m->ctx, name, list);
}

/* Mounts (image/mounts.h) hold layers by a list of the same kind. */
int holders_each(const struct store *s, holders_fn *take, void *ctx, struct err *e)
{
	struct mounted m = { take, ctx };
	int r = each_below(s, "containers", take, ctx, e);
	return r ? r : each_below(s, "mounts", take_mount, &m, e);
}

static bool mark(void *ctx, const char *id, char *list)
{
	struct digests *layers = ctx;
	(void)id;
	for (char *save = NULL, *line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (digest_is_valid(line))
			digests_add(layers, line);
	return false;
}

int holders_mark(const struct store *s, struct digests *layers, struct err *e)
{
	return holders_each(s, mark, layers, e);
}

/* The line by which a container holds a thing of its image, by the image's digest (engine/root). NULL: none. */
static const char *line_of(const char *list, const char *key)
{
	for (const char *at = list; (at = strstr(at, key)); at++)
		if (at == list || at[-1] == '\n')
			return at + strlen(key);
	return NULL;
}

static const char *erofs_line(const char *list)
{
	return line_of(list, "erofs ");
}

static bool mark_unpacked(void *ctx, const char *id, char *list)
{
	return erofs_line(list) ? false : mark(ctx, id, list);
}

int holders_mark_unpacked(const struct store *s, struct digests *layers, struct err *e)
{
	return holders_each(s, mark_unpacked, layers, e);
}

static void add_line(struct digests *set, const char *line)
{
	char digest[DIGEST_TEXT_MAX];
	if (!line)
		return;
	snprintf(digest, sizeof(digest), "%.*s", (int)strcspn(line, "\n"), line);
	if (digest_is_valid(digest))
		digests_add(set, digest);
}

static bool mark_erofs(void *ctx, const char *id, char *list)
{
	(void)id;
	add_line(ctx, erofs_line(list));
	return false;
}

int holders_mark_erofs(const struct store *s, struct digests *images, struct err *e)
{
	return holders_each(s, mark_erofs, images, e);
}

static bool mark_flat(void *ctx, const char *id, char *list)
{
	(void)id;
	add_line(ctx, line_of(list, "flat "));
	return false;
}

int holders_mark_flat(const struct store *s, struct digests *images, struct err *e)
{
	return holders_each(s, mark_flat, images, e);
}

struct search {
	struct digests want;
	char *id;
	size_t size;
};

static bool is_same_set(void *ctx, const char *id, char *list)
{
	struct search *search = ctx;
	digests_auto struct digests have = { .v = NULL };
	mark(&have, id, list);
	digests_sort(&have);
	for (size_t i = 0; i < have.n; i++)
		if (!digests_have(&search->want, have.v[i]))
			return false;
	for (size_t i = 0; i < search->want.n; i++)
		if (!digests_have(&have, search->want.v[i]))
			return false;
	snprintf(search->id, search->size, "%s", id);
	return true;
}

int holders_find(const struct store *s, const struct strs *layers, char *ret_id, size_t size, struct err *e)
{
	struct search search = { .id = ret_id, .size = size };
	for (size_t i = 0; i < layers->n; i++)
		digests_add(&search.want, layers->v[i]);
	digests_sort(&search.want);
	int r = holders_each(s, is_same_set, &search, e);
	digests_done(&search.want);
	return r;
}

/*
 * The record's lock is held by whoever runs the container; its second line says how a run began and, later, ended
 * (engine/record.h).
 */
bool holder_is_running(const struct store *s, const char *id)
{
	char path[NAME_MAX + 32];
	free_auto char *text = NULL;
	if (strncmp(id, HOLDER_MOUNT, sizeof(HOLDER_MOUNT) - 1) == 0)
		return true;
	snprintf(path, sizeof(path), "containers/%s/record.json", id);
	fd_auto int fd = openat(s->dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT || faccessat(s->dir, path, F_OK, 0) == 0;
	if (lock_try(fd, true) < 0)
		return true;
	lock_end(fd);
	if (file_read(s->dir, path, LIST_MAX, false, &text, NULL) < 0)
		return true;
	const char *second = strchr(text, '\n');
	return second && strstr(second, "\"startedAt\"") && !strstr(second, "\"finishedAt\"");
}

struct running {
	const struct store *store;
	const char *diff_id;
	char *id;
	size_t size;
};

static bool runs_on(void *ctx, const char *id, char *list)
{
	struct running *q = ctx;
	if (!strstr(list, q->diff_id) || !holder_is_running(q->store, id))
		return false;
	snprintf(q->id, q->size, "%s", id);
	return true;
}

int holders_running(const struct store *s, const char *diff_id, char *ret_id, size_t size, struct err *e)
{
	struct running q = { s, diff_id, ret_id, size };
	return holders_each(s, runs_on, &q, e);
}
