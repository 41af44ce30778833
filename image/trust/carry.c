/* SPDX-License-Identifier: Apache-2.0 */
/* See carry.h. Source: cosign's SIGNATURE_SPEC. */
#include "image/trust/carry.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "image/digest.h"
#include "image/index.h"
#include "image/names.h"
#include "image/objlock.h"
#include "image/trust/attach.h"
#include "util/log.h"

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"

/* ---- out of the store ---- */

static int store_manifest(void *ctx, const char *tag, size_t max, char **ret_bytes, size_t *ret_len, struct err *e)
{
	const struct store *s = ctx;
	names_auto struct names names = { .n = 0 };
	int r = names_read(s, &names, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i].name && strcmp(names.v[i].name, tag) == 0)
			return store_read_blob(s, names.v[i].desc->digest, max, ret_bytes, ret_len, e);
	return -ENOENT;
}

static int store_blob(void *ctx, const char *digest, uint64_t size_bytes, size_t max, char **ret_bytes,
		      size_t *ret_len, struct err *e)
{
	(void)size_bytes;
	return store_read_blob(ctx, digest, max, ret_bytes, ret_len, e);
}

void carry_from_store(const struct store *s, struct trust_fetch *ret_fetch)
{
	*ret_fetch =
		(struct trust_fetch){ .manifest = store_manifest, .blob = store_blob, .ctx = (void *)(uintptr_t)s };
}

/* ---- manifests ---- */

