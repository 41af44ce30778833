/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See pull.h. Sources: distribution-spec "Pulling manifests" and "Pulling blobs"; image-spec image-index.md and
 * manifest.md; Docker's "Image Manifest Version 2, Schema 2".
 */
#include "image/registry/pull.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "image/commit.h"
#include "image/digest.h"
#include "image/registry/download.h"
#include "image/registry/signatures.h"
#include "util/log.h"

/* Layers that come at a time, whatever the number of processors: a network waits most of it, and each takes memory. */
enum { LAYERS_AT_A_TIME = 4, INDEX_DEPTH_MAX = PLAN_VIA_MAX };

/* One image on its way in. */
struct pull {
	const struct pull_request *request;
	struct ingest *in;
	struct registry *registry;
	struct platform_want want;
	struct plan plan;
	struct document manifest;
	struct download *downloads;
};

static void pull_done(struct pull *p)
{
	plan_done(&p->plan);
	free(p->downloads);
}

#define pull_auto __attribute__((cleanup(pull_done)))

int pull_parse_name(const char *text, struct ref *ret_ref, struct err *e)
{
	static const char docker[] = "docker://";
	const char *name = strncmp(text, docker, sizeof(docker) - 1) == 0 ? text + sizeof(docker) - 1 : text;
	if (strstr(name, "://"))
		return err_new(e, EINVAL, "image name \"%.200s\": of transports, only docker:// names a registry",
			       text);
	return ref_parse(name, ret_ref, e);
}

/* ---- documents ---- */

/* Reads a document that the store has; one that was damaged there is got anew. */
static bool read_stored(const struct store *s, const struct descriptor *d, size_t max_bytes, char **ret_bytes,
			size_t *ret_len)
{
	char got[DIGEST_TEXT_MAX];
	struct err ignored;
	free_auto char *bytes = NULL;
	size_t len;
	if (!store_has_blob(s, d->digest) || store_read_blob(s, d->digest, max_bytes, &bytes, &len, &ignored) < 0)
		return false;
	digest_of(bytes, len, got);
	if (strcmp(got, d->digest) != 0)
		return false;
	*ret_bytes = ptr_take(bytes);
	*ret_len = len;
	return true;
}

/* Schema 1 has neither a config nor sizes, and its digest is of something else than its bytes. */
static bool is_schema1(const char *bytes, size_t len)
{
	json_t *doc = json_loadb(bytes, len, 0, NULL);
	bool is = json_integer_value(json_object_get(doc, "schemaVersion")) == 1;
	json_decref(doc);
	return is;
}

/*
 * What a document says of itself must be what the registry, or the index above, says of it (GHSA-77vh-xpmg-72qh). A
 * type that is none of a document ("application/json") says nothing.
 */
static int load_document(struct pull *p, const char *digest, const char *media_type, struct err *e)
{
	struct plan *plan = &p->plan;
	bool says_kind = media_type && strncmp(media_type, "application/vnd.", 16) == 0;
	if (is_schema1(plan->manifest, plan->manifest_len))
		return err_new(
			e, EOPNOTSUPP,
			"manifest %s: of Docker's schema 1, which has no digests of its parts: it has to be pushed "
			"anew by a newer program",
			digest);
	int r = document_load(plan->manifest, plan->manifest_len, digest, says_kind ? media_type : NULL, &plan->arena,
			      &p->manifest, e);
	if (r < 0 || document_is_index(&p->manifest))
		return r;
	memcpy(plan->digest, digest, DIGEST_TEXT_MAX);
	plan->media_type = p->manifest.media_type ? p->manifest.media_type
			   : says_kind		  ? arena_str(&plan->arena, media_type)
						  : "application/vnd.oci.image.manifest.v1+json";
	return 0;
}

static int get_named(struct pull *p, const char *what, char ret_digest[static DIGEST_TEXT_MAX], struct err *e)
{
	registry_document_auto struct registry_document doc = { .bytes = NULL };
	int r = registry_get_manifest(p->registry, what, &doc, e);
	if (r < 0)
		return r;
	memcpy(ret_digest, doc.digest, DIGEST_TEXT_MAX);
	p->plan.manifest = ptr_take(doc.bytes);
	p->plan.manifest_len = doc.len;
	return load_document(p, doc.digest, doc.media_type[0] ? doc.media_type : NULL, e);
}

