/* SPDX-License-Identifier: Apache-2.0 */
/* See check.h. */
#include "image/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/check_parts.h"
#include "image/convert.h"
#include "image/erofsmount.h"
#include "image/flatwrite.h"
#include "image/inherit.h"
#include "image/names.h"
#include "image/objlock.h"
#include "image/reach.h"
#include "util/fd.h"
#include "util/lock.h"
#include "util/mem.h"

/* ---- findings ---- */

void check_say(struct check *c, const char *format, ...)
{
	va_list args;
	char *line = NULL;
	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		mem_out();
	va_end(args);
	/* Names in a layer are bytes of a stranger's: one line each, and nothing for the terminal. */
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	pthread_mutex_lock(&c->lock);
	struct check_result *r = &c->result;
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 32;
		r->lines = mem_grow(r->lines, r->room * sizeof(*r->lines));
	}
	r->lines[r->n++] = line;
	pthread_mutex_unlock(&c->lock);
}

void check_note(struct check *c, struct digests *set, const char *digest)
{
	pthread_mutex_lock(&c->lock);
	digests_add(set, digest);
	pthread_mutex_unlock(&c->lock);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_lines(struct check_result *r)
{
	size_t kept = 0;
	if (r->n)
		qsort(r->lines, r->n, sizeof(*r->lines), compare_lines);
	for (size_t i = 0; i < r->n; i++) {
		if (kept && strcmp(r->lines[kept - 1], r->lines[i]) == 0)
			free(r->lines[i]);
		else
			r->lines[kept++] = r->lines[i];
	}
	r->n = kept;
}

void check_done(struct check_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->lines[i]);
	free(r->lines);
	digests_done(&r->bad_blobs);
	digests_done(&r->bad_layers);
	digests_done(&r->bad_erofs);
	digests_done(&r->bad_flats);
	*r = (struct check_result){ .n = 0 };
}

/* ---- documents ---- */

static void add_job(struct check *c, const char *digest, int64_t size, const char *diff_id)
{
	if (c->job_count == c->job_room) {
		c->job_room = c->job_room ? c->job_room * 2 : 64;
		c->jobs = mem_grow(c->jobs, c->job_room * sizeof(*c->jobs));
	}
	struct check_job *job = &c->jobs[c->job_count++];
	*job = (struct check_job){ .size_bytes = size };
	memcpy(job->digest, digest, DIGEST_TEXT_MAX);
	if (diff_id)
		memcpy(job->diff_id, diff_id, DIGEST_TEXT_MAX);
}

static void on_thing(void *ctx, const struct reached *thing, const char *problem)
{
	struct check *c = ctx;
	struct err e;
	const char *digest = thing->desc->digest;
	if (!problem && (objlock_use(c->locks, digest, &e) < 0 ||
			 (thing->diff_id && objlock_use(c->locks, thing->diff_id, &e) < 0)))
		check_say(c, "%s: %s", c->row, e.text);
	if (problem)
		check_say(c, "image %s: %s %s: %s", c->row, reach_word(thing->kind), digest, problem);
	else if (store_has_blob(c->store, digest))
		add_job(c, digest, thing->desc->size_bytes.v, thing->diff_id);
	else if (thing->kind == REACH_LAYER && thing->is_ours)
		check_say(c, "image %s: layer blob %s: missing", c->row, digest);
	if (problem || !thing->diff_id || !thing->is_ours)
		return;
	digests_add(&c->layers, thing->diff_id);
	if (c->row_layer_count < ARRAY_LEN(c->row_layers))
		c->row_layers[c->row_layer_count++] = arena_str(&c->row_arena, thing->diff_id);
}

static void on_taken_over(void *ctx, const char *diff_id, const char *path, const char *what)
{
	check_say(ctx, "layer %s: %s: %s", diff_id, path, what);
	check_note(ctx, &((struct check *)ctx)->result.bad_layers, diff_id);
}

/* A row that another command takes away meanwhile is no finding. */
static bool is_row_there(const struct store *s, const struct name_row *row)
{
	names_auto struct names now = { .n = 0 };
	struct err ignored;
	if (names_read(s, &now, &ignored) < 0)
		return true;
	for (size_t i = 0; i < now.n; i++)
		if (strcmp(now.v[i].desc->digest, row->desc->digest) == 0)
			return true;
	return false;
}

