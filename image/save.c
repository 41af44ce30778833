/* SPDX-License-Identifier: Apache-2.0 */
/* See save.h. */
#include "image/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/digest.h"
#include "image/hold.h"
#include "image/intake.h"
#include "image/names.h"
#include "image/objlock.h"
#include "image/save_parts.h"
#include "image/trust/carry.h"
#include "util/fd.h"

static const struct {
	int (*write)(struct saver *s, struct err *e);
	bool is_dir;
} formats[] = {
	[SAVE_DOCKER_ARCHIVE] = { save_docker, false },
	[SAVE_OCI_ARCHIVE] = { save_oci, false },
	[SAVE_OCI_DIR] = { save_oci, true },
	[SAVE_DOCKER_DIR] = { save_dir, true },
};

/* ---- parts for the formats ---- */

bool save_is_new(struct saver *s, const char *digest)
{
	for (size_t i = 0; i < s->done_count; i++)
		if (strcmp(s->done[i], digest) == 0)
			return false;
	if (!(s->done_count & (s->done_count - 1)))
		s->done = mem_grow(s->done, (s->done_count ? s->done_count * 2 : 1) * sizeof(*s->done));
	s->done[s->done_count++] = digest;
	return true;
}

void save_layer_begin(struct saver *s)
{
	s->row = &s->progress->rows[s->next_row++];
	progress_begin(s->progress, s->row);
}

void save_layer_end(struct saver *s, int r, bool is_new)
{
	progress_end(s->progress, s->row, r < 0 ? "stopped" : is_new ? "saved" : "already in");
	s->row = NULL;
}