static json_t *layers_of(const char *manifest, size_t len)
{
	json_t *doc = json_loadb(manifest, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *layers = json_incref(json_object_get(doc, "layers"));
	json_decref(doc);
	return json_is_array(layers) ? layers : json_array();
}

static const char *text(json_t *layer, const char *key)
{
	const char *s = json_string_value(json_object_get(layer, key));
	return s ? s : "";
}

static const char *signature(json_t *layer)
{
	return text(json_object_get(layer, "annotations"), ATTACH_SIGNATURE);
}

static bool has_layer(json_t *layers, json_t *layer)
{
	size_t i;
	json_t *has;
	json_array_foreach(layers, i, has) if (strcmp(text(has, "digest"), text(layer, "digest")) == 0 &&
					       strcmp(signature(has), signature(layer)) == 0) return true;
	return false;
}

/* Appends what is new. Returns how much that was. */
static size_t join(json_t *to, json_t *from)
{
	size_t i, n = 0;
	json_t *layer;
	json_array_foreach(from, i, layer) if (!has_layer(to, layer))
	{
		json_array_append(to, layer);
		n++;
	}
	return n;
}

static char *dump(json_t *own_doc)
{
	char *bytes = json_dumps(own_doc, JSON_COMPACT);
	json_decref(own_doc);
	if (!bytes)
		mem_out();
	return bytes;
}

/* A manifest as cosign has it, whose config names the payloads as if they were layers. */
static void print(json_t *layers, char **ret_manifest, char **ret_config)
{
	char digest[DIGEST_TEXT_MAX];
	json_t *ids = json_array(), *layer;
	size_t i;
	json_array_foreach(layers, i, layer) json_array_append_new(ids, json_string(text(layer, "digest")));
	*ret_config = dump(json_pack("{s:s, s:s, s:{}, s:{s:s, s:o}}", "architecture", "", "os", "", "config",
				     "rootfs", "type", "layers", "diff_ids", ids));
	digest_of(*ret_config, strlen(*ret_config), digest);
	*ret_manifest = dump(json_pack("{s:i, s:s, s:{s:s, s:I, s:s}, s:O}", "schemaVersion", 2, "mediaType",
				       MANIFEST_TYPE, "config", "mediaType", CONFIG_TYPE, "size",
				       (json_int_t)strlen(*ret_config), "digest", digest, "layers", layers));
}

int carry_join(const char *mine, size_t mine_len, const char *theirs, size_t theirs_len, char **ret_manifest,
	       char **ret_config, struct err *e)
{
	json_t *all = layers_of(theirs, theirs_len), *new = layers_of(mine, mine_len);
	int r = 0;
	*ret_manifest = *ret_config = NULL;
	if (join(all, new)) {
		if (json_array_size(all) > IMAGE_LAYERS_MAX)
			r = err_new(e, E2BIG, "more than %d signatures", IMAGE_LAYERS_MAX);
		else
			print(all, ret_manifest, ret_config);
	}
	json_decref(all);
	json_decref(new);
	return r;
}

/* ---- along with an image ---- */

static int plan_payloads(const struct trust_fetch *fetch, const struct attached *a, const struct store *s,
			 struct plan *plan, struct err *e)
{
	for (size_t i = 0; i < a->doc.layers.n; i++) {
		char *bytes;
		size_t len;
		if (store_has_blob(s, a->doc.layers.v[i].digest))
			continue;
		int r = attached_payload(fetch, a, i, &bytes, &len, e);
		if (r < 0)
			return r;
		plan_extra(plan, NULL, NULL, bytes, len);
	}
	return 0;
}

/* The manifest as it is, with its config. */
static int plan_same(const struct trust_fetch *fetch, struct attached *a, const char *tag, struct plan *plan,
		     struct err *e)
{
	char *config, got[DIGEST_TEXT_MAX];
	size_t len;
	int r = fetch->blob(fetch->ctx, a->doc.config->digest, (uint64_t)a->doc.config->size_bytes.v,
			    TRUST_PAYLOAD_MAX, &config, &len, e);
	if (r < 0)
		return r;
	digest_of(config, len, got);
	if (strcmp(got, a->doc.config->digest) != 0) {
		free(config);
		return err_new(e, EBADMSG, "config %s: digest mismatch: got %s", a->doc.config->digest, got);
	}
	plan_extra(plan, NULL, NULL, config, len);
	plan_extra(plan, tag, a->doc.media_type ? arena_str(&plan->arena, a->doc.media_type) : MANIFEST_TYPE,
		   ptr_take(a->manifest), a->manifest_len);
	return 0;
}

static int plan_all(const struct trust_fetch *fetch, const struct store *s, struct plan *plan, struct err *e)
{
	attached_auto struct attached a = ATTACHED_NONE, has = ATTACHED_NONE;
	struct trust_fetch from_store;
	char tag[REF_SIGNATURE_TAG_MAX];
	ref_signature_tag(plan->digest, tag);
	carry_from_store(s, &from_store);
	int r = attached_read(fetch, plan->digest, &a, e);
	if (r < 0 || !a.manifest)
		return r;
	if ((r = attached_read(&from_store, plan->digest, &has, e)) < 0 ||
	    (r = plan_payloads(fetch, &a, s, plan, e)) < 0)
		return r;
	const char *name = arena_str(&plan->arena, tag);
	json_t *old = has.manifest ? layers_of(has.manifest, has.manifest_len) : json_array();
	json_t *new = layers_of(a.manifest, a.manifest_len);
	size_t old_count = json_array_size(old), added = join(old, new);
	if (!old_count || (added && json_array_size(old) == json_array_size(new))) {
		r = plan_same(fetch, &a, name, plan, e);
	} else if (added && json_array_size(old) <= IMAGE_LAYERS_MAX) {
		char *manifest, *config;
		print(old, &manifest, &config);
		plan_extra(plan, NULL, NULL, config, strlen(config));
		plan_extra(plan, name, MANIFEST_TYPE, manifest, strlen(manifest));
	}
	json_decref(old);
	json_decref(new);
	return r;
}

static void drop_extras(struct plan *plan, size_t from)
{
	while (plan->extra_count > from)
		free(plan->extras[--plan->extra_count].bytes);
}

void carry_plan(const struct trust_fetch *fetch, const struct store *s, struct plan *plan)
{
	size_t before = plan->extra_count;
	struct err e = { .num = 0 };
	if (plan_all(fetch, s, plan, &e) < 0) {
		drop_extras(plan, before);
		log_warn("signatures of %s are left out: %s", plan->digest, e.text);
	}
}

/* ---- one more ---- */

static int put(struct ingest *in, const char *bytes, size_t len, char ret_digest[static DIGEST_TEXT_MAX],
	       struct err *e)
{
	digest_of(bytes, len, ret_digest);
	int r = objlock_use(in->locks, ret_digest, e);
	return r < 0 ? r : ingest_blob(in, ret_digest, bytes, len, e);
}

static int add(struct ingest *in, const char *digest, json_t *layers, struct err *e)
{
	free_auto char *manifest = NULL, *config = NULL;
	char tag[REF_SIGNATURE_TAG_MAX], at[DIGEST_TEXT_MAX];
	if (json_array_size(layers) > IMAGE_LAYERS_MAX)
		return err_new(e, E2BIG, "image %s: has %d signatures already", digest, IMAGE_LAYERS_MAX);
	print(layers, &manifest, &config);
	int r = put(in, config, strlen(config), at, e);
	if (r == 0)
		r = put(in, manifest, strlen(manifest), at, e);
	if (r == 0)
		r = index_add(in, ref_signature_tag(digest, tag), at, MANIFEST_TYPE, strlen(manifest), e);
	return r;
}

/* What has lost its payload can never be verified again. */
static void drop_lost(const struct store *s, json_t *layers)
{
	for (size_t i = json_array_size(layers); i-- > 0;) {
		const char *digest = text(json_array_get(layers, i), "digest");
		if (!digest_is_valid(digest) || !store_has_blob(s, digest))
			json_array_remove(layers, i);
	}
}

int carry_add(struct ingest *in, const char *digest, const char *payload, size_t len, const char *own_signature,
	      struct err *e)
{
	attached_auto struct attached has = ATTACHED_NONE;
	struct trust_fetch from_store;
	char at[DIGEST_TEXT_MAX];
	carry_from_store(in->store, &from_store);
	/* Two that sign the same image wait for each other. */
	int r = objlock_build(in->locks, digest, e);
	if (r < 0 || (r = attached_read(&from_store, digest, &has, e)) < 0 || (r = ingest_mark(in, e)) < 0 ||
	    (r = put(in, payload, len, at, e)) < 0)
		return r;
	json_t *layers = has.manifest ? layers_of(has.manifest, has.manifest_len) : json_array();
	drop_lost(in->store, layers);
	json_array_append_new(layers, json_pack("{s:s, s:I, s:s, s:{s:s}}", "mediaType", ATTACH_LAYER_TYPE, "size",
						(json_int_t)len, "digest", at, "annotations", ATTACH_SIGNATURE,
						own_signature));
	r = add(in, digest, layers, e);
	json_decref(layers);
	return r;
}

/* ---- and away ---- */

/* Whether a row leads to a digest: by itself, or through an index. */
static bool leads_to(const struct store *s, const struct name_row *row, const char *digest)
{
	arena_auto struct arena arena = { .top = NULL };
	free_auto char *bytes = NULL;
	size_t len;
	struct document doc;
	struct err ignored;
	if (strcmp(row->desc->digest, digest) == 0)
		return true;
	if (store_read_blob(s, row->desc->digest, STORE_MANIFEST_MAX, &bytes, &len, &ignored) < 0 ||
	    document_load(bytes, len, "index", NULL, &arena, &doc, &ignored) < 0)
		return false;
	for (size_t i = 0; i < doc.manifests.n; i++)
		if (strcmp(doc.manifests.v[i].digest, digest) == 0)
			return true;
	return false;
}

int carry_sweep(struct ingest *in, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	char digest[DIGEST_TEXT_MAX];
	int r = names_read(in->store, &names, e);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		if (!names.v[i].name || !ref_is_signature(names.v[i].name, digest))
			continue;
		bool is_kept = false;
		for (size_t j = 0; j < names.n && !is_kept; j++)
			is_kept = !descriptor_is_foreign(names.v[j].desc) && leads_to(in->store, &names.v[j], digest);
		if (!is_kept)
			r = index_remove(in, names.v[i].name, names.v[i].desc->digest, e);
	}
	return r;
}
