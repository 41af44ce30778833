/* SPDX-License-Identifier: Apache-2.0 */
/* See image.h. */
#include "image/image.h"

#include <errno.h>
#include <string.h>

#include "image/names.h"
#include "image/platform.h"
#include "image/thin.h"

/* clang-format off */
static const struct jx_field platform_rows[] = {
	JX_STR(struct platform, os, "os"),
	JX_STR(struct platform, arch, "architecture"),
	JX_STR(struct platform, variant, "variant"),
	JX_END
};

const struct jx_field descriptor_rows[] = {
	JX_STR(struct descriptor, media_type, "mediaType"),
	JX_STR(struct descriptor, digest, "digest", .must = true),
	JX_I64(struct descriptor, size_bytes, "size", .must = true),
	JX_PAIRS(struct descriptor, annotations, "annotations"),
	JX_OBJ(struct descriptor, platform, "platform", struct platform, platform_rows),
	JX_END
};

const struct jx_field document_rows[] = {
	JX_I64(struct document, schema_version, "schemaVersion", .must = true),
	JX_STR(struct document, media_type, "mediaType"),
	JX_OBJ(struct document, config, "config", struct descriptor, descriptor_rows),
	JX_LIST(struct document, layers, "layers", struct descriptor, descriptor_rows),
	JX_LIST(struct document, manifests, "manifests", struct descriptor, descriptor_rows),
	JX_END
};

static const struct jx_field key_rows[] = { JX_END };

static const struct jx_field health_rows[] = {
	JX_STRS(struct image_health, test, "Test"),
	JX_I64(struct image_health, interval_ns, "Interval"),
	JX_I64(struct image_health, timeout_ns, "Timeout"),
	JX_I64(struct image_health, start_period_ns, "StartPeriod"),
	JX_I64(struct image_health, retries, "Retries"),
	JX_END
};

static const struct jx_field process_rows[] = {
	JX_STR(struct image_process, user, "User"),
	JX_STR(struct image_process, workdir, "WorkingDir"),
	JX_STR(struct image_process, stop_signal, "StopSignal"),
	JX_I64(struct image_process, stop_timeout, "StopTimeout"),
	JX_STRS(struct image_process, env, "Env"),
	JX_STRS(struct image_process, entrypoint, "Entrypoint"),
	JX_STRS(struct image_process, cmd, "Cmd"),
	JX_MAP(struct image_process, volumes, "Volumes", struct image_key, key_rows),
	JX_MAP(struct image_process, ports, "ExposedPorts", struct image_key, key_rows),
	JX_PAIRS(struct image_process, labels, "Labels"),
	JX_OBJ(struct image_process, health, "Healthcheck", struct image_health, health_rows),
	JX_END
};

static const struct jx_field rootfs_rows[] = {
	JX_STR(struct image_rootfs, type, "type"),
	JX_STRS(struct image_rootfs, diff_ids, "diff_ids"),
	JX_END
};

static const struct jx_field history_rows[] = {
	JX_STR(struct image_history, created, "created"),
	JX_STR(struct image_history, created_by, "created_by"),
	JX_STR(struct image_history, comment, "comment"),
	JX_BOOL(struct image_history, is_empty, "empty_layer"),
	JX_END
};

static const struct jx_field config_rows[] = {
	JX_STR(struct image_config, created, "created"),
	JX_STR(struct image_config, author, "author"),
	JX_STR(struct image_config, os, "os"),
	JX_STR(struct image_config, arch, "architecture"),
	JX_STR(struct image_config, variant, "variant"),
	JX_OBJ(struct image_config, process, "config", struct image_process, process_rows),
	JX_OBJ(struct image_config, rootfs, "rootfs", struct image_rootfs, rootfs_rows, .must = true),
	JX_LIST(struct image_config, history, "history", struct image_history, history_rows),
	JX_END
};
/* clang-format on */

static const char *const index_types[] = {
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
};

static const char *const manifest_types[] = {
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
};

static bool is_one_of(const char *type, const char *const *types)
{
	return type && (strcmp(type, types[0]) == 0 || strcmp(type, types[1]) == 0);
}

bool document_is_index(const struct document *doc)
{
	return is_one_of(doc->media_type, index_types) || (!doc->media_type && !doc->config);
}

