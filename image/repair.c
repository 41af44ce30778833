/* SPDX-License-Identifier: Apache-2.0 */
/* See repair.h. */
#include "image/repair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/erofsmount.h"
#include "image/flatwrite.h"
#include "image/gc.h"
#include "image/holders.h"
#include "image/index.h"
#include "image/names.h"
#include "image/oci.h"
#include "image/reach.h"
#include "util/fd.h"
#include "util/mem.h"

/* A blob that was let in once is read whatever its ratio is. */
static const struct layerjob_options unpack_options = {
	.limits = { .bytes = UINT64_MAX, .ratio = UINT64_MAX, .ratio_from = UINT64_MAX },
	.style = PROGRESS_NONE,
};

struct repair {
	struct ingest in;
	const struct check_result *found;
	const struct repair_request *request;
	struct digests layers; /* to be made anew */
	struct digests made;
	struct digests flats; /* images whose merged directories are to be made anew */
};

static void tell(const struct repair *m, bool is_wrong, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void tell(const struct repair *m, bool is_wrong, const char *format, ...)
{
	char line[ERR_TEXT_MAX + 200];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	m->request->told(m->request->ctx, is_wrong, line);
}

/* ---- blobs, and what cannot work without them ---- */

static int drop_blobs(struct repair *m, struct err *e)
{
	char path[STORE_PATH_MAX];
	const struct store *s = m->in.store;
	for (size_t i = 0; i < m->found->bad_blobs.n; i++) {
		const char *digest = m->found->bad_blobs.v[i];
		if (unlinkat(s->dir, store_blob_path(digest, path), 0) < 0 && errno != ENOENT)
			return err_sys(e, "remove blob %s", digest);
		tell(m, false, "blob %s: removed", digest);
	}
	return 0;
}

/* What was dropped for its sake comes back from the blobs, when the image is run. Who has it mounted keeps it. */
static int drop_erofs(struct repair *m, struct err *e)
{
	char path[STORE_PATH_MAX];
	const struct store *s = m->in.store;
	for (size_t i = 0; i < m->found->bad_erofs.n; i++) {
		const char *digest = m->found->bad_erofs.v[i];
		if (unlinkat(s->dir, erofs_path(digest, path), 0) < 0 && errno != ENOENT)
			return err_sys(e, "remove %s", path);
		tell(m, false, "EROFS file of %s: removed", digest);
	}
	return 0;
}

/* What one image lacks. */
struct lack {
	const struct store *store;
	char document[DIGEST_TEXT_MAX], blob[DIGEST_TEXT_MAX];
	bool is_unread; /* a document is there, but is none */
	bool is_stuck; /* a layer is neither unpacked nor can it be */
};

static void on_thing(void *ctx, const struct reached *thing, const char *problem)
{
	struct lack *l = ctx;
	const char *digest = thing->desc->digest;
	/* What is there but cannot be read just now is no reason to take a name away. */
	if (problem && thing->is_ours && strcmp(problem, REACH_MISSING) == 0)
		memcpy(l->document, digest, DIGEST_TEXT_MAX);
	else if (problem && thing->is_ours)
		l->is_unread = true;
	if (thing->kind != REACH_LAYER || !thing->is_ours || store_has_blob(l->store, digest))
		return;
	memcpy(l->blob, digest, DIGEST_TEXT_MAX);
	l->is_stuck |= !thing->diff_id || !store_has_layer(l->store, thing->diff_id);
}

static int check_row(struct repair *m, const struct name_row *row, struct err *e)
{
	struct lack l = { .store = m->in.store };
	const char *name = row->name ? row->name : row->desc->digest;
	reach_row(m->in.store, row->desc, on_thing, &l);
	if (l.document[0]) {
		int r = index_remove(&m->in, row->name, row->desc->digest, e);
		if (r == 0)
			tell(m, false, "image %s: removed, for want of %s; load or pull it again", name, l.document);
		return r;
	}
	if (l.is_unread)
		tell(m, true, "image %s: its documents cannot be read: load or pull it again", name);
	if (l.blob[0])
		tell(m, true, "image %s: lacks the layer blob %s: %s until it is loaded or pulled again", name, l.blob,
		     l.is_stuck ? "it cannot run" : "it runs, but cannot be saved or pushed");
	return 0;
}

static int check_rows(struct repair *m, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	int r = names_read(m->in.store, &names, e);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = check_row(m, &names.v[i], e);
	return r;
}

/* ---- layers ---- */

static int choose_layers(struct repair *m, struct err *e)
{
	char id[256];
	const struct digests *bad = &m->found->bad_layers;
	for (size_t i = 0; i < bad->n; i++) {
		if (i > 0 && strcmp(bad->v[i], bad->v[i - 1]) == 0)
			continue;
		int r = holders_running(m->in.store, bad->v[i], id, sizeof(id), e);
		if (r < 0)
			return r;
		if (r > 0)
			tell(m, true, "layer %s: not repaired, since %s runs on it: stop that first", bad->v[i], id);
		else
			digests_add(&m->layers, bad->v[i]);
	}
	digests_sort(&m->layers);
	return 0;
}

/*
 * A container that has begun between the look and the swap may have opened the old tree: it lives on inside the new
 * one's directory, and goes with it.
 */
static int keep_old(struct repair *m, const struct layerjob *job, struct err *e)
{
	char id[256], from[64], path[STORE_PATH_MAX], to[STORE_PATH_MAX + 64];
	int r = holders_running(m->in.store, job->diff_id, id, sizeof(id), e);
	if (r <= 0)
		return r;
	snprintf(from, sizeof(from), "layer-%zu", job->number);
	snprintf(to, sizeof(to), "%s/replaced-%s.%zu", store_layer_path(job->diff_id, path), m->in.name, job->number);
	if (renameat(m->in.dir, from, m->in.store->dir, to) < 0 && errno != ENOENT)
		return err_sys(e, "layer %s: keep what %s runs on", job->diff_id, id);
	return 0;
}

static bool has_work(const struct repair *m, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (digests_have(&m->layers, plan->jobs[i].diff_id) && !digests_have(&m->made, plan->jobs[i].diff_id))
			return true;
	return false;
}

/* Unpacks the broken layers of one image, upon its other layers. image/inherit */
static int remake(struct repair *m, const struct source *src, const struct name_row *row, struct err *e)
{
	plan_auto struct plan plan = { .count = 0 };
	struct err why;
	if (oci_plan(src, m->in.store, row->desc, &plan, &why) < 0 || !has_work(m, &plan))
		return 0;
	plan.row_digest = row->desc->digest;
	plan.remake = &m->layers;
	int r = image_commit(&m->in, &plan, &unpack_options, e);
	for (size_t i = 0; r == 0 && i < plan.count; i++) {
		const struct layerjob *job = &plan.jobs[i];
		if (job->same_as >= 0 || !digests_have(&m->layers, job->diff_id))
			continue;
		r = keep_old(m, job, e);
		if (!digests_have(&m->made, job->diff_id))
			tell(m, false, "layer %s: unpacked again", job->diff_id);
		digests_add(&m->made, job->diff_id);
		digests_sort(&m->made);
	}
	return r;
}

static int remake_layers(struct repair *m, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	source_auto struct source src = SOURCE_NONE;
	int r = names_read(m->in.store, &names, e);
	if (r == 0 && m->layers.n)
		r = source_open(m->in.store->path, &m->in, &unpack_options.limits, &src, e);
	for (size_t i = 0; r == 0 && m->layers.n && i < names.n; i++)
		r = remake(m, &src, &names.v[i], e);
	for (size_t i = 0; r == 0 && i < m->layers.n; i++)
		if (!digests_have(&m->made, m->layers.v[i]))
			tell(m, true, "layer %s: not repaired: the store has no image with its blob", m->layers.v[i]);
	return r;
}

/* ---- merged directories ---- */

/* Those that are not what the layers show, and those with files of layers that were exchanged. */
static int choose_flats(struct repair *m, struct err *e)
{
	const struct digests *bad = &m->found->bad_flats;
	for (size_t i = 0; i < bad->n; i++)
		digests_add(&m->flats, bad->v[i]);
	int r = flat_find(m->in.store, &m->made, &m->flats, e);
	digests_sort(&m->flats);
	return r;
}

struct standing {
	const struct store *store;
	char line[DIGEST_TEXT_MAX + 8];
	char id[256];
};

static bool stands_on(void *ctx, const char *id, char *list)
{
	struct standing *q = ctx;
	if (!strstr(list, q->line) || !holder_is_running(q->store, id))
		return false;
	snprintf(q->id, sizeof(q->id), "%s", id);
	return true;
}

/*
 * Takes one out of its place, so that containers that begin from here on have its layers. Who runs on it keeps it: then it
 * goes back, and waits for the next repair.
 */
static int drop_flat(struct repair *m, const char *digest, bool *ret_is_gone, struct err *e)
{
	char path[STORE_PATH_MAX];
	struct standing q = { .store = m->in.store };
	const int store = m->in.store->dir;
	*ret_is_gone = false;
	snprintf(q.line, sizeof(q.line), "flat %s\n", digest);
	int r = holders_each(m->in.store, stands_on, &q, e);
	if (r == 0 && renameat(store, flat_path(digest, path), m->in.dir, digest_hex(digest)) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "remove %s", path);
	if (r == 0 && (r = holders_each(m->in.store, stands_on, &q, e)) == 0) {
		*ret_is_gone = true;
		r = file_remove_tree(m->in.dir, digest_hex(digest));
	} else if (faccessat(m->in.dir, digest_hex(digest), F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
		   renameat(m->in.dir, digest_hex(digest), store, path) < 0) {
		r = -errno;
	}
	if (r > 0)
		tell(m, true, "merged directory of %s: not repaired, since %s runs on it: stop that first", digest, q.id);
	return r < 0 ? err_ret(e, r, "remove %s", flat_path(digest, path)) : 0;
}

/* With all layers there, taking the image in once more makes what it lacks. */
static int remake_flat(struct repair *m, const struct source *src, const struct name_row *row, struct err *e)
{
	plan_auto struct plan plan = { .count = 0 };
	struct err why;
	if (oci_plan(src, m->in.store, row->desc, &plan, &why) < 0 || !digests_have(&m->flats, plan.digest))
		return 0;
	plan.row_digest = row->desc->digest;
	return image_commit(&m->in, &plan, &unpack_options, e);
}

static int remake_flats(struct repair *m, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	source_auto struct source src = SOURCE_NONE;
	int r = choose_flats(m, e);
	size_t gone = 0;
	for (size_t i = 0; r == 0 && i < m->flats.n; i++) {
		bool is_gone;
		r = drop_flat(m, m->flats.v[i], &is_gone, e);
		gone += is_gone;
		if (r == 0 && is_gone)
			tell(m, false, "merged directory of %s: removed", m->flats.v[i]);
	}
	if (r < 0 || !gone)
		return r;
	r = names_read(m->in.store, &names, e);
	if (r == 0)
		r = source_open(m->in.store->path, &m->in, &unpack_options.limits, &src, e);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = remake_flat(m, &src, &names.v[i], e);
	return r;
}

/* ---- notes of blobs that are gone ---- */

/* Gone for sure, which an error of the disk is not. */
static bool is_blob_gone(const struct store *s, const char *digest)
{
	char path[STORE_PATH_MAX];
	return faccessat(s->dir, store_blob_path(digest, path), F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* What keep_old has kept, once nobody runs on it. */
static int drop_replaced(struct repair *m, int layer, const char *hex, const char *name, struct err *e)
{
	char id[256], digest[DIGEST_TEXT_MAX];
	snprintf(digest, sizeof(digest), "sha256:%.64s", hex);
	int r = holders_running(m->in.store, digest, id, sizeof(id), e);
	if (r == 0 && (r = file_remove_tree(layer, name)) < 0)
		return err_ret(e, r, "layer %s: %s", digest, name);
	return r < 0 ? r : 0;
}

static int drop_notes(struct repair *m, const char *hex, struct err *e)
{
	char path[STORE_PATH_MAX], digest[DIGEST_TEXT_MAX];
	snprintf(path, sizeof(path), "layers/sha256/%.64s", hex);
	int top = openat(m->in.store->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = top < 0 ? NULL : fdopendir(top);
	if (!d) {
		fd_close(top);
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "%s", path);
	}
	int r = 0, end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));) {
		if (strncmp(de->d_name, "replaced-", 9) == 0)
			r = drop_replaced(m, top, hex, de->d_name, e);
		if (strncmp(de->d_name, "from-", 5) != 0)
			continue;
		snprintf(digest, sizeof(digest), "sha256:%.64s", de->d_name + 5);
		if (digest_is_valid(digest) && !is_blob_gone(m->in.store, digest))
			continue;
		if (unlinkat(top, de->d_name, 0) < 0 && errno != ENOENT)
			r = err_sys(e, "%s/%s", path, de->d_name);
		else
			tell(m, false, "layer sha256:%.64s: %s: removed, as the blob is not there", hex, de->d_name);
	}
	closedir(d);
	return r == 0 && end < 0 ? err_ret(e, end, "%s", path) : r;
}

static int drop_all_notes(struct repair *m, struct err *e)
{
	int top = openat(m->in.store->dir, "layers/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = top < 0 ? NULL : fdopendir(top);
	if (!d) {
		fd_close(top);
		return err_sys(e, "layers/sha256");
	}
	int r = 0, end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));)
		if (de->d_name[0] != '.')
			r = drop_notes(m, de->d_name, e);
	closedir(d);
	return r == 0 && end < 0 ? err_ret(e, end, "layers/sha256") : r;
}

/* ---- the whole ---- */

static int mend(struct repair *m, struct err *e)
{
	int r = ingest_mark(&m->in, e);
	if (r < 0 || (r = drop_blobs(m, e)) < 0 || (r = drop_erofs(m, e)) < 0 ||
	    (r = choose_layers(m, e)) < 0 || (r = remake_layers(m, e)) < 0 || (r = remake_flats(m, e)) < 0 ||
	    (r = ingest_mark(&m->in, e)) < 0 || (r = check_rows(m, e)) < 0 || (r = drop_all_notes(m, e)) < 0 ||
	    (r = gc_run(&m->in, e)) < 0)
		return r;
	ingest_unmark(&m->in);
	return 0;
}

int repair_run(const struct store *s, const struct check_result *found, const struct repair_request *request,
	       struct err *e)
{
	struct repair m = { .in = INGEST_NONE, .found = found, .request = request };
	if (s->dir < 0)
		return 0;
	int r = ingest_open(s, &m.in, e);
	if (r == 0)
		r = mend(&m, e);
	ingest_done(&m.in);
	digests_done(&m.layers);
	digests_done(&m.made);
	digests_done(&m.flats);
	return r;
}
