/* SPDX-License-Identifier: Apache-2.0 */
/* See snapshot.h. Source: image-spec config.md; docker commit. */
#include "image/snapshot.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "image/change.h"
#include "image/commit.h"
#include "image/deflate.h"
#include "image/hold.h"
#include "image/layertar.h"
#include "image/packer.h"
#include "util/clock.h"
#include "util/fd.h"

struct snapshot {
	const struct snapshot_request *request;
	struct image base;
	json_t *config; /* of the base, which becomes that of the new image */
	struct packer packer;
	size_t change_count;
	bool has_layer;
};

/* ---- the layer ---- */

static int count_change(void *ctx, const struct upper_entry *en, struct err *e)
{
	(void)en;
	(void)e;
	++*(size_t *)ctx;
	return 0;
}

/*
 * What stands still has as many changes behind the reading as before. Else the container was removed or started
 * meanwhile, and a layer without what was gone by then is none of it.
 */
static int check_still(const struct snapshot *sn, struct err *e)
{
	size_t now = 0;
	if (sn->request->upper.is_live)
		return 0;
	int r = upper_walk(&sn->request->upper, count_change, &now, e);
	if (r == 0 && now != sn->change_count)
		return err_new(e, EBUSY, "the container was changed while it was read");
	return r;
}

static int pack(void *ctx, int out, struct err *e)
{
	const struct snapshot *sn = ctx;
	struct deflate packed;
	struct tarout tar;
	deflate_open(&packed, tarout_to_fd, &out, 0);
	tarout_open(&tar, deflate_write, &packed);
	int r = layer_tar(&sn->request->upper, &tar, e);
	if (r == 0)
		r = deflate_finish(&packed, e);
	tarout_done(&tar);
	deflate_done(&packed);
	return r;
}

/* ---- documents ---- */

static json_t *member(json_t *object, const char *key, json_t *(*make)(void))
{
	json_t *m = json_object_get(object, key);
	if (!m || json_is_null(m)) {
		m = make();
		json_object_set_new(object, key, m);
	}
	return m;
}

/*
 * The base's config with all that it says, as it is in the blob. Of a container that it was made from itself (Docker's
 * older images) it is not to speak any more.
 */
static int load_config(const struct store *s, struct snapshot *sn, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	json_error_t where;
	const char *digest = sn->base.manifest.config->digest;
	int r = store_read_blob(s, digest, STORE_CONFIG_MAX, &bytes, &len, e);
	if (r < 0)
		return r;
	sn->config = json_loadb(bytes, len, 0, &where);
	if (!sn->config)
		return err_new(e, EINVAL, "config %s: %s", digest, where.text);
	json_object_del(sn->config, "container");
	json_object_del(sn->config, "container_config");
	json_t *process = member(sn->config, "config", json_object);
	for (size_t i = 0; r == 0 && i < sn->request->change_count; i++)
		r = change_apply(process, sn->request->changes[i], e);
	return r;
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, json_string(text));
}

/* History is optional, but what there is of it has a step for each layer: image-spec config.md "history". */
static void add_history(const struct snapshot *sn, const char *now)
{
	json_t *history = member(sn->config, "history", json_array), *step = json_object();
	size_t known = 0, i;
	json_t *old;
	json_array_foreach(history, i, old) known += !json_is_true(json_object_get(old, "empty_layer"));
	for (; known < sn->base.layers.n; known++)
		json_array_append_new(history, json_object());
	set_text(step, "created", now);
	set_text(step, "created_by", sn->request->created_by);
	set_text(step, "author", sn->request->author);
	set_text(step, "comment", sn->request->message);
	if (!sn->has_layer)
		json_object_set_new(step, "empty_layer", json_true());
	json_array_append_new(history, step);
}

/* Called when the layer is in: the config names its diffID. */
static int make_config(struct plan *plan, void *ctx, struct err *e)
{
	struct snapshot *sn = ctx;
	char now[CLOCK_TEXT_MAX];
	int r = packer_end(&sn->packer, e);
	if (r == 0)
		r = check_still(sn, e);
	if (r < 0)
		return r;
	clock_text(now);
	set_text(sn->config, "created", now);
	set_text(sn->config, "author", sn->request->author);
	add_history(sn, now);
	json_t *diffs = json_object_get(json_object_get(sn->config, "rootfs"), "diff_ids");
	if (sn->has_layer)
		json_array_append_new(diffs, json_string(plan->jobs[plan->count - 1].diff_id));
	plan->config = json_dumps(sn->config, JSON_COMPACT);
	if (!plan->config)
		mem_out();
	plan->config_len = strlen(plan->config);
	return 0;
}

