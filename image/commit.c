/* SPDX-License-Identifier: Apache-2.0 */
/* See commit.h. */
#include "image/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/digest.h"
#include "image/flatwrite.h"
#include "image/gc.h"
#include "image/index.h"
#include "image/inherit.h"
#include "image/names.h"
#include "image/objlock.h"
#include "util/fd.h"
#include "util/path.h"

#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

void plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		layerjob_done(&plan->jobs[i]);
	free(plan->jobs);
	free(plan->manifest);
	free(plan->config);
	free(plan->names);
	for (size_t i = 0; i < plan->extra_count; i++)
		free(plan->extras[i].bytes);
	free(plan->extras);
	arena_done(&plan->arena);
	*plan = (struct plan){ .count = 0 };
}

void plan_layers(struct plan *plan, size_t count)
{
	plan->jobs = mem_alloc((count ? count : 1) * sizeof(*plan->jobs));
	plan->count = count;
	for (size_t i = 0; i < count; i++)
		layerjob_init(&plan->jobs[i]);
}

void plan_name(struct plan *plan, const char *name)
{
	plan->names = mem_grow(plan->names, (plan->name_count + 1) * sizeof(*plan->names));
	plan->names[plan->name_count++] = arena_str(&plan->arena, name);
}

void plan_extra(struct plan *plan, const char *name, const char *media_type, char *own_bytes, size_t len)
{
	plan->extras = mem_grow(plan->extras, (plan->extra_count + 1) * sizeof(*plan->extras));
	struct extra *x = &plan->extras[plan->extra_count++];
	*x = (struct extra){ .name = name, .media_type = media_type, .bytes = own_bytes, .len = len };
	digest_of(own_bytes, len, x->digest);
}

/* ---- what has to be done ---- */

/* True when this blob is known to unpack to this diffID: it was seen to, or it is the plain tar itself. */
static bool is_pair(const struct store *s, const struct layerjob *job)
{
	char path[STORE_PATH_MAX], from[STORE_PATH_MAX + 80];
	if (strcmp(job->blob, job->diff_id) == 0)
		return true;
	snprintf(from, sizeof(from), "%s/from-%s", store_layer_path(job->diff_id, path),
		 digest_hex(job->blob));
	return faccessat(s->dir, from, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_remade(const struct plan *plan, const struct layerjob *job)
{
	return plan->remake && job->diff_id[0] && digests_have(plan->remake, job->diff_id);
}

static void decide(const struct store *s, struct plan *plan, struct layerjob *job)
{
	job->wants_blob = !job->blob[0] || !store_has_blob(s, job->blob);
	job->wants_tree = !job->diff_id[0] || !store_has_layer(s, job->diff_id) || is_remade(plan, job);
	job->is_wanted = job->wants_blob || job->wants_tree || !is_pair(s, job);
	job->same_as = -1;
	for (int i = 0; &plan->jobs[i] < job; i++) {
		const struct layerjob *twin = &plan->jobs[i];
		bool is_same_tree = job->diff_id[0] && strcmp(twin->diff_id, job->diff_id) == 0;
		bool is_same_blob =
			job->blob[0] ? strcmp(twin->blob, job->blob) == 0 :
				       !twin->blob[0] && twin->fd == job->fd && twin->offset == job->offset;
		job->wants_tree &= !is_same_tree;
		job->wants_blob &= !is_same_blob;
		if (is_same_tree && is_same_blob) {
			job->is_wanted = false;
			job->same_as = i;
			break;
		}
	}
}

/* Reads a blob that the store has from there, so that the source may lack it. */
static int use_stored_blob(const struct store *s, struct layerjob *job, struct err *e)
{
	char path[STORE_PATH_MAX];
	if (!job->is_wanted || job->wants_blob || !job->blob[0])
		return 0;
	int fd = openat(s->dir, store_blob_path(job->blob, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "blob %s", job->blob);
	fd_drop(&job->own_fd);
	job->own_fd = job->fd = fd;
	job->offset = 0;
	job->feed = NULL;
	return 0;
}

static int compare_jobs(const void *a, const void *b)
{
	const struct layerjob *const *x = a, *const *y = b;
	return objlock_order((*x)->diff_id, (*y)->diff_id);
}

/*
 * Takes the build locks in the common order, then looks again: another load may have made a layer meanwhile.
 */
static int lock_builds(struct ingest *in, struct plan *plan, struct err *e)
{
	struct layerjob **order = mem_alloc((plan->count + 1) * sizeof(struct layerjob *));
	size_t n = 0;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->jobs[i].is_wanted && plan->jobs[i].diff_id[0])
			order[n++] = &plan->jobs[i];
	qsort(order, n, sizeof(struct layerjob *), compare_jobs);
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = objlock_build(in->locks, order[i]->diff_id, e);
	free(order);
	for (size_t i = 0; r == 0 && i < plan->count; i++)
		decide(in->store, plan, &plan->jobs[i]);
	return r;
}

static int lock_use(struct ingest *in, const struct plan *plan, struct err *e)
{
	int r = plan->digest[0] ? objlock_use(in->locks, plan->digest, e) : 0;
	for (size_t i = 0; r == 0 && i < plan->extra_count; i++)
		r = objlock_use(in->locks, plan->extras[i].digest, e);
	if (r == 0 && plan->config_digest[0])
		r = objlock_use(in->locks, plan->config_digest, e);
	for (size_t i = 0; r == 0 && i < plan->count; i++) {
		if (plan->jobs[i].blob[0])
			r = objlock_use(in->locks, plan->jobs[i].blob, e);
		if (r == 0 && plan->jobs[i].diff_id[0])
			r = objlock_use(in->locks, plan->jobs[i].diff_id, e);
	}
	return r;
}

static int take_layers(struct ingest *in, struct plan *plan, const struct layerjob_options *options,
		       struct err *e)
{
	for (size_t i = 0; i < plan->count; i++)
		decide(in->store, plan, &plan->jobs[i]);
	int r = lock_builds(in, plan, e);
	for (size_t i = 0; r == 0 && i < plan->count; i++)
		r = use_stored_blob(in->store, &plan->jobs[i], e);
	if (r == 0)
		r = layerjobs_run(in, plan->jobs, plan->count, options, e);
	for (size_t i = 0; r == 0 && i < plan->count; i++) {
		struct layerjob *job = &plan->jobs[i];
		if (job->same_as < 0)
			continue;
		const struct layerjob *twin = &plan->jobs[job->same_as];
		memcpy(job->blob, twin->blob, sizeof(job->blob));
		job->size_bytes = twin->size_bytes;
		job->packing = twin->packing;
	}
	return r;
}

/* ---- documents ---- */

/* An OCI manifest for an archive that has none. Its bytes depend on config and layers alone. */
static void make_manifest(struct plan *plan)
{
	json_t *layers = json_array();
	for (size_t i = 0; i < plan->count; i++) {
		const struct layerjob *job = &plan->jobs[i];
		json_array_append_new(layers, json_pack("{s:s, s:s, s:I}", "mediaType",
							layer_media_type(job->packing), "digest", job->blob,
							"size", (json_int_t)job->size_bytes));
	}
	json_t *doc = json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:o}", "schemaVersion", 2, "mediaType",
				MANIFEST_TYPE, "config", "mediaType", CONFIG_TYPE, "digest",
				plan->config_digest, "size", (json_int_t)plan->config_len, "layers", layers);
	plan->manifest = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	if (!plan->manifest)
		mem_out();
	plan->manifest_len = strlen(plan->manifest);
	plan->media_type = MANIFEST_TYPE;
	digest_of(plan->manifest, plan->manifest_len, plan->digest);
}