static int get_child(struct pull *p, const struct descriptor *d, struct err *e)
{
	registry_document_auto struct registry_document doc = { .bytes = NULL };
	struct plan *plan = &p->plan;
	free(plan->manifest);
	plan->manifest = NULL;
	if (!read_stored(p->in->store, d, STORE_MANIFEST_MAX, &plan->manifest, &plan->manifest_len)) {
		int r = registry_get_manifest(p->registry, d->digest, &doc, e);
		if (r < 0)
			return r;
		plan->manifest = ptr_take(doc.bytes);
		plan->manifest_len = doc.len;
	}
	if ((uint64_t)d->size_bytes.v != plan->manifest_len)
		return err_new(e, EBADMSG, "manifest %s: size mismatch: expected %lld, got %zu", d->digest,
			       (long long)d->size_bytes.v, plan->manifest_len);
	return load_document(p, d->digest, d->media_type, e);
}

/* Follows indexes down to the manifest of the platform. */
static int get_manifest(struct pull *p, const char *what, struct err *e)
{
	char digest[DIGEST_TEXT_MAX];
	int r = get_named(p, what, digest, e);
	for (int depth = 0; r == 0 && document_is_index(&p->manifest); depth++) {
		if (depth == INDEX_DEPTH_MAX)
			return err_new(e, ELOOP, "index %s: indexes within indexes, more than %d deep", digest,
				       INDEX_DEPTH_MAX);
		const struct descriptor *pick = platform_pick(&p->manifest, &p->want, what, e);
		if (!pick)
			return -e->num;
		memcpy(p->plan.via[p->plan.via_count++], digest, DIGEST_TEXT_MAX);
		memcpy(digest, pick->digest, DIGEST_TEXT_MAX);
		r = get_child(p, pick, e);
	}
	return r;
}

/* ---- the config ---- */

static int check_platform(const struct pull *p, const struct image_config *config, struct err *e)
{
	char want[PLATFORM_TEXT_MAX];
	if (platform_fits(&p->want, config->os, config->arch, config->variant))
		return 0;
	platform_text(&p->want, want);
	if (p->request->want)
		return err_new(e, ENOENT, "has no image for %s (there is: %s/%s)", want, config->os ? config->os : "",
			       config->arch ? config->arch : "");
	log_warn("%s: is for %s/%s, this machine is %s", p->request->name, config->os ? config->os : "",
		 config->arch ? config->arch : "", want);
	return 0;
}

/* Charts, signatures and the like come the same way, but there is nothing to run in them. */
static bool is_artifact(const struct document *manifest)
{
	const char *type = manifest->config->media_type;
	return type && strcmp(type, "application/vnd.oci.image.config.v1+json") != 0 &&
	       strcmp(type, "application/vnd.docker.container.image.v1+json") != 0;
}

static int get_config(struct pull *p, struct image_config *ret_config, struct err *e)
{
	struct plan *plan = &p->plan;
	const struct descriptor *d = p->manifest.config;
	if (is_artifact(&p->manifest))
		return err_new(e, EMEDIUMTYPE, "manifest %s: is no image: its config is of type %.120s", plan->digest,
			       d->media_type);
	memcpy(plan->config_digest, d->digest, DIGEST_TEXT_MAX);
	int r = 0;
	if (!read_stored(p->in->store, d, STORE_CONFIG_MAX, &plan->config, &plan->config_len))
		r = registry_get_document(p->registry, d->digest, (uint64_t)d->size_bytes.v, STORE_CONFIG_MAX,
					  &plan->config, &plan->config_len, e);
	if (r < 0)
		return r;
	return config_load(plan->config, plan->config_len, d->digest, (ptrdiff_t)p->manifest.layers.n, &plan->arena,
			   ret_config, e);
}

/* ---- layers ---- */

