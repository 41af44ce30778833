/* SPDX-License-Identifier: Apache-2.0 */
/* kist image ls and inspect: what the store knows, under Docker's field names. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/image_cmd.h"
#include "cli/image_text.h"
#include "cli/out.h"
#include "image/names.h"
#include "util/fd.h"

struct image_row {
	const char *name;
	const char *repository;
	const char *tag;
	const char *id;
	const char *digest;
	const char *created;
	const char *since;
	const char *size;
	const char *arch;
	const char *os;
	int64_t size_bytes;
};

/* clang-format off */
#define R struct image_row
static const struct out_field fields[] = {
	OUT_STR(R, repository, "Repository", .header = "REPOSITORY"),
	OUT_STR(R, tag, "Tag", .header = "TAG"),
	OUT_STR(R, id, "ID", .header = "IMAGE ID", .docker = "Id"),
	OUT_STR(R, since, "CreatedSince", .header = "CREATED"),
	OUT_STR(R, size, "Size", .header = "SIZE"),
	OUT_STR(R, name, "Name"),
	OUT_STR(R, digest, "Digest"),
	OUT_STR(R, created, "CreatedAt"),
	OUT_I64(R, size_bytes, "SizeBytes"),
	OUT_STR(R, arch, "Architecture"),
	OUT_STR(R, os, "Os"),
};
/* clang-format on */

enum { KEY_FIELD = 2 };

/* An image that another tool left incomplete is listed with what is known of it. */
static void fill_row(const struct store *s, const struct name_row *from, struct arena *a,
		     struct image_row *row)
{
	image_auto struct image im = { .name = NULL };
	struct err ignored;
	const char *at = from->name ? strchr(from->name, '@') : NULL;
	const char *colon = at ? at : from->name ? strrchr(from->name, ':') : NULL;
	*row = (struct image_row){
		.name = from->name ? from->name : "",
		.digest = from->desc->digest,
		.repository = "<none>",
		.tag = "<none>",
		.id = arena_strn(a, digest_hex(from->desc->digest), 12),
		.created = "",
		.since = "",
		.arch = "",
		.os = "",
	};
	if (from->name) {
		row->repository =
			colon ? arena_strn(a, from->name, (size_t)(colon - from->name)) : from->name;
		row->tag = at ? "<none>" : colon ? colon + 1 : "";
	}
	if (image_open(s, from->desc->digest, &im, &ignored) == 0) {
		row->size_bytes = image_bytes(s, &im);
		row->created = arena_str(a, im.config.created ? im.config.created : "");
		row->since = image_since_text(a, im.config.created);
		row->arch = arena_str(a, im.config.arch ? im.config.arch : "");
		row->os = arena_str(a, im.config.os ? im.config.os : "");
	}
	row->size = image_size_text(a, row->size_bytes);
}

int image_cmd_ls(const struct store *s, const union image_options *options, int argc, char **argv,
		 struct err *e)
{
	names_auto struct names names = { .n = 0 };
	(void)argc;
	(void)argv;
	int r = names_read(s, &names, e);
	if (r < 0)
		return r;
	struct image_row *rows = arena_array(&names.arena, names.n, sizeof(*rows));
	size_t n = 0;
	for (size_t i = 0; i < names.n; i++)
		if (!descriptor_is_foreign(names.v[i].desc))
			fill_row(s, &names.v[i], &names.arena, &rows[n++]);
	const struct out_list list = {
		.fields = fields,
		.count = ARRAY_LEN(fields),
		.row_size = sizeof(*rows),
		.key = KEY_FIELD,
	};
	return out_rows(&list, options->ls.format, options->ls.quiet, rows, n, e);
}

/* ---- inspect ---- */

/* The config's own "config" object, as it is in the blob. */
static json_t *raw_process(const struct store *s, const struct image *im)
{
	free_auto char *bytes = NULL;
	size_t len;
	struct err ignored;
	if (store_read_blob(s, im->manifest.config->digest, STORE_CONFIG_MAX, &bytes, &len, &ignored) < 0)
		return json_object();
	json_t *doc = json_loadb(bytes, len, 0, NULL);
	json_t *process = json_incref(json_object_get(doc, "config"));
	json_decref(doc);
	return process ? process : json_object();
}

static json_t *text_or_empty(const char *text)
{
	return json_string(text ? text : "");
}

static json_t *describe(const struct store *s, const struct image *im, const struct names *names)
{
	json_t *tags = json_array(), *diffs = json_array(), *blobs = json_array();
	int64_t packed = 0;
	for (size_t i = 0; i < names->n; i++)
		if (names->v[i].name && strcmp(names->v[i].desc->digest, im->digest) == 0)
			json_array_append_new(tags, json_string(names->v[i].name));
	for (size_t i = 0; i < im->layers.n; i++) {
		const struct descriptor *d = &im->manifest.layers.v[i];
		packed += d->size_bytes.v;
		json_array_append_new(diffs, json_string(im->layers.v[i]));
		json_array_append_new(blobs, json_pack("{s:s, s:o, s:I, s:b}", "Digest", d->digest,
						       "MediaType", text_or_empty(d->media_type), "Size",
						       (json_int_t)d->size_bytes.v, "Unpacked",
						       store_has_layer(s, im->layers.v[i])));
	}
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:{s:s, s:o}, s:o, s:s, s:o}",
			 "Id", im->digest, "Digest", im->digest, "RepoTags", tags, "Created",
			 text_or_empty(im->config.created), "Author", text_or_empty(im->config.author),
			 "Architecture", text_or_empty(im->config.arch), "Os", text_or_empty(im->config.os),
			 "Config", raw_process(s, im), "Size", (json_int_t)image_bytes(s, im), "PackedSize",
			 (json_int_t)packed, "RootFS", "Type", "layers", "Layers", diffs, "Layers", blobs,
			 "ConfigDigest", im->manifest.config->digest, "MediaType",
			 text_or_empty(im->manifest.media_type));
}

int image_cmd_inspect(const struct store *s, const union image_options *options, int argc, char **argv,
		      struct err *e)
{
	names_auto struct names names = { .n = 0 };
	json_t *array = json_array();
	int r = names_read(s, &names, e);
	for (int i = 0; r == 0 && i < argc; i++) {
		image_auto struct image im = { .name = NULL };
		r = image_open(s, argv[i], &im, e);
		if (r == 0)
			json_array_append_new(array, describe(s, &im, &names));
	}
	if (r == 0)
		r = out_objects(array, options->inspect.format, e);
	json_decref(array);
	return r;
}