static void check_row(struct check *c, const struct name_row *row)
{
	size_t before = c->result.n;
	c->row = row->name ? row->name : row->desc->digest;
	c->row_layer_count = 0;
	reach_row(c->store, row->desc, on_thing, c);
	/* A layer that is missing is told, or need not be there. */
	struct err e;
	int r = c->request->is_quick ? 0
				     : inherit_check(c->store, c->row_layers, c->row_layer_count, on_taken_over, c, &e);
	if (r < 0 && r != -ENOENT)
		check_say(c, "image %s: %s", c->row, e.text);
	arena_done(&c->row_arena);
	if (c->result.n == before || is_row_there(c->store, row))
		return;
	while (c->result.n > before)
		free(c->result.lines[--c->result.n]);
}

static void check_names(struct check *c, const struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		for (size_t k = 0; names->v[i].name && k < i; k++)
			if (names->v[k].name && strcmp(names->v[k].name, names->v[i].name) == 0)
				check_say(c, "index.json: manifests[%zu]: the name %s is that of manifests[%zu], too", i,
					  names->v[i].name, k);
}

static int check_documents(struct check *c, struct err *e)
{
	const struct check_request *q = c->request;
	names_auto struct names names = { .n = 0 };
	int r = names_read(c->store, &names, e);
	if (r < 0) {
		check_say(c, "%s", e->text);
		return 0;
	}
	for (size_t i = 0; i < q->image_count; i++) {
		bool is_by_digest;
		ptrdiff_t n = names_find(&names, q->images[i], &is_by_digest, e);
		if (n < 0)
			return (int)n;
		check_row(c, &names.v[n]);
	}
	if (q->image_count)
		return 0;
	check_names(c, &names);
	for (size_t i = 0; i < names.n; i++)
		check_row(c, &names.v[i]);
	return 0;
}

/* ---- directories ---- */

typedef void entry_fn(struct check *c, int dir, const char *name);