/* Whether a layer is here already is looked at under its lock: image/commit. */
static void plan_downloads(struct pull *p, const struct image_config *config)
{
	size_t n = p->manifest.layers.n;
	p->downloads = mem_zero(n ? n : 1, sizeof(*p->downloads));
	plan_layers(&p->plan, n);
	for (size_t i = 0; i < n; i++) {
		const struct descriptor *d = &p->manifest.layers.v[i];
		struct layerjob *job = &p->plan.jobs[i];
		memcpy(job->blob, d->digest, DIGEST_TEXT_MAX);
		memcpy(job->diff_id, config->rootfs->diff_ids.v[i], DIGEST_TEXT_MAX);
		job->media_type = d->media_type;
		job->size_bytes = (uint64_t)d->size_bytes.v;
		download_init(&p->downloads[i], p->registry, d->digest, job->size_bytes);
		job->feed = &p->downloads[i].feed;
	}
}

static void stop_all(void *ctx)
{
	registry_cancel(ctx);
}

static int take(struct pull *p, struct err *e)
{
	struct layerjob_options options = p->request->options;
	options.verb = "pulling";
	options.threads = LAYERS_AT_A_TIME;
	options.failed = stop_all;
	options.ctx = p->registry;
	return image_commit(p->in, &p->plan, &options, e);
}

/* ---- one image, several ---- */

/* A digest's image gets the name that was asked for, so that it is found by it: NAME@DIGEST. */
static void name_image(struct pull *p, const char *tag, const char *digest)
{
	plan_name(&p->plan, arena_fmt(&p->plan.arena, "%s%s%s", registry_name(p->registry), *digest ? "@" : ":",
				      *digest ? digest : tag));
}

static int pull_one(struct ingest *in, struct registry *registry, const struct pull_request *request, const char *tag,
		    const char *digest, struct err *e)
{
	pull_auto struct pull p = { .request = request, .in = in, .registry = registry };
	struct image_config config;
	if (request->want)
		p.want = *request->want;
	else
		platform_host(&p.want);
	int r = get_manifest(&p, *digest ? digest : tag, e);
	if (r == 0)
		r = signatures_ask(request->trust, registry, &request->registry, tag, digest, in->store, &p.plan, e);
	if (r == 0)
		r = get_config(&p, &config, e);
	if (r == 0)
		r = check_platform(&p, &config, e);
	if (r < 0)
		return r;
	plan_downloads(&p, &config);
	name_image(&p, tag, digest);
	if ((r = take(&p, e)) == 0)
		request->pulled(request->ctx, p.plan.digest);
	return r;
}

static int pull_all_tags(struct ingest *in, struct registry *registry, const struct pull_request *request,
			 struct err *e)
{
	struct registry_tags tags = { .n = 0 };
	int r = registry_list_tags(registry, &tags, e);
	if (r == 0 && !tags.n)
		r = err_new(e, ENOENT, "has no tags");
	for (size_t i = 0; r == 0 && i < tags.n; i++) {
		/* Signatures lie beside the images that they are of, as tags. */
		if (ref_is_signature(tags.v[i], NULL))
			continue;
		r = pull_one(in, registry, request, tags.v[i], "", e);
		if (r == -EMEDIUMTYPE) {
			log_warn("%s:%.128s: %s", request->name, tags.v[i], e->text);
			r = 0;
		}
		if (r < 0)
			err_at(e, r, "tag %.128s", tags.v[i]);
	}
	registry_tags_done(&tags);
	return r;
}

int image_pull(const struct store *s, const struct pull_request *request, struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	registry_auto struct registry *registry = NULL;
	struct ref ref;
	int r = pull_parse_name(request->name, &ref, e);
	if (r == 0 && request->is_all_tags && (ref.tag[0] || ref.digest[0]))
		r = err_new(e, EINVAL, "image name \"%s\": --all-tags goes with a name without tag and digest",
			    request->name);
	if (r < 0 || (r = registry_open(&ref, REGISTRY_PULL, &request->registry, &registry, e)) < 0 ||
	    (r = ingest_open(s, &in, e)) < 0)
		return r;
	r = request->is_all_tags ? pull_all_tags(&in, registry, request, e)
				 : pull_one(&in, registry, request, ref.tag[0] ? ref.tag : "latest", ref.digest, e);
	return r < 0 ? err_at(e, r, "pull %s", request->name) : 0;
}