static int check_descriptor(const struct descriptor *d, const char *what, const char *member, size_t i,
			    struct err *e)
{
	if (!digest_is_valid(d->digest))
		return err_new(e, EINVAL, "%s: %s[%zu].digest: not sha256: and 64 hex digits: \"%.90s\"",
			       what, member, i, d->digest);
	if (d->size_bytes.v < 0)
		return err_new(e, EINVAL, "%s: %s[%zu].size: negative", what, member, i);
	return 0;
}

static int check_list(const struct descriptors *list, const char *what, const char *member, struct err *e)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = check_descriptor(&list->v[i], what, member, i, e);
	return r;
}

/* A document that can be read as two kinds is refused, so that all readers see one (GHSA-77vh-xpmg-72qh). */
static int check_kind(const struct document *doc, const char *what, const char *media_type, struct err *e)
{
	bool has_manifest = doc->config || doc->layers.v;
	if (has_manifest && doc->manifests.v)
		return err_new(e, EINVAL, "%s: is both a manifest and an index", what);
	if (!has_manifest && !doc->manifests.v)
		return err_new(e, EINVAL, "%s: is neither a manifest nor an index", what);
	if (has_manifest && !doc->config)
		return err_new(e, EINVAL, "%s: config: missing", what);
	const char *said = doc->media_type ? doc->media_type : media_type;
	if (doc->media_type && media_type && strcmp(doc->media_type, media_type) != 0)
		return err_new(e, EINVAL, "%s: mediaType is %s, but its descriptor says %s", what,
			       doc->media_type, media_type);
	if (said && !is_one_of(said, has_manifest ? manifest_types : index_types))
		return err_new(e, EINVAL, "%s: mediaType %.120s is not that of %s", what, said,
			       has_manifest ? "an image manifest" : "an image index");
	return 0;
}

int document_load(const char *bytes, size_t len, const char *what, const char *media_type,
		  struct arena *arena, struct document *ret_doc, struct err *e)
{
	struct document doc = { .media_type = NULL };
	int r = jx_load(bytes, len, what, document_rows, &doc, arena, NULL, e);
	if (r < 0)
		return r;
	if (doc.schema_version.v != 2)
		return err_new(e, EINVAL, "%s: schemaVersion is %lld, not 2", what,
			       (long long)doc.schema_version.v);
	if ((r = check_kind(&doc, what, media_type, e)) < 0)
		return r;
	if (doc.layers.n > IMAGE_LAYERS_MAX)
		return err_new(e, E2BIG, "%s: %zu layers, at most %d", what, doc.layers.n, IMAGE_LAYERS_MAX);
	if (doc.config && (r = check_descriptor(doc.config, what, "config", 0, e)) < 0)
		return r;
	if ((r = check_list(&doc.layers, what, "layers", e)) < 0 ||
	    (r = check_list(&doc.manifests, what, "manifests", e)) < 0)
		return r;
	*ret_doc = doc;
	return 0;
}

/*
 * Leaves out env without "=", which means "take the caller's" elsewhere, and labels in kist's own name space.
 */
static void drop_steering(struct image_process *p)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->env.n; i++)
		if (strchr(p->env.v[i], '=') && p->env.v[i][0] != '=')
			p->env.v[kept++] = p->env.v[i];
	p->env.n = kept;
	if (p->env.v)
		p->env.v[kept] = NULL;
	kept = 0;
	for (size_t i = 0; i < p->labels.n; i++)
		if (strncmp(p->labels.v[i].key, "io.kist.", 8) != 0)
			p->labels.v[kept++] = p->labels.v[i];
	p->labels.n = kept;
}

int config_load(const char *bytes, size_t len, const char *what, ptrdiff_t layers, struct arena *arena,
		struct image_config *ret_config, struct err *e)
{
	struct image_config c = { .os = NULL };
	int r = jx_load(bytes, len, what, config_rows, &c, arena, NULL, e);
	if (r < 0)
		return r;
	const struct strs *ids = &c.rootfs->diff_ids;
	if (c.rootfs->type && strcmp(c.rootfs->type, "layers") != 0)
		return err_new(e, EINVAL, "%s: rootfs.type is \"%.40s\", not \"layers\"", what,
			       c.rootfs->type);
	if (layers >= 0 && ids->n != (size_t)layers)
		return err_new(e, EINVAL,
			       "%s: rootfs.diff_ids has %zu entries, but the manifest has %td layers", what,
			       ids->n, layers);
	for (size_t i = 0; i < ids->n; i++)
		if (!digest_is_valid(ids->v[i]))
			return err_new(e, EINVAL,
				       "%s: rootfs.diff_ids[%zu]: not sha256: and 64 hex digits: \"%.90s\"",
				       what, i, ids->v[i]);
	if (!c.process)
		c.process = arena_new(arena, struct image_process);
	drop_steering(c.process);
	*ret_config = c;
	return 0;
}