/* ---- all of it ---- */

/* The base's layers are in the store, and stay as they are. */
static void plan_base(const struct image *base, struct plan *plan)
{
	for (size_t i = 0; i < base->layers.n; i++) {
		const struct descriptor *d = &base->manifest.layers.v[i];
		struct layerjob *job = &plan->jobs[i];
		memcpy(job->blob, d->digest, DIGEST_TEXT_MAX);
		memcpy(job->diff_id, base->layers.v[i], DIGEST_TEXT_MAX);
		job->size_bytes = (uint64_t)d->size_bytes.v;
		job->media_type = d->media_type;
		job->packing = layer_packing(d->media_type);
	}
}

static int check_request(const struct snapshot_request *request, char name[static REF_TEXT_MAX], struct err *e)
{
	struct ref ref;
	json_t *process = json_object();
	int r = request->name ? ref_parse(request->name, &ref, e) : 0;
	if (r == 0 && request->name && ref.digest[0])
		r = err_new(e, EINVAL, "image name \"%s\": a name that is given has no digest", request->name);
	else if (r == 0 && request->name)
		ref_text(&ref, name);
	for (size_t i = 0; r == 0 && i < request->change_count; i++)
		r = change_apply(process, request->changes[i], e);
	json_decref(process);
	return r;
}

static int open_base(const struct store *s, const struct ingest *in, struct snapshot *sn, struct err *e)
{
	int r = image_open(s, sn->request->digest, &sn->base, e);
	if (r == -ENOENT) {
		err_clear(e);
		return err_new(e, ENOENT, "its image %s was removed from the store, or came out of a packed file: "
			       "\"kist image load\" brings that in", sn->request->digest);
	}
	if (r == 0)
		r = image_hold(s, in->locks, &sn->base, e);
	return r < 0 ? r : load_config(s, sn, e);
}

static int take_in(const struct store *s, struct snapshot *sn, const char *name, struct plan *plan, struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	int r = ingest_open(s, &in, e);
	if (r < 0 || (r = open_base(s, &in, sn, e)) < 0)
		return r;
	r = upper_walk(&sn->request->upper, count_change, &sn->change_count, e);
	if (r < 0)
		return r;
	sn->has_layer = sn->change_count > 0;
	if (sn->base.layers.n + sn->has_layer > IMAGE_LAYERS_MAX)
		return err_new(e, E2BIG, "its image has %zu layers, and one can have %d", sn->base.layers.n,
			       IMAGE_LAYERS_MAX);
	plan_layers(plan, sn->base.layers.n + sn->has_layer);
	plan_base(&sn->base, plan);
	if (name)
		plan_name(plan, name);
	plan->make_config = make_config;
	plan->ctx = sn;
	struct layerjob *job = sn->has_layer ? &plan->jobs[plan->count - 1] : NULL;
	if (job) {
		sn->packer.write = pack;
		sn->packer.ctx = sn;
		job->is_stream = true;
		r = packer_start(&sn->packer, &job->own_fd, e);
		job->fd = job->own_fd;
	}
	if (r >= 0)
		r = image_commit(&in, plan, &sn->request->options, e);
	/* The packer's pipe must be closed before it can be waited for. */
	if (job)
		layerjob_done(job);
	return packer_blame(&sn->packer, r, e);
}

int image_snapshot(const struct store *s, struct snapshot_request *request, struct err *e)
{
	plan_auto struct plan plan = { .count = 0 };
	struct snapshot sn = { .request = request, .packer = PACKER_NONE };
	char name[REF_TEXT_MAX];
	int r = check_request(request, name, e);
	if (r == 0)
		r = take_in(s, &sn, request->name ? name : NULL, &plan, e);
	json_decref(sn.config);
	image_done(&sn.base);
	memcpy(request->result, plan.digest, DIGEST_TEXT_MAX);
	return r;
}