static int make_documents(struct plan *plan, struct err *e)
{
	int r = 0;
	if (!plan->config) {
		r = plan->make_config(plan, plan->ctx, e);
		digest_of(r < 0 ? "" : plan->config, plan->config_len, plan->config_digest);
	}
	if (r == 0 && !plan->manifest)
		make_manifest(plan);
	return r;
}

/* ---- publishing ---- */

static int publish_blob(struct ingest *in, const struct layerjob *job, struct err *e)
{
	char from[64], to[STORE_PATH_MAX];
	snprintf(from, sizeof(from), "blob-%zu", job->number);
	if (renameat(in->dir, from, in->store->dir, store_blob_path(job->blob, to)) < 0)
		return err_sys(e, "blob %s", job->blob);
	return 0;
}

/*
 * A layer that another load has published meanwhile stays; ours goes with the ingest. One that is made anew takes the
 * other's place at once, and that goes.
 */
static int publish_tree(struct ingest *in, const struct layerjob *job, bool is_remade, struct err *e)
{
	char from[64], to[STORE_PATH_MAX];
	snprintf(from, sizeof(from), "layer-%zu", job->number);
	if (is_remade && renameat2(in->dir, from, in->store->dir, store_layer_path(job->diff_id, to),
				   RENAME_EXCHANGE) == 0)
		return 0;
	if (is_remade && errno != ENOENT)
		return err_sys(e, "layer %s", job->diff_id);
	if (renameat(in->dir, from, in->store->dir, store_layer_path(job->diff_id, to)) < 0 &&
	    errno != EEXIST && errno != ENOTEMPTY)
		return err_sys(e, "layer %s", job->diff_id);
	return 0;
}