/* Makes one of a document's lists empty. Returns how many rows it had; -1: all is as it was. */
static ptrdiff_t drop_list(const char *key, char **bytes, size_t *len)
{
	str_auto struct str thinned = STR_MAX(STORE_CONFIG_MAX);
	ptrdiff_t n = *len < THIN_MIN ? -1 : thin_list(*bytes, *len, key, &thinned);
	if (n < 0 || !thinned.p || thinned.is_full)
		return -1;
	mem_free_at(bytes);
	*len = thinned.len;
	*bytes = ptr_take(thinned.p);
	return n;
}

/* Follows an index down to this machine's manifest; `digest` becomes the manifest's, *ret_layers their number. */
static int read_manifest(const struct store *s, char digest[static DIGEST_TEXT_MAX], bool is_to_run,
			 struct arena *arena, struct document *ret_doc, ptrdiff_t *ret_layers, struct err *e)
{
	for (int depth = 0; depth < 4; depth++) {
		free_auto char *bytes = NULL;
		size_t len;
		struct document doc;
		int r = store_read_blob(s, digest, STORE_MANIFEST_MAX, &bytes, &len, e);
		if (r < 0)
			return r;
		ptrdiff_t dropped = is_to_run ? drop_list("layers", &bytes, &len) : -1;
		if (dropped > IMAGE_LAYERS_MAX)
			return err_new(e, E2BIG, "%s: too many layers", digest);
		if ((r = document_load(bytes, len, digest, NULL, arena, &doc, e)) < 0)
			return r;
		if (!document_is_index(&doc)) {
			*ret_doc = doc;
			*ret_layers = dropped < 0 ? (ptrdiff_t)doc.layers.n : dropped;
			return 0;
		}
		const struct descriptor *d = platform_pick_own(&doc, digest, e);
		if (!d)
			return err_at(e, -e->num, "index");
		memcpy(digest, d->digest, DIGEST_TEXT_MAX);
	}
	return err_new(e, ELOOP, "index %s: indexes within indexes, more than 4 deep", digest);
}

static int open_hit(const struct store *s, const struct name_hit *hit, bool is_to_run, struct image *ret_image,
		    struct err *e)
{
	image_auto struct image im = { .name = NULL };
	free_auto char *bytes = NULL;
	size_t len;
	ptrdiff_t layers = -1;
	memcpy(im.digest, hit->digest, sizeof(im.digest));
	im.name = hit->name[0] ? arena_str(&im.arena, hit->name) : NULL;
	int r = read_manifest(s, im.digest, is_to_run, &im.arena, &im.manifest, &layers, e);
	if (r < 0)
		return r;
	im.has_erofs = strcmp(im.digest, hit->erofs) == 0;
	const char *config = im.manifest.config->digest;
	if ((r = store_read_blob(s, config, STORE_CONFIG_MAX, &bytes, &len, e)) < 0)
		return r;
	if (is_to_run)
		drop_list("history", &bytes, &len);
	if ((r = config_load(bytes, len, config, layers, &im.arena, &im.config, e)) < 0)
		return r;
	im.process = im.config.process;
	im.layers = im.config.rootfs->diff_ids;
	*ret_image = im;
	im.arena = (struct arena){ .top = NULL };
	return 0;
}

int image_open(const struct store *s, const char *name, struct image *ret_image, struct err *e)
{
	struct name_hit hit;
	int r = names_resolve(s, name, &hit, e);
	if (r < 0)
		return r;
	r = open_hit(s, &hit, false, ret_image, e);
	return r < 0 ? err_at(e, r, "image \"%s\"", name) : 0;
}

int image_open_to_run(const struct store *s, const char *name, struct image *ret_image, struct err *e)
{
	struct name_hit hit;
	struct err whole_tells = { .num = 0 };
	int r = names_resolve(s, name, &hit, e);
	if (r < 0)
		return r;
	if (open_hit(s, &hit, true, ret_image, &whole_tells) == 0)
		return 0;
	r = open_hit(s, &hit, false, ret_image, e);
	return r < 0 ? err_at(e, r, "image \"%s\"", name) : 0;
}

void image_done(struct image *image)
{
	arena_done(&image->arena);
}
