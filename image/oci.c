/* SPDX-License-Identifier: Apache-2.0 */
/* See oci.h. */
#include "image/oci.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/digest.h"
#include "image/names.h"
#include "image/platform.h"
#include "image/trust/carry.h"
#include "image/trust/layout.h"
#include "util/fd.h"

struct layout {
	const char *version;
};

/* clang-format off */
static const struct jx_field layout_rows[] = {
	JX_STR(struct layout, version, "imageLayoutVersion", .must = true),
	JX_END
};
/* clang-format on */

bool oci_is(const struct source *src)
{
	return source_has(src, "oci-layout");
}

/* Reads a document of the source and compares it with its descriptor. */
static int read_verified(const struct source *src, const struct descriptor *d, size_t max_bytes,
			 char **ret_bytes, size_t *ret_len, struct err *e)
{
	char path[STORE_PATH_MAX], got[DIGEST_TEXT_MAX];
	free_auto char *bytes = NULL;
	size_t len;
	int r = source_read(src, store_blob_path(d->digest, path), max_bytes, &bytes, &len, e);
	if (r < 0)
		return r;
	digest_of(bytes, len, got);
	if (strcmp(got, d->digest) != 0)
		return err_new(e, EBADMSG, "blob %s: digest mismatch: expected %s, got %s", d->digest,
			       d->digest, got);
	if ((uint64_t)d->size_bytes.v != len)
		return err_new(e, EBADMSG, "blob %s: size mismatch: expected %lld, got %zu", d->digest,
			       (long long)d->size_bytes.v, len);
	*ret_bytes = ptr_take(bytes);
	*ret_len = len;
	return 0;
}

/* ---- one image ---- */

/* Follows indexes down to this machine's manifest, which goes into the plan. */
static int find_manifest(const struct source *src, const struct descriptor *d, struct plan *plan,
			 struct document *ret_doc, struct err *e)
{
	for (int depth = 0; depth < PLAN_VIA_MAX; depth++) {
		free(plan->manifest);
		plan->manifest = NULL;
		int r = read_verified(src, d, STORE_MANIFEST_MAX, &plan->manifest, &plan->manifest_len, e);
		if (r < 0 || (r = document_load(plan->manifest, plan->manifest_len, d->digest, d->media_type,
						&plan->arena, ret_doc, e)) < 0)
			return r;
		if (!document_is_index(ret_doc)) {
			memcpy(plan->digest, d->digest, DIGEST_TEXT_MAX);
			plan->media_type = ret_doc->media_type ? ret_doc->media_type :
					   d->media_type       ? d->media_type :
								 "application/vnd.oci.image.manifest.v1+json";
			return 0;
		}
		const struct descriptor *pick = platform_pick_own(ret_doc, d->digest, e);
		if (!pick)
			return err_at(e, -e->num, "index");
		memcpy(plan->via[plan->via_count++], d->digest, DIGEST_TEXT_MAX);
		d = pick;
	}
	return err_new(e, ELOOP, "index %s: indexes within indexes, more than 4 deep", d->digest);
}

static int plan_layer(const struct source *src, const struct store *s, const struct descriptor *d,
		      const char *diff_id, struct layerjob *job, struct err *e)
{
	char path[STORE_PATH_MAX];
	struct part part;
	memcpy(job->blob, d->digest, DIGEST_TEXT_MAX);
	memcpy(job->diff_id, diff_id, DIGEST_TEXT_MAX);
	job->media_type = d->media_type;
	job->size_bytes = (uint64_t)d->size_bytes.v;
	/* The source need not have what the store has; but that may be removed before it is read, so it is opened here. */
	bool is_stored = store_has_blob(s, d->digest);
	int r = source_part(src, store_blob_path(d->digest, path), &part, e);
	if (r < 0 && is_stored) {
		err_clear(e);
		return 0;
	}
	if (r < 0)
		return err_at(e, r, "layer %s", d->digest);
	if (part.size_bytes != job->size_bytes && is_stored) {
		fd_close(part.own_fd);
		return 0;
	}
	job->own_fd = part.own_fd;
	job->fd = part.fd;
	job->offset = part.offset;
	if (part.size_bytes != job->size_bytes)
		return err_new(e, EBADMSG, "layer %s: size mismatch: expected %llu, got %llu", d->digest,
			       (unsigned long long)job->size_bytes, (unsigned long long)part.size_bytes);
	return 0;
}

