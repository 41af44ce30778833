/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist image inspect: what the store knows of images, under the names that docker and podman have for it. Sources:
 * docker-image-inspect(1), podman-image-inspect(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/image_cmd.h"
#include "cli/image_text.h"
#include "cli/out.h"
#include "image/erofsmount.h"
#include "image/names.h"
#include "image/packcheck.h"
#include "util/fd.h"
#include "util/mem.h"

/* The raw documents: what kist does not know of them is shown, too. */
static json_t *read_document(const struct store *s, const char *digest, size_t max)
{
	free_auto char *bytes = NULL;
	size_t len;
	struct err ignored;
	if (store_read_blob(s, digest, max, &bytes, &len, &ignored) < 0)
		return json_object();
	json_t *doc = json_loadb(bytes, len, 0, NULL);
	return json_is_object(doc) ? doc : json_object();
}

static json_t *text_or_empty(const char *text)
{
	return json_string(text ? text : "");
}

/* A key of an object, or what stands for its absence. */
static json_t *take(const json_t *from, const char *key, json_t *otherwise)
{
	json_t *value = json_object_get(from, key);
	if (!value || json_is_null(value))
		return otherwise;
	json_decref(otherwise);
	return json_incref(value);
}

/* NAME@DIGEST of each name without its tag, once. */
static void add_names(const struct names *names, const char *digest, json_t *tags, json_t *digests)
{
	char text[REF_TEXT_MAX];
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i].name;
		if (!name || strcmp(names->v[i].desc->digest, digest) != 0)
			continue;
		const char *at = strchr(name, '@');
		const char *colon = at ? at : strrchr(name, ':');
		snprintf(text, sizeof(text), "%.*s@%s", (int)(colon ? colon - name : (ptrdiff_t)strlen(name)), name,
			 digest);
		if (!at)
			json_array_append_new(tags, json_string(name));
		size_t k, known = 0;
		json_t *other;
		json_array_foreach(digests, k, other) known += strcmp(json_string_value(other), text) == 0;
		if (!known)
			json_array_append_new(digests, json_string(text));
	}
}

static json_t *layers_json(const struct store *s, const struct image *im, int64_t *ret_packed)
{
	json_t *blobs = json_array();
	for (size_t i = 0; i < im->layers.n; i++) {
		const struct descriptor *d = &im->manifest.layers.v[i];
		*ret_packed += d->size_bytes.v;
		json_array_append_new(blobs, json_pack("{s:s, s:o, s:I, s:b}", "Digest", d->digest,
						       "MediaType", text_or_empty(d->media_type), "Size",
						       (json_int_t)d->size_bytes.v, "Unpacked",
						       store_has_layer(s, im->layers.v[i])));
	}
	return blobs;
}

static json_t *diffs_json(const struct image *im)
{
	json_t *diffs = json_array();
	for (size_t i = 0; i < im->layers.n; i++)
		json_array_append_new(diffs, json_string(im->layers.v[i]));
	return diffs;
}

/* Where the layers lie unpacked, as the driver overlay tells it: the top one, and what is below. */
static json_t *driver_json(const struct store *s, const struct image *im)
{
	str_auto struct str lower = STR_MAX(1 << 20);
	json_t *data = json_object();
	bool is_hidden = false;
	for (size_t i = im->layers.n; i-- > 0 && !is_hidden;) {
		char path[STORE_PATH_MAX], fs[STORE_PATH_MAX + 16];
		snprintf(fs, sizeof(fs), "%s/fs", store_layer_path(im->layers.v[i], path));
		is_hidden = s->dir >= 0 && faccessat(s->dir, fs, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
		if (i + 1 == im->layers.n) {
			free_auto char *top = mem_fmt("%s/%s%s", s->path, fs, is_hidden ? "-opaque" : "");
			json_object_set_new(data, "UpperDir", json_string(top));
			continue;
		}
		str_fmt(&lower, "%s%s/%s%s", lower.len ? ":" : "", s->path, fs, is_hidden ? "-opaque" : "");
	}
	if (lower.len)
		json_object_set_new(data, "LowerDir", json_string(lower.p));
	return json_pack("{s:s, s:o}", "Name", "overlay", "Data", data);
}

/* The comment of the last step, as docker shows it. */
static const char *comment_of(const struct image *im)
{
	size_t n = im->config.history.n;
	return n ? im->config.history.v[n - 1].comment : NULL;
}

/* The file that stands for the layers, or null. */
static json_t *erofs_json(const struct store *s, const struct image *im)
{
	char path[STORE_PATH_MAX];
	int64_t size = erofs_bytes(s, im->digest);
	if (!size)
		return json_null();
	free_auto char *full = mem_fmt("%s/%s", s->path, erofs_path(im->digest, path));
	return json_pack("{s:s, s:I}", "Path", full, "Size", (json_int_t)size);
}

/* An image's documents as they are, and what it is called. Its references are describe's. */
struct described {
	json_t *config, *manifest, *tags, *digests;
};

static json_t *describe(const struct store *s, const struct image *im, const struct described *d)
{
	json_t *tags = d->tags, *digests = d->digests, *config = d->config, *manifest = d->manifest;
	json_t *process = take(config, "config", json_object());
	int64_t packed = 0, bytes = image_bytes(s, im);
	json_t *layers = layers_json(s, im, &packed);
	json_t *doc = json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "Id", im->digest,
				"Digest", im->digest, "RepoTags", tags, "RepoDigests", digests, "Parent", "", "Comment",
				text_or_empty(comment_of(im)), "Created", text_or_empty(im->config.created), "Config",
				json_incref(process), "Version", take(config, "docker_version", json_string("")), "Author",
				text_or_empty(im->config.author), "Architecture", text_or_empty(im->config.arch), "Variant",
				text_or_empty(im->config.variant), "Os", text_or_empty(im->config.os));
	json_t *more = json_pack("{s:I, s:I, s:I, s:o, s:{s:s, s:o}, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "Size",
				 (json_int_t)bytes, "VirtualSize", (json_int_t)bytes, "PackedSize", (json_int_t)packed,
				 "GraphDriver", driver_json(s, im), "RootFS", "Type", "layers", "Layers", diffs_json(im),
				 "Labels", take(process, "Labels", json_null()), "Annotations",
				 take(manifest, "annotations", json_object()), "User", take(process, "User", json_string("")),
				 "History", take(config, "history", json_array()), "Layers", layers, "ConfigDigest",
				 im->manifest.config->digest, "ManifestType",
				 text_or_empty(im->manifest.media_type ? im->manifest.media_type :
									 "application/vnd.oci.image.manifest.v1+json"));
	json_object_update(doc, more);
	json_object_set_new(doc, "Erofs", erofs_json(s, im));
	json_object_set_new(doc, "MediaType", text_or_empty(im->manifest.media_type));
	json_decref(more);
	json_decref(process);
	json_decref(config);
	json_decref(manifest);
	return doc;
}

