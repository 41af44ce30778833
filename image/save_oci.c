/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save_oci and save_dir of save_parts.h: an image's blobs as they are. Sources: image-spec image-layout.md; the
 * "dir:" transport of containers-transports(5).
 */
#include <errno.h>
#include <string.h>

#include "image/names.h"
#include "image/save_parts.h"

static const char *signatures_type(const struct saved *image)
{
	const char *type = image->signatures.doc.media_type;
	return type ? type : "application/vnd.oci.image.manifest.v1+json";
}

/* The index says which names lead to which manifest; an image without a name has a row, too. */
static int add_rows(struct saver *s, const struct saved *image, json_t *rows, struct err *e)
{
	uint64_t size = 0;
	int r = save_blob_size(s->store, image->im.digest, &size, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < image->name_count || i == 0; i++) {
		json_t *row = json_pack("{s:s, s:s, s:I}", "mediaType", save_media_type(&image->im), "digest",
					image->im.digest, "size", (json_int_t)size);
		if (image->name_count)
			json_object_set_new(row, "annotations", json_pack("{s:s}", NAME_ANNOTATION, image->names[i]));
		json_array_append_new(rows, row);
	}
	char tag[REF_SIGNATURE_TAG_MAX];
	if (image->signatures.manifest)
		json_array_append_new(rows, json_pack("{s:s, s:s, s:I, s:{s:s}}", "mediaType", signatures_type(image),
						      "digest", image->signatures_digest, "size",
						      (json_int_t)image->signatures.manifest_len, "annotations",
						      NAME_ANNOTATION, ref_signature_tag(image->im.digest, tag)));
	return 0;
}

static int put_index(struct saver *s, struct err *e)
{
	json_t *rows = json_array();
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->count; i++)
		r = add_rows(s, &s->images[i], rows, e);
	json_t *doc = json_pack("{s:i, s:s, s:o}", "schemaVersion", 2, "mediaType",
				"application/vnd.oci.image.index.v1+json", "manifests", rows);
	if (r == 0)
		return save_json(s, "index.json", doc, e);
	json_decref(doc);
	return r;
}

static int put_blob(struct saver *s, const char *digest, struct err *e)
{
	char path[STORE_PATH_MAX];
	return save_is_new(s, digest) ? save_blob(s, digest, store_blob_path(digest, path), e) : 0;
}

static int put_image(struct saver *s, const struct image *im, struct err *e)
{
	int r = put_blob(s, im->digest, e);
	if (r == 0)
		r = put_blob(s, im->manifest.config->digest, e);
	for (size_t i = 0; r == 0 && i < im->manifest.layers.n; i++) {
		size_t done = s->done_count;
		save_layer_begin(s);
		r = put_blob(s, im->manifest.layers.v[i].digest, e);
		save_layer_end(s, r, s->done_count > done);
	}
	return r;
}

static int put_signatures(struct saver *s, const struct saved *image, struct err *e)
{
	if (!image->signatures.manifest)
		return 0;
	int r = put_blob(s, image->signatures_digest, e);
	if (r == 0)
		r = put_blob(s, image->signatures.doc.config->digest, e);
	for (size_t i = 0; r == 0 && i < image->signatures.doc.layers.n; i++)
		r = put_blob(s, image->signatures.doc.layers.v[i].digest, e);
	return r;
}

int save_oci(struct saver *s, struct err *e)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	int r = sink_text(&s->sink, "oci-layout", layout, strlen(layout), e);
	if (r == 0)
		r = put_index(s, e);
	if (r == 0)
		r = sink_mkdir(&s->sink, "blobs", e);
	if (r == 0)
		r = sink_mkdir(&s->sink, "blobs/sha256", e);
	for (size_t i = 0; r == 0 && i < s->count; i++)
		r = put_image(s, &s->images[i].im, e);
	for (size_t i = 0; r == 0 && i < s->count; i++)
		r = put_signatures(s, &s->images[i], e);
	return r;
}

int save_dir(struct saver *s, struct err *e)
{
	static const char version[] = "Directory Transport Version: 1.1\n";
	const struct image *im = &s->images[0].im;
	if (s->count > 1)
		return err_new(e, EINVAL, "format docker-dir: holds one image, not %zu", s->count);
	int r = sink_text(&s->sink, "version", version, strlen(version), e);
	if (r == 0)
		r = save_blob(s, im->digest, "manifest.json", e);
	if (r == 0)
		r = save_blob(s, im->manifest.config->digest, digest_hex(im->manifest.config->digest), e);
	for (size_t i = 0; r == 0 && i < im->manifest.layers.n; i++) {
		const char *digest = im->manifest.layers.v[i].digest;
		bool is_new = save_is_new(s, digest);
		save_layer_begin(s);
		r = is_new ? save_blob(s, digest, digest_hex(digest), e) : 0;
		save_layer_end(s, r, is_new);
	}
	return r;
}