int save_blob_size(const struct store *s, const char *digest, uint64_t *ret_size, struct err *e)
{
	char path[STORE_PATH_MAX];
	struct stat st;
	if (fstatat(s->dir, store_blob_path(digest, path), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "blob %s", digest);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

static int copy_blob(struct saver *s, const char *digest, int fd, uint64_t size, struct err *e)
{
	struct intake in;
	const uint8_t *p;
	size_t n;
	char got[DIGEST_TEXT_MAX];
	int r;
	intake_part(&in, fd, 0, size, -1);
	while ((r = flow_pull(&in.flow, &p, &n, e)) == 1) {
		progress_add(s->row, n);
		if ((r = sink_write(&s->sink, p, n, e)) < 0)
			break;
	}
	if (r == 0) {
		intake_digest(&in, got);
		if (strcmp(got, digest) != 0)
			r = err_new(e, EBADMSG, "digest mismatch: it is %s now", got);
	}
	intake_done(&in);
	return r;
}

int save_blob(struct saver *s, const char *digest, const char *name, struct err *e)
{
	char path[STORE_PATH_MAX];
	uint64_t size = 0;
	fd_auto int fd = openat(s->store->dir, store_blob_path(digest, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "blob %s", digest);
	int r = save_blob_size(s->store, digest, &size, e);
	if (r == 0)
		r = sink_file(&s->sink, name, size, e);
	if (r == 0)
		r = copy_blob(s, digest, fd, size, e);
	if (r == 0)
		r = sink_close(&s->sink, e);
	return r < 0 ? err_at(e, r, "blob %s", digest) : 0;
}

int save_json(struct saver *s, const char *name, json_t *doc, struct err *e)
{
	free_auto char *text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	if (!text)
		mem_out();
	return sink_text(&s->sink, name, text, strlen(text), e);
}

const char *save_media_type(const struct image *im)
{
	return im->manifest.media_type ? im->manifest.media_type : "application/vnd.oci.image.manifest.v1+json";
}

/* ---- which images ---- */

/* An image that two words mean is saved once, with both names. A word that is a digest gives none. */
static int add_word(struct saver *s, const char *word, struct err *e)
{
	struct name_hit hit;
	int r = names_resolve(s->store, word, &hit, e);
	if (r < 0)
		return r;
	struct saved *at = s->images;
	while (at < s->images + s->count && strcmp(at->im.digest, hit.digest) != 0)
		at++;
	if (at == s->images + s->count) {
		if ((r = image_open(s->store, hit.digest, &at->im, e)) < 0)
			return r;
		s->count++;
	}
	for (size_t i = 0; i < at->name_count; i++)
		if (strcmp(at->names[i], hit.name) == 0)
			return 0;
	/* A name that ends in a digest is none that another store would take: it says nothing but where it came from. */
	if (hit.is_by_digest || !hit.name[0] || strchr(hit.name, '@'))
		return 0;
	const char **names = arena_array(&at->im.arena, at->name_count + 1, sizeof(*names));
	for (size_t i = 0; i < at->name_count; i++)
		names[i] = at->names[i];
	names[at->name_count++] = arena_str(&at->im.arena, hit.name);
	at->names = names;
	return 0;
}

/* Finds the signatures of an image, and holds what they are made of. */
static int add_signatures(struct saver *s, struct saved *image, int locks, struct err *e)
{
	struct trust_fetch fetch;
	carry_from_store(s->store, &fetch);
	int r = attached_read(&fetch, image->im.digest, &image->signatures, e);
	if (r < 0 || !image->signatures.manifest)
		return r;
	digest_of(image->signatures.manifest, image->signatures.manifest_len, image->signatures_digest);
	r = objlock_use(locks, image->signatures_digest, e);
	if (r == 0)
		r = objlock_use(locks, image->signatures.doc.config->digest, e);
	for (size_t i = 0; r == 0 && i < image->signatures.doc.layers.n; i++) {
		const char *payload = image->signatures.doc.layers.v[i].digest;
		r = objlock_use(locks, payload, e);
		if (r == 0 && !store_has_blob(s->store, payload))
			r = err_new(e, ENOENT,
				    "image %s: payload %s of a signature is missing (sign again, or use "
				    "--remove-signatures)",
				    image->im.digest, payload);
	}
	return r;
}

static void show(struct saver *s, enum progress_style style)
{
	size_t count = 0, at = 0;
	for (size_t i = 0; i < s->count; i++)
		count += s->images[i].im.manifest.layers.n;
	progress_open(s->progress, style, count);
	for (size_t i = 0; i < s->count; i++)
		for (size_t j = 0; j < s->images[i].im.manifest.layers.n; j++) {
			const struct descriptor *d = &s->images[i].im.manifest.layers.v[j];
			progress_name(&s->progress->rows[at++], "saving", d->digest, (uint64_t)d->size_bytes.v);
		}
	progress_start(s->progress);
}

static int save(struct saver *s, const struct save_request *request, int locks, struct err *e)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < request->count; i++)
		r = add_word(s, request->words[i], e);
	for (size_t i = 0; r == 0 && i < s->count; i++)
		r = image_hold(s->store, locks, &s->images[i].im, e);
	for (size_t i = 0; r == 0 && !request->leaves_signatures && i < s->count; i++)
		r = add_signatures(s, &s->images[i], locks, e);
	if (r < 0)
		return r;
	show(s, request->style);
	r = formats[request->format].is_dir ? sink_directory(&s->sink, request->path, e)
					    : sink_archive(&s->sink, request->path, e);
	if (r == 0)
		r = formats[request->format].write(s, e);
	return r < 0 ? r : sink_finish(&s->sink, e);
}

int image_save(const struct store *store, const struct save_request *request, struct err *e)
{
	struct progress progress progress_auto = { .style = PROGRESS_NONE };
	struct saver s = { .store = store, .sink = SINK_NONE, .progress = &progress };
	/* An empty store is told by the name that is not in it. */
	fd_auto int locks = store->dir < 0 ? -1 : objlock_open(store, e);
	if (locks < 0 && store->dir >= 0)
		return locks;
	s.images = mem_zero(request->count, sizeof(*s.images));
	int r = save(&s, request, locks, e);
	sink_done(&s.sink);
	for (size_t i = 0; i < s.count; i++) {
		attached_done(&s.images[i].signatures);
		image_done(&s.images[i].im);
	}
	free(s.images);
	free(s.done);
	return r;
}
