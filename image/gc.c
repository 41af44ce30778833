/* SPDX-License-Identifier: Apache-2.0 */
/* See gc.h. */
#include "image/gc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/du.h"
#include "image/erofsmount.h"
#include "image/flat.h"
#include "image/holders.h"
#include "image/names.h"
#include "image/objlock.h"
#include "util/fd.h"

/* ---- mark ---- */

struct marks {
	const struct store *store;
	struct digests blobs;
	struct digests layers;
	struct digests erofs;  /* by the digests of their images */
	struct digests flats;  /* merged directories, likewise */
	bool is_for_unpacked;  /* an image with an EROFS file needs no unpacked layers */
};

static void marks_done(struct marks *m)
{
	digests_done(&m->blobs);
	digests_done(&m->layers);
	digests_done(&m->erofs);
	digests_done(&m->flats);
}

#define marks_auto __attribute__((cleanup(marks_done)))

static int mark_document(struct marks *m, const struct descriptor *d, int depth, struct err *e);

/* A config that is no image's (an artifact) has no layers to keep; an image's must be readable. */
static int mark_config(struct marks *m, const struct document *doc, struct arena *arena, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	struct image_config config;
	const struct descriptor *d = doc->config;
	int r = store_read_blob(m->store, d->digest, STORE_CONFIG_MAX, &bytes, &len, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if ((r = config_load(bytes, len, d->digest, -1, arena, &config, e)) < 0)
		return d->media_type && !strstr(d->media_type, "image") ? 0 : r;
	for (size_t i = 0; i < config.rootfs->diff_ids.n; i++)
		digests_add(&m->layers, config.rootfs->diff_ids.v[i]);
	return 0;
}

static int mark_children(struct marks *m, const char *digest, const struct document *doc, struct arena *arena,
			 int depth, struct err *e)
{
	int r = 0;
	if (doc->config) {
		digests_add(&m->blobs, doc->config->digest);
		const bool has_erofs = erofs_has(m->store, digest);
		digests_add(&m->erofs, digest);
		if (!has_erofs)
			digests_add(&m->flats, digest);
		r = m->is_for_unpacked && has_erofs ? 0 : mark_config(m, doc, arena, e);
	}
	for (size_t i = 0; i < doc->layers.n; i++)
		digests_add(&m->blobs, doc->layers.v[i].digest);
	for (size_t i = 0; r == 0 && i < doc->manifests.n; i++)
		r = mark_document(m, &doc->manifests.v[i], depth + 1, e);
	return r;
}

/* Other platforms of an index need not be here; a document that is here and cannot be read stops the gc. */
static int mark_document(struct marks *m, const struct descriptor *d, int depth, struct err *e)
{
	const char *digest = d->digest;
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
	if (r == 0)
		r = document_load(bytes, len, digest, NULL, &arena, &doc, e);
	if (r < 0)
		return descriptor_is_foreign(d) ? 0 : r; /* as far as it can be told what belongs to it */
	return mark_children(m, digest, &doc, &arena, depth, e);
}

static int mark_held(struct marks *m, struct err *e)
{
	if (m->is_for_unpacked)
		return holders_mark_unpacked(m->store, &m->layers, e);
	int r = holders_mark(m->store, &m->layers, e);
	if (r == 0)
		r = holders_mark_erofs(m->store, &m->erofs, e);
	return r < 0 ? r : holders_mark_flat(m->store, &m->flats, e);
}

static int mark(const struct store *s, bool is_for_unpacked, struct marks *ret_marks, struct err *e)
{
	marks_auto struct marks m = { .store = s, .is_for_unpacked = is_for_unpacked };
	names_auto struct names names = { .n = 0 };
	int r = names_read(s, &names, e);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = mark_document(&m, names.v[i].desc, 0, e);
	if (r < 0)
		return r;
	if ((r = mark_held(&m, e)) < 0)
		return r;
	digests_sort(&m.blobs);
	digests_sort(&m.layers);
	digests_sort(&m.erofs);
	digests_sort(&m.flats);
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
	if (top < 0 && errno == ENOENT)
		return 0;
	DIR *d = top < 0 ? NULL : fdopendir(top);
	if (!d) {
		int r = err_sys(e, "store %s: %s", s->path, dir);
		fd_close(top);
		return r;
	}
	int r = 0;
	for (struct dirent *de; (de = fd_next(d, &r));) {
		char digest[NAME_MAX + 16];
		snprintf(digest, sizeof(digest), "sha256:%s", de->d_name);
		if (digest_is_valid(digest) && !digests_have(marked, digest))
			digests_add(out, digest);
	}
	closedir(d);
	return r < 0 ? err_ret(e, r, "store %s: list %s", s->path, dir) : 0;
}

/* What containers hold of a kind of object. */
typedef int held_fn(const struct store *s, struct digests *held, struct err *e);

/* Moves an object away, and back if a container has taken hold of it meanwhile or nobody can tell. */
static int sweep_held(struct ingest *in, const char *path, const char *digest, held_fn *mark_it, struct err *e)
{
	const char *hex = digest_hex(digest);
	digests_auto struct digests held = { .v = NULL };
	if (renameat(in->store->dir, path, in->dir, hex) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "remove %s", path);
	int r = mark_it(in->store, &held, e);
	digests_sort(&held);
	if (r == 0 && !digests_have(&held, digest)) {
		du_auto struct du du = { .is_whole = true };
		du_add(&du, in->dir, hex);
		r = file_remove_tree(in->dir, hex);
		in->freed_bytes += du.bytes;
	} else if (renameat(in->dir, hex, in->store->dir, path) < 0) {
		r = -errno;
	}
	return r < 0 ? err_ret(e, r, "remove %s", path) : 0;
}

static int sweep_layer(struct ingest *in, const char *digest, struct err *e)
{
	char path[STORE_PATH_MAX];
	return sweep_held(in, store_layer_path(digest, path), digest, holders_mark, e);
}

static int sweep_erofs(struct ingest *in, const char *digest, struct err *e)
{
	char path[STORE_PATH_MAX];
	return sweep_held(in, erofs_path(digest, path), digest, holders_mark_erofs, e);
}

static int sweep_flat(struct ingest *in, const char *digest, struct err *e)
{
	char path[STORE_PATH_MAX];
	return sweep_held(in, flat_path(digest, path), digest, holders_mark_flat, e);
}

/* Leaves out what others use just now. */
static int keep_lockable(struct digests *d, int locks, struct err *e)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->n; i++) {
		int r = objlock_try_delete(locks, d->v[i], e);
		if (r < 0)
			return r;
		if (r > 0)
			memmove(d->v[kept++], d->v[i], DIGEST_TEXT_MAX);
	}
	d->n = kept;
	return 0;
}