int oci_plan(const struct source *src, const struct store *s, const struct descriptor *d, struct plan *plan,
	     struct err *e)
{
	struct document doc;
	struct image_config config;
	int r = find_manifest(src, d, plan, &doc, e);
	if (r < 0)
		return r;
	memcpy(plan->config_digest, doc.config->digest, DIGEST_TEXT_MAX);
	if ((r = read_verified(src, doc.config, STORE_CONFIG_MAX, &plan->config, &plan->config_len, e)) < 0 ||
	    (r = config_load(plan->config, plan->config_len, doc.config->digest, (ptrdiff_t)doc.layers.n,
			     &plan->arena, &config, e)) < 0)
		return err_at(e, r, "manifest %s", plan->digest);
	plan_layers(plan, doc.layers.n);
	for (size_t i = 0; r == 0 && i < doc.layers.n; i++)
		r = plan_layer(src, s, &doc.layers.v[i], config.rootfs->diff_ids.v[i], &plan->jobs[i], e);
	return r;
}

/* ---- names ---- */

/*
 * The name that a layout's row gives. containerd and Docker write the whole name beside the tag; skopeo and
 * buildah write what they were given; umoci, and skopeo for a bare tag, a tag alone, which then belongs to
 * the layout's own name.
 */
static int row_name(const struct load_request *request, const struct descriptor *d,
		    char out[static REF_TEXT_MAX], struct err *e)
{
	const char *whole = descriptor_annotation(d, "io.containerd.image.name");
	const char *name = whole ? whole : descriptor_annotation(d, NAME_ANNOTATION);
	const char *base = strrchr(request->path, '/');
	char text[REF_TEXT_MAX];
	struct ref ref;
	base = base ? base + 1 : request->path;
	if (request->name)
		snprintf(text, sizeof(text), "%s", request->name);
	else if (name && (whole || strpbrk(name, ":/")))
		snprintf(text, sizeof(text), "%s", name);
	else
		snprintf(text, sizeof(text), "%.*s:%s", (int)strcspn(base, "."), base,
			 name ? name : "latest");
	int r = ref_parse(text, &ref, e);
	if (r < 0)
		return err_at(e, r, "%s: give the image a name with --name", request->path);
	ref_text(&ref, out);
	return 0;
}

int load_finish(struct ingest *in, struct plan *plan, const struct load_request *request, struct err *e)
{
	int r = image_commit(in, plan, &request->options, e);
	for (size_t i = 0; r == 0 && i < plan->name_count; i++)
		request->loaded(request->ctx, plan->names[i]);
	if (r == 0 && !plan->name_count)
		request->loaded(request->ctx, plan->digest);
	return r;
}

/* Asks the policy, once the manifest's digest is known; signatures beside the image come along. */
static int ask(const struct source *src, const struct load_request *request, const struct descriptor *d,
	       const struct store *s, struct plan *plan, struct err *e)
{
	const char *tag = descriptor_annotation(d, NAME_ANNOTATION), *digests[PLAN_VIA_MAX + 1] = { plan->digest };
	free_auto char *path = strcmp(request->path, "-") == 0 ? NULL : realpath(request->path, NULL);
	struct trust_subject subject = {
		.transport = src->is_dir ? "oci" : "oci-archive",
		.path = path,
		.tag = tag ? tag : "",
		.digests = digests,
		.digest_count = 1,
		.fetch = request->fetch,
	};
	for (size_t i = plan->via_count; i-- > 0;)
		digests[subject.digest_count++] = plan->via[i];
	int r = trust_check(request->trust, &subject, e);
	if (r == 0 && request->fetch)
		carry_plan(request->fetch, s, plan);
	return r;
}

