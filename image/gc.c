/* SPDX-License-Identifier: Apache-2.0 */
/* See gc.h. */
#include "image/gc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/names.h"
#include "image/objlock.h"
#include "util/fd.h"

/* ---- sets of digests ---- */

void digests_add(struct digests *d, const char *digest)
{
	if (d->n == d->room) {
		d->room = d->room ? d->room * 2 : 64;
		d->v = mem_grow(d->v, d->room * sizeof(*d->v));
	}
	memcpy(d->v[d->n++], digest, DIGEST_TEXT_MAX);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void digests_sort(struct digests *d)
{
	if (d->n)
		qsort(d->v, d->n, sizeof(*d->v), compare);
}

bool digests_have(const struct digests *d, const char *digest)
{
	return d->n && bsearch(digest, d->v, d->n, sizeof(*d->v), compare);
}

void digests_done(struct digests *d)
{
	free(d->v);
	*d = (struct digests){ .v = NULL };
}

/* ---- mark ---- */

struct marks {
	const struct store *store;
	struct digests blobs;
	struct digests layers;
};

static void marks_done(struct marks *m)
{
	digests_done(&m->blobs);
	digests_done(&m->layers);
}

#define marks_auto __attribute__((cleanup(marks_done)))

static int mark_document(struct marks *m, const char *digest, int depth, struct err *e);

/* A config that is no image's (an artifact) has no layers to keep. */
static void mark_config(struct marks *m, const struct document *doc, struct arena *arena)
{
	free_auto char *bytes = NULL;
	size_t len;
	struct image_config config;
	struct err ignored;
	const char *digest = doc->config->digest;
	if (store_read_blob(m->store, digest, STORE_CONFIG_MAX, &bytes, &len, &ignored) < 0 ||
	    config_load(bytes, len, digest, -1, arena, &config, &ignored) < 0)
		return;
	for (size_t i = 0; i < config.rootfs->diff_ids.n; i++)
		digests_add(&m->layers, config.rootfs->diff_ids.v[i]);
}

static int mark_children(struct marks *m, const struct document *doc, struct arena *arena, int depth,
			 struct err *e)
{
	int r = 0;
	if (doc->config) {
		digests_add(&m->blobs, doc->config->digest);
		mark_config(m, doc, arena);
	}
	for (size_t i = 0; i < doc->layers.n; i++)
		digests_add(&m->blobs, doc->layers.v[i].digest);
	for (size_t i = 0; r == 0 && i < doc->manifests.n; i++)
		r = mark_document(m, doc->manifests.v[i].digest, depth + 1, e);
	return r;
}

/* Other platforms of an index need not be here; a document that is here and cannot be read stops the gc. */
static int mark_document(struct marks *m, const char *digest, int depth, struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	free_auto char *bytes = NULL;
	size_t len;
	struct document doc;
	digests_add(&m->blobs, digest);
	if (depth > 4)
		return err_new(e, ELOOP, "index %s: more than 4 deep", digest);
	int r = store_read_blob(m->store, digest, STORE_MANIFEST_MAX, &bytes, &len, e);
	if (r == -ENOENT)
		return 0;
	if (r < 0 || (r = document_load(bytes, len, digest, NULL, &arena, &doc, e)) < 0)
		return r;
	return mark_children(m, &doc, &arena, depth, e);
}

/* Calls `take` for each container that has a list of layers. It stops at the first true. */
static bool each_container(const struct store *s, bool (*take)(void *ctx, const char *id, char *list),
			   void *ctx)
{
	int top = openat(s->dir, "containers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = top < 0 ? NULL : fdopendir(top);
	bool is_done = false;
	if (!d) {
		fd_close(top);
		return false;
	}
	for (struct dirent *de; !is_done && (de = readdir(d));) {
		char path[NAME_MAX + 16];
		free_auto char *list = NULL;
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/layers", de->d_name);
		if (file_read(top, path, 1 << 20, false, &list, NULL) == 0)
			is_done = take(ctx, de->d_name, list);
	}
	closedir(d);
	return is_done;
}

static bool mark_container(void *ctx, const char *id, char *list)
{
	struct marks *m = ctx;
	(void)id;
	for (char *save = NULL, *line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (digest_is_valid(line))
			digests_add(&m->layers, line);
	return false;
}

static int mark(const struct store *s, struct marks *ret_marks, struct err *e)
{
	marks_auto struct marks m = { .store = s };
	names_auto struct names names = { .n = 0 };
	int r = names_read(s, &names, e);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = mark_document(&m, names.v[i].desc->digest, 0, e);
	if (r < 0)
		return r;
	each_container(s, mark_container, &m);
	digests_sort(&m.blobs);
	digests_sort(&m.layers);
	*ret_marks = m;
	m = (struct marks){ .store = NULL };
	return 0;
}

/* ---- sweep ---- */

/* Lists the objects of one directory of the store that are not marked. */
static int list_unmarked(const struct store *s, const char *dir, const struct digests *marked,
			 struct digests *out, struct err *e)
{
	int top = openat(s->dir, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = top < 0 ? NULL : fdopendir(top);
	if (!d) {
		int r = err_sys(e, "store %s: %s", s->path, dir);
		fd_close(top);
		return r;
	}
	for (struct dirent *de; (de = readdir(d));) {
		char digest[NAME_MAX + 16];
		snprintf(digest, sizeof(digest), "sha256:%s", de->d_name);
		if (digest_is_valid(digest) && !digests_have(marked, digest))
			digests_add(out, digest);
	}
	closedir(d);
	return 0;
}

/*
 * Moves a layer away, looks whether a container has taken hold of it meanwhile, and removes it or puts it
 * back.
 */
static void sweep_layer(struct ingest *in, const char *digest)
{
	char path[STORE_PATH_MAX];
	marks_auto struct marks held = { .store = in->store };
	if (renameat(in->store->dir, store_layer_path(digest, path), in->dir, digest_hex(digest)) < 0)
		return;
	each_container(in->store, mark_container, &held);
	digests_sort(&held.layers);
	if (digests_have(&held.layers, digest))
		renameat(in->dir, digest_hex(digest), in->store->dir, path);
	else
		file_remove_tree(in->dir, digest_hex(digest));
}

static void keep_lockable(struct digests *d, int locks)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->n; i++)
		if (objlock_try_delete(locks, d->v[i]))
			memmove(d->v[kept++], d->v[i], DIGEST_TEXT_MAX);
	d->n = kept;
}

static int find_unmarked(const struct store *s, struct digests *blobs, struct digests *layers, struct err *e)
{
	marks_auto struct marks m = { .store = s };
	int r = mark(s, &m, e);
	if (r == 0)
		r = list_unmarked(s, "blobs/sha256", &m.blobs, blobs, e);
	return r < 0 ? r : list_unmarked(s, "layers/sha256", &m.layers, layers, e);
}

int gc_run(struct ingest *in, struct err *e)
{
	digests_auto struct digests blobs = { .v = NULL }, layers = { .v = NULL };
	int r = find_unmarked(in->store, &blobs, &layers, e);
	if (r < 0 || (!blobs.n && !layers.n))
		return r;
	/* A lock of its own, so that these go when this is over, while the ingest's stay. */
	fd_auto int locks = objlock_open(in->store, e);
	if (locks < 0)
		return fd_take(&locks);
	keep_lockable(&blobs, locks);
	keep_lockable(&layers, locks);
	/* A load may have finished between the marking and the locking: only what is still unmarked goes. */
	marks_auto struct marks m = { .store = in->store };
	if ((r = mark(in->store, &m, e)) < 0)
		return r;
	char path[STORE_PATH_MAX];
	for (size_t i = 0; i < blobs.n; i++)
		if (!digests_have(&m.blobs, blobs.v[i]))
			unlinkat(in->store->dir, store_blob_path(blobs.v[i], path), 0);
	for (size_t i = 0; i < layers.n; i++)
		if (!digests_have(&m.layers, layers.v[i]))
			sweep_layer(in, layers.v[i]);
	return 0;
}

/* ---- who holds ---- */

struct holder_search {
	struct digests want;
	char *id;
	size_t size;
};

static bool is_same_set(void *ctx, const char *id, char *list)
{
	struct holder_search *search = ctx;
	marks_auto struct marks have = { .store = NULL };
	mark_container(&have, id, list);
	digests_sort(&have.layers);
	for (size_t i = 0; i < have.layers.n; i++)
		if (!digests_have(&search->want, have.layers.v[i]))
			return false;
	for (size_t i = 0; i < search->want.n; i++)
		if (!digests_have(&have.layers, search->want.v[i]))
			return false;
	snprintf(search->id, search->size, "%s", id);
	return true;
}

bool gc_find_holder(const struct store *s, const struct strs *layers, char *ret_id, size_t size)
{
	struct holder_search search = { .id = ret_id, .size = size };
	for (size_t i = 0; i < layers->n; i++)
		digests_add(&search.want, layers->v[i]);
	digests_sort(&search.want);
	bool is_found = each_container(s, is_same_set, &search);
	digests_done(&search.want);
	return is_found;
}