struct unmarked {
	struct digests blobs, layers, erofs, flats;
};

static void unmarked_done(struct unmarked *u)
{
	digests_done(&u->blobs);
	digests_done(&u->layers);
	digests_done(&u->erofs);
	digests_done(&u->flats);
}

#define unmarked_auto __attribute__((cleanup(unmarked_done)))

static int find_unmarked(const struct store *s, struct unmarked *u, struct err *e)
{
	marks_auto struct marks m = { .store = s };
	int r = mark(s, false, &m, e);
	if (r == 0)
		r = list_unmarked(s, "blobs/sha256", &m.blobs, &u->blobs, e);
	if (r == 0)
		r = list_unmarked(s, "layers/sha256", &m.layers, &u->layers, e);
	if (r == 0)
		r = list_unmarked(s, "erofs/sha256", &m.erofs, &u->erofs, e);
	return r < 0 ? r : list_unmarked(s, "flat/sha256", &m.flats, &u->flats, e);
}

static int keep_all_lockable(struct unmarked *u, int locks, struct err *e)
{
	struct digests *const all[] = { &u->blobs, &u->layers, &u->erofs, &u->flats };
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(all); i++)
		r = keep_lockable(all[i], locks, e);
	return r;
}

typedef int sweep_fn(struct ingest *in, const char *digest, struct err *e);

static int sweep(struct ingest *in, const struct digests *list, const struct digests *marked, sweep_fn *fn, struct err *e)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < list->n; i++)
		if (!digests_have(marked, list->v[i]))
			r = fn(in, list->v[i], e);
	return r;
}

int gc_run(struct ingest *in, struct err *e)
{
	unmarked_auto struct unmarked u = { .blobs.v = NULL };
	int r = find_unmarked(in->store, &u, e);
	if (r < 0 || (!u.blobs.n && !u.layers.n && !u.erofs.n && !u.flats.n))
		return r;
	/* A lock of its own, so that these go when this is over, while the ingest's stay. */
	fd_auto int locks = objlock_open(in->store, e);
	if (locks < 0)
		return fd_take(&locks);
	if ((r = keep_all_lockable(&u, locks, e)) < 0)
		return r;
	/* A load may have finished between the marking and the locking: only what is still unmarked goes. */
	marks_auto struct marks m = { .store = in->store };
	if ((r = mark(in->store, false, &m, e)) < 0)
		return r;
	char path[STORE_PATH_MAX];
	for (size_t i = 0; i < u.blobs.n; i++) {
		du_auto struct du du = { .is_whole = true };
		if (digests_have(&m.blobs, u.blobs.v[i]))
			continue;
		du_add(&du, in->store->dir, store_blob_path(u.blobs.v[i], path));
		if (unlinkat(in->store->dir, path, 0) < 0 && errno != ENOENT)
			return err_sys(e, "remove blob %s", u.blobs.v[i]);
		in->freed_bytes += du.bytes;
	}
	/* Before the layers, whose files have names more in them: the disk gets those back with their last name. */
	r = sweep(in, &u.flats, &m.flats, sweep_flat, e);
	if (r == 0)
		r = sweep(in, &u.layers, &m.layers, sweep_layer, e);
	return r < 0 ? r : sweep(in, &u.erofs, &m.erofs, sweep_erofs, e);
}

/* A container may stand on it: then it goes with that. */
static int drop_flat(struct ingest *in, const char *digest, int locks, struct err *e)
{
	int r = objlock_try_delete(locks, digest, e);
	return r <= 0 ? r : sweep_flat(in, digest, e);
}

int gc_drop_unpacked(struct ingest *in, const char *digest, const struct strs *diff_ids, size_t *ret_count,
		     struct err *e)
{
	marks_auto struct marks m = { .store = in->store };
	fd_auto int locks = objlock_open(in->store, e);
	int r = locks < 0 ? locks : mark(in->store, true, &m, e);
	*ret_count = 0;
	if (r == 0)
		r = drop_flat(in, digest, locks, e);
	for (size_t i = 0; r == 0 && i < diff_ids->n; i++) {
		char path[STORE_PATH_MAX];
		const char *id = diff_ids->v[i];
		if (digests_have(&m.layers, id) || !store_has_layer(in->store, id))
			continue;
		if ((r = objlock_try_delete(locks, id, e)) <= 0)
			continue;
		r = sweep_held(in, store_layer_path(id, path), id, holders_mark_unpacked, e);
		*ret_count += r == 0 && !store_has_layer(in->store, id);
	}
	return r;
}