static int load_one(const struct source *src, struct ingest *in, const struct load_request *request,
		    const struct descriptor *d, struct err *e)
{
	plan_auto struct plan plan = { .count = 0 };
	char name[REF_TEXT_MAX];
	bool has_name =
		request->name || descriptor_annotation(d, NAME_ANNOTATION) || strcmp(request->path, "-") != 0;
	int r = has_name ? row_name(request, d, name, e) : 0;
	if (r < 0 || (r = oci_plan(src, in->store, d, &plan, e)) < 0 ||
	    (r = ask(src, request, d, in->store, &plan, e)) < 0)
		return r;
	if (has_name)
		plan_name(&plan, name);
	return load_finish(in, &plan, request, e);
}

/* ---- which images ---- */

static bool is_wanted(const struct load_request *request, const struct descriptor *d)
{
	const char *name = descriptor_annotation(d, NAME_ANNOTATION);
	if (request->tag)
		return name && strcmp(name, request->tag) == 0;
	return name || descriptor_annotation(d, "io.containerd.image.name");
}

static int load_rows(const struct source *src, struct ingest *in, const struct load_request *request,
		     const struct document *index, struct err *e)
{
	size_t named = 0;
	const struct descriptor *only = NULL;
	for (size_t i = 0; i < index->manifests.n; i++)
		if (is_wanted(request, &index->manifests.v[i])) {
			named++;
			only = &index->manifests.v[i];
		}
	if (request->tag && !named)
		return err_new(e, ENOENT, "%s: has no image \"%s\"", request->path, request->tag);
	if (named > 1 && request->name)
		return err_new(e, EINVAL, "%s: has %zu images: --name can name one (choose with DIR:TAG)",
			       request->path, named);
	/* Rows without names are one image for several platforms, or a single one. */
	if (!named)
		only = index->manifests.n == 1 ? &index->manifests.v[0] :
						 platform_pick_own(index, request->path, e);
	if (!only)
		return -e->num;
	if (named <= 1)
		return load_one(src, in, request, only, e);
	int r = 0;
	for (size_t i = 0; r == 0 && i < index->manifests.n; i++)
		if (is_wanted(request, &index->manifests.v[i]))
			r = load_one(src, in, request, &index->manifests.v[i], e);
	return r;
}

static int check_layout(const struct source *src, struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	free_auto char *bytes = NULL;
	size_t len;
	struct layout layout = { .version = NULL };
	int r = source_read(src, "oci-layout", 4096, &bytes, &len, e);
	if (r == 0)
		r = jx_load(bytes, len, "oci-layout", layout_rows, &layout, &arena, NULL, e);
	if (r == 0 && strcmp(layout.version, "1.0.0") != 0)
		r = err_new(e, EINVAL, "oci-layout: imageLayoutVersion is \"%.40s\", not \"1.0.0\"",
			    layout.version);
	return r;
}

/* Signatures in a layout are no images. */
static void leave_out_signatures(const struct document *index, struct arena *arena, struct document *ret_images)
{
	*ret_images = *index;
	ret_images->manifests.n = 0;
	ret_images->manifests.v = arena_array(arena, index->manifests.n, sizeof(*index->manifests.v));
	for (size_t i = 0; i < index->manifests.n; i++)
		if (!layout_is_signature(&index->manifests.v[i]))
			ret_images->manifests.v[ret_images->manifests.n++] = index->manifests.v[i];
}

int oci_load(const struct source *src, struct ingest *in, const struct load_request *request, struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	free_auto char *bytes = NULL;
	size_t len;
	struct document index, images;
	struct layout_signatures signatures = { .src = src, .index = &index };
	struct trust_fetch fetch;
	struct load_request req = *request;
	layout_fetch(&signatures, &fetch);
	req.fetch = &fetch;
	int r = check_layout(src, e);
	if (r == 0)
		r = source_read(src, "index.json", STORE_MANIFEST_MAX, &bytes, &len, e);
	if (r == 0)
		r = document_load(bytes, len, "index.json", NULL, &arena, &index, e);
	if (r == 0 && !index.manifests.v)
		r = err_new(e, EINVAL, "index.json: manifests: missing");
	if (r == 0) {
		leave_out_signatures(&index, &arena, &images);
		r = load_rows(src, in, &req, &images, e);
	}
	return r < 0 ? err_at(e, r, "%s", request->path) : 0;
}