static int inspect_stored(const struct store *s, const char *word, const struct names *names, json_t *array,
			  struct err *e)
{
	image_auto struct image im = { .name = NULL };
	struct name_hit hit;
	int r = names_resolve(s, word, &hit, e);
	if (r < 0 || (r = image_open(s, word, &im, e)) < 0)
		return r;
	struct described d = { .config = read_document(s, im.manifest.config->digest, STORE_CONFIG_MAX),
			       .manifest = read_document(s, im.digest, STORE_MANIFEST_MAX),
			       .tags = json_array(), .digests = json_array() };
	add_names(names, hit.digest, d.tags, d.digests);
	json_array_append_new(array, describe(s, &im, &d));
	return 0;
}

static json_t *load_object(const char *text)
{
	json_t *doc = json_loads(text, 0, NULL);
	return json_is_object(doc) ? doc : json_object();
}

/* A packed image tells the same of itself, wherever it is; its documents are verified, and not its file system. */
static int inspect_packed(const struct store *s, const char *path, json_t *array, struct err *e)
{
	packed_auto struct packed p = { .config_bytes = NULL };
	fd_auto int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r = fd < 0 ? err_sys(e, "open") : packed_open(fd, &p, e);
	if (r == 0 && !p.manifest_bytes)
		r = err_new(e, EINVAL, "a file of a store, without an image's configuration");
	if (r < 0)
		return err_at(e, r, "%s", path);
	struct image im = { .manifest = p.manifest, .config = p.config, .process = p.config.process,
			    .layers = p.config.rootfs->diff_ids };
	struct described d = { .config = load_object(p.config_bytes), .manifest = load_object(p.manifest_bytes),
			       .tags = json_array(), .digests = json_array() };
	memcpy(im.digest, p.head.manifest.digest, DIGEST_TEXT_MAX);
	if (p.head.name[0])
		json_array_append_new(d.tags, json_string(p.head.name));
	json_t *doc = describe(s, &im, &d);
	json_object_set_new(doc, "Erofs", json_pack("{s:s, s:I}", "Path", path, "Size", (json_int_t)p.head.erofs_size));
	json_array_append_new(array, doc);
	return 0;
}

/* podman image exists: 1 is an answer here, and no failure that wants words. */
int image_cmd_exists(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	image_auto struct image im = { .name = NULL };

	(void)options;
	(void)argc;
	int r = image_open(s, argv[0], &im, e);
	if (r != -ENOENT)
		return r;
	err_clear(e);
	e->exit = 1;
	return r;
}

int image_cmd_inspect(const struct store *s, const union image_options *options, int argc, char **argv,
		      struct err *e)
{
	names_auto struct names names = { .n = 0 };
	json_t *array = json_array();
	int r = names_read(s, &names, e);
	for (int i = 0; r == 0 && i < argc; i++)
		r = pack_is_word(argv[i]) ? inspect_packed(s, argv[i], array, e) :
					    inspect_stored(s, argv[i], &names, array, e);
	if (r == 0)
		r = out_objects(array, options->inspect.format, e);
	json_decref(array);
	return r;
}
