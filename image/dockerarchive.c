/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See dockerarchive.h. Source: moby's image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset
 * Format".
 */
#include "image/dockerarchive.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "image/digest.h"
#include "util/fd.h"

struct docker_image {
	const char *config;
	struct strs tags;
	struct strs layers;
};

struct docker_images {
	struct docker_image *v;
	size_t n;
};

/* manifest.json is a list; jx reads objects, so the list is put into one. */
struct docker_manifest {
	struct docker_images images;
};

/* clang-format off */
static const struct jx_field image_rows[] = {
	JX_STR(struct docker_image, config, "Config", .must = true),
	JX_STRS(struct docker_image, tags, "RepoTags"),
	JX_STRS(struct docker_image, layers, "Layers", .must = true),
	JX_END
};

static const struct jx_field manifest_rows[] = {
	JX_LIST(struct docker_manifest, images, "images", struct docker_image, image_rows, .must = true),
	JX_END
};
/* clang-format on */

bool docker_is(const struct source *src)
{
	return source_has(src, "manifest.json");
}

static int read_manifest(const struct source *src, struct arena *arena, struct docker_manifest *ret_manifest,
			 struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	int r = source_read(src, "manifest.json", STORE_MANIFEST_MAX, &bytes, &len, e);
	if (r < 0)
		return r;
	/* docker-dir's manifest.json, as save and skopeo's dir: write it, is an image's manifest and no list. */
	if (bytes[strspn(bytes, " \t\r\n")] == '{')
		return err_new(e, EINVAL, "manifest.json: that of a directory as skopeo's dir: has it, which is not read: "
					  "skopeo copy dir:DIR oci:LAYOUT:TAG makes a layout of it");
	str_auto struct str text = STR_MAX(STORE_MANIFEST_MAX + 64);
	str_puts(&text, "{\"images\":");
	str_add(&text, bytes, len);
	str_puts(&text, "}");
	return jx_load(text.p, text.len, "manifest.json", manifest_rows, ret_manifest, arena, NULL, e);
}

/* A plain tar's digest is its diffID: known before it is read, so a layer that the store has need not be. */
static bool is_plain(const struct part *part)
{
	return packing_at(part->fd, part->offset) == PACKING_NONE;
}

static int plan_layer(const struct source *src, const char *member, const char *diff_id, struct layerjob *job,
		      struct err *e)
{
	struct part part;
	int r = source_part(src, member, &part, e);
	if (r < 0)
		return err_at(e, r, "layer %s", diff_id);
	job->own_fd = part.own_fd;
	job->fd = part.fd;
	job->offset = part.offset;
	job->size_bytes = part.size_bytes;
	memcpy(job->diff_id, diff_id, DIGEST_TEXT_MAX);
	if (is_plain(&part))
		memcpy(job->blob, diff_id, DIGEST_TEXT_MAX);
	return 0;
}

static int make_plan(const struct source *src, const struct docker_image *im, struct plan *plan,
		     struct err *e)
{
	struct image_config config;
	if (im->layers.n > IMAGE_LAYERS_MAX)
		return err_new(e, E2BIG, "manifest.json: %zu layers, at most %d", im->layers.n,
			       IMAGE_LAYERS_MAX);
	int r = source_read(src, im->config, STORE_CONFIG_MAX, &plan->config, &plan->config_len, e);
	if (r < 0 || (r = config_load(plan->config, plan->config_len, im->config, (ptrdiff_t)im->layers.n,
				      &plan->arena, &config, e)) < 0)
		return r;
	digest_of(plan->config, plan->config_len, plan->config_digest);
	/*
	 * The config's file is named by its digest; a name that lies is refused, another kind of name says
	 * nothing.
	 */
	char said[DIGEST_TEXT_MAX + 16] = "sha256:";
	const char *base = strrchr(im->config, '/');
	base = base ? base + 1 : im->config;
	size_t len = strcspn(base, ".");
	if (len == 64) {
		memcpy(said + 7, base, 64);
		if (digest_is_valid(said) && strcmp(said, plan->config_digest) != 0)
			return err_new(e, EBADMSG, "%s: digest mismatch: expected %s, got %s", im->config,
				       said, plan->config_digest);
	}
	plan_layers(plan, im->layers.n);
	for (size_t i = 0; r == 0 && i < im->layers.n; i++)
		r = plan_layer(src, im->layers.v[i], config.rootfs->diff_ids.v[i], &plan->jobs[i], e);
	return r;
}

static int add_name(struct plan *plan, const char *name, struct err *e)
{
	struct ref ref;
	char text[REF_TEXT_MAX];
	int r = ref_parse(name, &ref, e);
	if (r < 0)
		return r;
	ref_text(&ref, text);
	plan_name(plan, text);
	return 0;
}

static int load_one(const struct source *src, struct ingest *in, const struct load_request *request,
		    const struct docker_image *im, struct err *e)
{
	plan_auto struct plan plan = { .count = 0 };
	int r = make_plan(src, im, &plan, e);
	if (r == 0 && request->name)
		r = add_name(&plan, request->name, e);
	for (size_t i = 0; r == 0 && !request->name && i < im->tags.n; i++)
		r = add_name(&plan, im->tags.v[i], e);
	const struct trust_subject subject = { .transport = "docker-archive" };
	if (r == 0)
		r = trust_check(request->trust, &subject, e);
	return r < 0 ? r : load_finish(in, &plan, request, e);
}

static bool is_wanted(const struct load_request *request, const struct docker_image *im)
{
	if (!request->tag)
		return true;
	for (size_t i = 0; i < im->tags.n; i++)
		if (strcmp(im->tags.v[i], request->tag) == 0)
			return true;
	return false;
}

int docker_load(const struct source *src, struct ingest *in, const struct load_request *request,
		struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	struct docker_manifest manifest = { .images = { .n = 0 } };
	int r = read_manifest(src, &arena, &manifest, e);
	size_t wanted = 0;
	for (size_t i = 0; r == 0 && i < manifest.images.n; i++)
		wanted += is_wanted(request, &manifest.images.v[i]);
	if (r == 0 && !wanted)
		r = err_new(e, ENOENT, request->tag ? "has no image \"%s\"" : "has no images%s",
			    request->tag ? request->tag : "");
	if (r == 0 && wanted > 1 && request->name)
		r = err_new(e, EINVAL, "has %zu images: --name can name one", wanted);
	for (size_t i = 0; r == 0 && i < manifest.images.n; i++)
		if (is_wanted(request, &manifest.images.v[i]))
			r = load_one(src, in, request, &manifest.images.v[i], e);
	return r < 0 ? err_at(e, r, "%s", request->path) : 0;
}