/* Remembers that this blob holds that layer, so that the next image with both need not read it. */
static int publish_pair(struct ingest *in, const struct layerjob *job, struct err *e)
{
	char path[STORE_PATH_MAX], from[STORE_PATH_MAX + 80];
	if (strcmp(job->blob, job->diff_id) == 0)
		return 0;
	snprintf(from, sizeof(from), "%s/from-%s", store_layer_path(job->diff_id, path),
		 digest_hex(job->blob));
	fd_auto int fd = path_open(in->store->dir, from, PATH_BENEATH, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644);
	return fd < 0 ? err_ret(e, fd, "layer %s", job->diff_id) : 0;
}

static int publish(struct ingest *in, struct plan *plan, struct err *e)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < plan->count; i++) {
		const struct layerjob *job = &plan->jobs[i];
		if (!job->is_wanted)
			continue;
		r = job->wants_blob ? publish_blob(in, job, e) : 0;
		if (r == 0 && job->wants_tree)
			r = publish_tree(in, job, is_remade(plan, job), e);
		if (r == 0)
			r = publish_pair(in, job, e);
	}
	if (r == 0)
		r = ingest_blob(in, plan->config_digest, plan->config, plan->config_len, e);
	if (r == 0)
		r = ingest_blob(in, plan->digest, plan->manifest, plan->manifest_len, e);
	for (size_t i = 0; r == 0 && i < plan->extra_count; i++)
		r = ingest_blob(in, plan->extras[i].digest, plan->extras[i].bytes, plan->extras[i].len, e);
	return r;
}

static int sync_dirs(const struct store *s, struct err *e)
{
	static const char *const dirs[] = { "blobs/sha256", "layers/sha256" };
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		fd_auto int fd = openat(s->dir, dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fsync(fd) < 0)
			return err_sys(e, "store %s: %s", s->path, dirs[i]);
	}
	return 0;
}

/* Somebody else may have removed the image meanwhile: then its layers are nobody's. */
static int find_names(struct ingest *in, struct plan *plan, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	int r = names_read(in->store, &names, e);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (strcmp(names.v[i].desc->digest, plan->row_digest) == 0)
			return 0;
	return r < 0 ? r : err_new(e, ENOENT, "image %s: it was removed meanwhile", plan->row_digest);
}

static int publish_names(struct ingest *in, struct plan *plan, struct err *e)
{
	int r = 0;
	if (plan->row_digest)
		return find_names(in, plan, e);
	for (size_t i = 0; r == 0 && i < plan->name_count; i++)
		r = index_add(in, plan->names[i], plan->digest, plan->media_type, plan->manifest_len, e);
	if (!plan->name_count)
		r = index_add(in, NULL, plan->digest, plan->media_type, plan->manifest_len, e);
	/* Behind the image's own row: signatures without their image are swept. */
	for (size_t i = 0; r == 0 && i < plan->extra_count; i++)
		if (plan->extras[i].name)
			r = index_add(in, plan->extras[i].name, plan->extras[i].digest,
				      plan->extras[i].media_type, plan->extras[i].len, e);
	return r;
}

static bool has_new_data(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->jobs[i].is_wanted && (plan->jobs[i].wants_blob || plan->jobs[i].wants_tree))
			return true;
	return false;
}

static int commit(struct ingest *in, struct plan *plan, const struct layerjob_options *options, struct err *e)
{
	for (size_t i = 0; i < plan->count; i++)
		plan->jobs[i].number = in->made++;
	int r = lock_use(in, plan, e);
	if (r < 0 || (r = take_layers(in, plan, options, e)) < 0 ||
	    (r = inherit_dirs(in, plan->jobs, plan->count, e)) < 0 || (r = make_documents(plan, e)) < 0 ||
	    (r = lock_use(in, plan, e)) < 0)
		return r;
	const bool has_flat = flat_make(in, plan->jobs, plan->count, plan->digest);
	/*
	 * One barrier for all data: what is renamed below is on the disk, or a power cut could leave it
	 * empty.
	 */
	if ((has_new_data(plan) || has_flat) && syncfs(in->dir) < 0)
		return err_sys(e, "store %s: sync", in->store->path);
	if ((r = ingest_mark(in, e)) < 0 || (r = publish(in, plan, e)) < 0 ||
	    (r = sync_dirs(in->store, e)) < 0 || (has_flat && (r = flat_publish(in, plan->digest, e)) < 0))
		return r;
	return publish_names(in, plan, e);
}

int image_commit(struct ingest *in, struct plan *plan, const struct layerjob_options *options, struct err *e)
{
	int r = commit(in, plan, options, e);
	objlock_end(in->locks);
	/* What was published before the failure has no name: it goes, now or with the next command. */
	struct err ignored;
	if (r == 0 || !ingest_is_marked(in) || gc_run(in, &ignored) == 0)
		ingest_unmark(in);
	return r;
}