static int each_entry(struct check *c, const char *path, entry_fn *fn, struct err *e)
{
	int top = openat(c->store->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = top < 0 ? NULL : fdopendir(top);
	if (!d) {
		fd_close(top);
		return errno == ENOENT ? 0 : err_sys(e, "store %s: %s", c->store->path, path);
	}
	int r = 0;
	for (struct dirent *de; (de = fd_next(d, &r));)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			fn(c, top, de->d_name);
	closedir(d);
	return r < 0 ? err_ret(e, r, "store %s: %s", c->store->path, path) : 0;
}

static bool digest_by_name(const char *name, char out[static DIGEST_TEXT_MAX])
{
	int len = snprintf(out, DIGEST_TEXT_MAX, "sha256:%s", name);
	return len > 0 && len < DIGEST_TEXT_MAX && digest_is_valid(out);
}

/* Blobs that no document leads to must be what their names say, too. */
static void on_blob(struct check *c, int dir, const char *name)
{
	char digest[DIGEST_TEXT_MAX];
	struct err e;
	struct stat st;
	if (!digest_by_name(name, digest))
		check_say(c, "blobs/sha256/%s: no blob's name", name);
	else if (objlock_use(c->locks, digest, &e) < 0)
		check_say(c, "%s", e.text);
	else if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		add_job(c, digest, -1, NULL);
}

static void on_layer(struct check *c, int dir, const char *name)
{
	char digest[DIGEST_TEXT_MAX];
	struct err e;
	(void)dir;
	if (!digest_by_name(name, digest))
		check_say(c, "layers/sha256/%s: no layer's name", name);
	else if (objlock_use(c->locks, digest, &e) < 0)
		check_say(c, "%s", e.text);
	else
		digests_add(&c->layers, digest);
}

/* A file of an image stands for its layers; its bytes are compared with what kist would write. */
static void on_erofs(struct check *c, int dir, const char *name)
{
	char digest[DIGEST_TEXT_MAX];
	struct err e;
	(void)dir;
	if (!digest_by_name(name, digest))
		check_say(c, "erofs/sha256/%s: no image's name", name);
	else if (objlock_use(c->locks, digest, &e) < 0)
		check_say(c, "%s", e.text);
	else if (!c->request->is_quick && image_check_erofs(c->store, digest, &e) < 0) {
		check_say(c, "%s", e.text);
		check_note(c, &c->result.bad_erofs, digest);
	}
}

static void on_flat(struct check *c, int dir, const char *name)
{
	char digest[DIGEST_TEXT_MAX];
	struct err e;
	(void)dir;
	if (!digest_by_name(name, digest))
		check_say(c, "flat/sha256/%s: no image's name", name);
	else if (objlock_use(c->locks, digest, &e) < 0)
		check_say(c, "%s", e.text);
	else if (!c->request->is_quick) {
		int r = flat_check(c->store, digest, &e);
		if (r < 0 && r != -ENOENT) {
			check_say(c, "%s", e.text);
			check_note(c, &c->result.bad_flats, digest);
		}
	}
}

/* An owner makes its entry and then takes the lock: a young one gets the time for that. */
static void wait_for_owner(const struct stat *st)
{
	const struct timespec pause = { .tv_nsec = 300000000 };
	struct timespec now;
	if (clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec - st->st_ctim.tv_sec <= 1)
		nanosleep(&pause, NULL);
}

/* A free lock means that the owner is dead. image/ingest */
static void on_tmp(struct check *c, int dir, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	wait_for_owner(&st);
	fd_auto int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int r = fd < 0 ? -errno : lock_try(fd, false);
	if ((r == 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) || r == -ELOOP)
		check_say(c, "tmp/%s: left by a command that was killed", name);
}

static bool has_erofs(const struct check *c, const char *digest)
{
	return digest_is_valid(digest) && erofs_has(c->store, digest);
}

static void on_container(struct check *c, int dir, const char *name)
{
	char path[NAME_MAX + 16];
	free_auto char *list = NULL;
	bool stands_elsewhere = false; /* on a packed image or an EROFS file, as its first line says */
	snprintf(path, sizeof(path), "%s/layers", name);
	int r = name[0] == '.' ? -ENOENT : file_read(dir, path, 1 << 20, false, &list, NULL);
	if (r == -ENOENT || r == -ENOTDIR)
		return;
	if (r < 0)
		check_say(c, "containers/%s: %s", path, strerror(-r));
	for (char *save = NULL, *line = r < 0 ? NULL : strtok_r(list, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "pack ", 5) == 0 || (strncmp(line, "erofs ", 6) == 0 && has_erofs(c, line + 6)))
			stands_elsewhere = true;
		else if (strncmp(line, "flat ", 5) == 0 && digest_is_valid(line + 5))
			continue; /* its layers are there as well */
		else if (!digest_is_valid(line))
			check_say(c, "containers/%s: \"%.80s\" is no digest", path, line);
		else if (!stands_elsewhere && !store_has_layer(c->store, line) && faccessat(dir, path, F_OK, 0) == 0)
			check_say(c, "container %s: layer %s: missing", name, line);
	}
}

/* ---- the whole ---- */

static int check_all(struct check *c, struct err *e)
{
	int r = check_documents(c, e);
	if (r < 0)
		return r;
	if (!c->request->image_count &&
	    ((r = each_entry(c, "blobs/sha256", on_blob, e)) < 0 ||
	     (r = each_entry(c, "layers/sha256", on_layer, e)) < 0 ||
	     (r = each_entry(c, "erofs/sha256", on_erofs, e)) < 0 ||
	     (r = each_entry(c, "flat/sha256", on_flat, e)) < 0 ||
	     (r = each_entry(c, "tmp", on_tmp, e)) < 0 || (r = each_entry(c, "containers", on_container, e)) < 0))
		return r;
	check_objects(c);
	sort_lines(&c->result);
	digests_sort(&c->result.bad_blobs);
	digests_sort(&c->result.bad_layers);
	digests_sort(&c->result.bad_erofs);
	digests_sort(&c->result.bad_flats);
	return 0;
}

int check_run(const struct store *s, const struct check_request *request, struct check_result *ret, struct err *e)
{
	struct check c = { .store = s, .request = request, .lock = PTHREAD_MUTEX_INITIALIZER };
	if (s->dir < 0) {
		*ret = c.result;
		return request->image_count ? err_new(e, ENOENT, "image \"%s\": not in the store", request->images[0]) :
					      0;
	}
	c.locks = objlock_open(s, e);
	int r = c.locks < 0 ? c.locks : check_all(&c, e);
	fd_close(c.locks);
	free(c.jobs);
	digests_done(&c.layers);
	if (r < 0)
		check_done(&c.result);
	else
		*ret = c.result;
	return r;
}
