/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save_docker of save_parts.h: an archive of `docker save`. Its layers are plain tars, named by their diffIDs, and the
 * config's digest is the image's ID. Source: moby's image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset
 * Format".
 *
 * A tar says the size of a file before its data, so a packed layer is inflated twice: once to count, once to write.
 * That needs neither memory nor room on a disk, and works on a pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/digest.h"
#include "image/intake.h"
#include "image/names.h"
#include "image/save_parts.h"
#include "util/fd.h"

/* Layers that the store has taken in were held to their limits then. */
static const struct inflate_limits no_limits = { UINT64_MAX, UINT64_MAX, UINT64_MAX };

/* What is done with the bytes of a layer: they are counted, or written and compared with the diffID. */
struct pass {
	const struct store *store;
	struct saver *saver; /* NULL: they are counted */
	struct intake in;
	struct digest digest;
	uint64_t bytes;
};

static int drain(struct pass *p, struct flow *f, struct err *e)
{
	const uint8_t *bytes;
	uint64_t seen = 0;
	size_t n;
	int r;
	while ((r = flow_pull(f, &bytes, &n, e)) == 1) {
		p->bytes += n;
		if (!p->saver)
			continue;
		progress_add(p->saver->row, p->in.bytes - seen);
		seen = p->in.bytes;
		digest_add(&p->digest, bytes, n);
		if ((r = sink_write(&p->saver->sink, bytes, n, e)) < 0)
			break;
	}
	return r;
}

static int check_diff_id(struct pass *p, const char *diff_id, struct err *e)
{
	char got[DIGEST_TEXT_MAX];
	digest_text(&p->digest, got);
	if (strcmp(got, diff_id) == 0)
		return 0;
	return err_new(e, EBADMSG, "diffID mismatch: expected %s, got %s", diff_id, got);
}

static int pass_over(struct pass *p, int fd, uint64_t size, const char *diff_id, struct err *e)
{
	struct inflate inflate;
	p->bytes = 0;
	digest_begin(&p->digest);
	intake_part(&p->in, fd, 0, size, -1);
	int r = inflate_open(&inflate, &p->in.flow, &no_limits, p->store->dir, e);
	if (r == 0)
		r = drain(p, &inflate.flow, e);
	if (r == 0 && p->saver)
		r = check_diff_id(p, diff_id, e);
	inflate_done(&inflate);
	intake_done(&p->in);
	digest_done(&p->digest);
	return r;
}

static const char *layer_name(const char *diff_id, char out[static STORE_PATH_MAX])
{
	snprintf(out, STORE_PATH_MAX, "%s.tar", digest_hex(diff_id));
	return out;
}

static int put_layer(struct saver *s, const char *blob, const char *diff_id, struct err *e)
{
	char path[STORE_PATH_MAX];
	uint64_t size = 0;
	struct pass pass = { .store = s->store };
	fd_auto int fd = openat(s->store->dir, store_blob_path(blob, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "blob %s", blob);
	int r = save_blob_size(s->store, blob, &size, e);
	if (r == 0)
		r = pass_over(&pass, fd, size, diff_id, e);
	if (r == 0)
		r = sink_file(&s->sink, layer_name(diff_id, path), pass.bytes, e);
	pass.saver = s;
	if (r == 0)
		r = pass_over(&pass, fd, size, diff_id, e);
	if (r == 0)
		r = sink_close(&s->sink, e);
	return r < 0 ? err_at(e, r, "layer %s", blob) : 0;
}

/* ---- documents ---- */

static json_t *image_row(const struct saved *image)
{
	char path[STORE_PATH_MAX];
	json_t *names = json_array(), *layers = json_array();
	for (size_t i = 0; i < image->name_count; i++)
		json_array_append_new(names, json_string(image->names[i]));
	for (size_t i = 0; i < image->im.layers.n; i++)
		json_array_append_new(layers, json_string(layer_name(image->im.layers.v[i], path)));
	snprintf(path, sizeof(path), "%s.json", digest_hex(image->im.manifest.config->digest));
	return json_pack("{s:s, s:o, s:o}", "Config", path, "RepoTags", names, "Layers", layers);
}

/* Before manifest.json: repository, tag, the top layer. Some tools list an archive by it. */
static void add_repositories(const struct saved *image, json_t *doc)
{
	for (size_t i = 0; i < image->name_count && image->im.layers.n; i++) {
		const char *name = image->names[i], *colon = strrchr(name, ':');
		free_auto char *repository = mem_fmt("%.*s", (int)(colon ? colon - name : 0), name);
		if (!*repository)
			continue;
		if (!json_object_get(doc, repository))
			json_object_set_new(doc, repository, json_object());
		json_object_set_new(json_object_get(doc, repository), colon + 1,
				    json_string(digest_hex(image->im.layers.v[image->im.layers.n - 1])));
	}
}

static int put_documents(struct saver *s, struct err *e)
{
	json_t *rows = json_array(), *repositories = json_object();
	for (size_t i = 0; i < s->count; i++) {
		json_array_append_new(rows, image_row(&s->images[i]));
		add_repositories(&s->images[i], repositories);
	}
	int r = save_json(s, "manifest.json", rows, e);
	if (r < 0)
		json_decref(repositories);
	return r < 0 ? r : save_json(s, "repositories", repositories, e);
}

static int put_image(struct saver *s, const struct image *im, struct err *e)
{
	char path[STORE_PATH_MAX];
	const char *config = im->manifest.config->digest;
	snprintf(path, sizeof(path), "%s.json", digest_hex(config));
	int r = save_is_new(s, config) ? save_blob(s, config, path, e) : 0;
	for (size_t i = 0; r == 0 && i < im->layers.n; i++) {
		const char *diff_id = im->layers.v[i];
		bool is_new = save_is_new(s, diff_id);
		save_layer_begin(s);
		r = is_new ? put_layer(s, im->manifest.layers.v[i].digest, diff_id, e) : 0;
		save_layer_end(s, r, is_new);
	}
	return r;
}

int save_docker(struct saver *s, struct err *e)
{
	int r = put_documents(s, e);
	for (size_t i = 0; r == 0 && i < s->count; i++)
		r = put_image(s, &s->images[i].im, e);
	return r;
}
