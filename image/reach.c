/* SPDX-License-Identifier: Apache-2.0 */
/* See reach.h. Source: image-spec image-layout.md, image-index.md, manifest.md. */
#include "image/reach.h"

#include <errno.h>
#include <string.h>

#include "image/names.h"
#include "image/platform.h"
#include "util/mem.h"

enum { DEPTH_MAX = 4 };

struct walk {
	const struct store *store;
	reach_fn *fn;
	void *ctx;
};

const char *reach_word(enum reach_kind kind)
{
	static const char *const words[] = { "manifest", "config", "layer blob" };
	return words[kind];
}

static void tell(const struct walk *w, const struct reached *thing, int r, const struct err *e)
{
	w->fn(w->ctx, thing, r == -ENOENT ? REACH_MISSING : r < 0 ? e->text : NULL);
}

/* The config's diffIDs, if it is an image's: an artifact's may be anything. */
static void reach_config(const struct walk *w, const struct document *doc, bool is_ours, struct arena *arena,
			 struct strs *ret_diffs)
{
	free_auto char *bytes = NULL;
	size_t len;
	struct err e;
	struct image_config config;
	const struct reached thing = { REACH_CONFIG, doc->config, NULL, is_ours };
	bool is_image = !doc->config->media_type || strstr(doc->config->media_type, "image");
	tell(w, &thing, 0, NULL);
	int r = store_read_blob(w->store, doc->config->digest, STORE_CONFIG_MAX, &bytes, &len, &e);
	if (r == 0 && is_image)
		r = config_load(bytes, len, doc->config->digest, (ptrdiff_t)doc->layers.n, arena, &config, &e);
	if (r < 0)
		tell(w, &thing, r, &e);
	else if (is_image)
		*ret_diffs = config.rootfs->diff_ids;
}

/* Signatures and other artifacts have layers that are no tar. */
static bool is_layer(const struct descriptor *d)
{
	return !d->media_type || strstr(d->media_type, ".image.layer.") || strstr(d->media_type, ".image.rootfs.");
}

static void reach_manifest(const struct walk *w, const struct document *doc, bool is_ours, struct arena *arena)
{
	struct strs diffs = { .n = 0 };
	reach_config(w, doc, is_ours, arena, &diffs);
	for (size_t i = 0; i < doc->layers.n; i++) {
		const struct descriptor *d = &doc->layers.v[i];
		const struct reached thing = { REACH_LAYER, d, i < diffs.n && is_layer(d) ? diffs.v[i] : NULL, is_ours };
		tell(w, &thing, 0, NULL);
	}
}

static void reach_document(const struct walk *w, const struct descriptor *d, bool is_ours, int depth)
{
	arena_auto struct arena arena = { .top = NULL };
	free_auto char *bytes = NULL;
	size_t len;
	struct err e;
	struct document doc;
	struct reached thing = { REACH_MANIFEST, d, NULL, is_ours };
	tell(w, &thing, 0, NULL);
	int r = depth > DEPTH_MAX ? err_new(&e, ELOOP, "indexes within indexes, more than %d deep", DEPTH_MAX) :
				    store_read_blob(w->store, d->digest, STORE_MANIFEST_MAX, &bytes, &len, &e);
	if (r == 0)
		r = document_load(bytes, len, d->digest, d->media_type, &arena, &doc, &e);
	if (r < 0) {
		/* What other tools keep may be no document at all. */
		if (depth > 0 || r == -ENOENT || !descriptor_is_foreign(d))
			tell(w, &thing, r, &e);
		return;
	}
	if (!document_is_index(&doc)) {
		reach_manifest(w, &doc, is_ours, &arena);
		return;
	}
	const struct descriptor *pick = is_ours ? platform_pick_own(&doc, "index", &e) : NULL;
	for (size_t i = 0; i < doc.manifests.n; i++) {
		const struct descriptor *child = &doc.manifests.v[i];
		if (child == pick || store_has_blob(w->store, child->digest))
			reach_document(w, child, child == pick, depth + 1);
	}
}

void reach_row(const struct store *s, const struct descriptor *row, reach_fn *fn, void *ctx)
{
	const struct walk w = { s, fn, ctx };
	reach_document(&w, row, true, 0);
}
