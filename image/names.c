/* SPDX-License-Identifier: Apache-2.0 */
/* See names.h. */
#include "image/names.h"

#include <errno.h>
#include <string.h>

#include "image/thin.h"
#include "util/fd.h"

const char *descriptor_annotation(const struct descriptor *d, const char *key)
{
	for (size_t i = 0; i < d->annotations.n; i++)
		if (strcmp(d->annotations.v[i].key, key) == 0)
			return d->annotations.v[i].value;
	return NULL;
}

bool descriptor_is_foreign(const struct descriptor *d)
{
	static const char *const known[] = {
		"application/vnd.oci.image.manifest.v1+json",
		"application/vnd.oci.image.index.v1+json",
		"application/vnd.docker.distribution.manifest.v2+json",
		"application/vnd.docker.distribution.manifest.list.v2+json",
	};
	const char *name = descriptor_annotation(d, NAME_ANNOTATION);
	if (name && ref_is_signature(name, NULL))
		return true;
	for (size_t i = 0; d->media_type && i < ARRAY_LEN(known); i++)
		if (strcmp(d->media_type, known[i]) == 0)
			return false;
	return d->media_type != NULL;
}

static int read_text(const struct store *s, char **ret_bytes, size_t *ret_len, struct err *e)
{
	int r = s->dir < 0 ? -ENOENT :
			     file_read(s->dir, "index.json", STORE_MANIFEST_MAX * 4, false, ret_bytes, ret_len);
	return r < 0 && r != -ENOENT ? err_ret(e, r, "store %s: index.json", s->path) : r;
}

static int parse(const struct store *s, const char *bytes, size_t len, struct names *ret_names, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	struct document doc = { .config = NULL };
	int r = jx_load(bytes, len, "index.json", document_rows, &doc, &names.arena, NULL, e);
	if (r < 0)
		return err_at(e, r, "store %s", s->path);
	names.v = arena_array(&names.arena, doc.manifests.n, sizeof(*names.v));
	for (size_t i = 0; i < doc.manifests.n; i++) {
		const struct descriptor *d = &doc.manifests.v[i];
		/* Other algorithms are other tools' business: kist writes no such row. */
		if (d->digest && strncmp(d->digest, "sha512:", 7) == 0)
			continue;
		if (!digest_is_valid(d->digest))
			return err_new(e, EINVAL,
				       "store %s: index.json: manifests[%zu].digest: \"%.80s\" is none",
				       s->path, i, d->digest);
		names.v[names.n++] = (struct name_row){ descriptor_annotation(d, NAME_ANNOTATION), d };
	}
	*ret_names = names;
	names.arena = (struct arena){ .top = NULL };
	return 0;
}

int names_read(const struct store *s, struct names *ret_names, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	int r = read_text(s, &bytes, &len, e);
	if (r == -ENOENT) {
		*ret_names = (struct names){ .n = 0 };
		return 0;
	}
	return r < 0 ? r : parse(s, bytes, len, ret_names, e);
}

void names_done(struct names *names)
{
	arena_done(&names->arena);
}

/* How well a stored name fits the wanted one: the lower the better. */
enum fit { FIT_SAME, FIT_LOCAL, FIT_HOST, FIT_NONE };

static enum fit name_fit(const struct ref *want, const char *stored)
{
	struct ref have;
	struct err ignored;
	if (ref_parse(stored, &have, &ignored) < 0)
		return strcmp(want->name, stored) == 0 ? FIT_SAME : FIT_NONE;
	/* Pulled as NAME@DIGEST, it is found by a digest and by no tag. */
	if (have.digest[0] && !want->digest[0])
		return FIT_NONE;
	bool is_any_tag = have.digest[0] || (want->digest[0] && !want->tag[0]);
	const char *want_tag = want->tag[0] ? want->tag : "latest";
	if (!is_any_tag && strcmp(want_tag, have.tag[0] ? have.tag : "latest") != 0)
		return FIT_NONE;
	const char *want_name = ref_short(want->name);
	if (strcmp(want_name, ref_short(have.name)) == 0)
		return FIT_SAME;
	if (ref_path(want_name) != want_name || strcmp(want_name, ref_path(have.name)) != 0)
		return FIT_NONE;
	return strncmp(have.name, "localhost/", 10) == 0 ? FIT_LOCAL : FIT_HOST;
}

/* A digest that was asked for is the image's, or the one in its name: that of the index it was pulled by. */
static bool is_digest_fit(const struct ref *want, const struct name_row *row)
{
	const char *at = want->digest[0] ? strchr(row->name, '@') : NULL;
	return !want->digest[0] || strcmp(want->digest, row->desc->digest) == 0 ||
	       (at && strcmp(want->digest, at + 1) == 0);
}

static ptrdiff_t find_name(const struct names *names, const char *text, const struct ref *want, struct err *e)
{
	ptrdiff_t best = -ENOENT;
	enum fit best_fit = FIT_NONE;
	bool is_several = false;
	for (size_t i = 0; i < names->n; i++) {
		const struct name_row *row = &names->v[i];
		if (!row->name || !is_digest_fit(want, row))
			continue;
		enum fit fit = name_fit(want, row->name);
		if (fit > best_fit || fit == FIT_NONE)
			continue;
		bool is_other = best >= 0 && strcmp(names->v[best].desc->digest, row->desc->digest) != 0;
		is_several = fit == best_fit && (is_several || is_other);
		best = (ptrdiff_t)i;
		best_fit = fit;
	}
	if (is_several)
		return err_new(
			e, ENOTUNIQ,
			"image \"%s\": several images have this name; write it with its host or digest",
			text);
	return best;
}

static ptrdiff_t find_digest(const struct names *names, const char *text, struct err *e)
{
	const char *hex = strncmp(text, "sha256:", 7) == 0 ? text + 7 : text;
	size_t len = strlen(hex);
	if (len < 4 || len > 64 || strspn(hex, "0123456789abcdef") != len)
		return -ENOENT;
	ptrdiff_t best = -ENOENT;
	for (size_t i = 0; i < names->n; i++) {
		if (strncmp(digest_hex(names->v[i].desc->digest), hex, len) != 0)
			continue;
		if (best >= 0 && strcmp(names->v[best].desc->digest, names->v[i].desc->digest) != 0)
			return err_new(e, ENOTUNIQ, "image \"%s\": several digests begin so", text);
		if (best < 0)
			best = (ptrdiff_t)i;
	}
	return best;
}

ptrdiff_t names_find(const struct names *names, const char *text, bool *ret_is_by_digest, struct err *e)
{
	struct ref want;
	ptrdiff_t i = strncmp(text, "sha256:", 7) == 0 ? -ENOENT : ref_parse(text, &want, e);
	bool is_name = i == 0;
	if (is_name)
		i = find_name(names, text, &want, e);
	*ret_is_by_digest = i < 0 && (i == -ENOENT || !is_name);
	if (*ret_is_by_digest) {
		ptrdiff_t by_digest = find_digest(names, text, e);
		if (by_digest != -ENOENT || is_name)
			i = by_digest;
	}
	if (i == -ENOENT)
		return err_new(e, ENOENT,
			       "image \"%s\": not in the store (get it with \"kist pull\" or \"kist load\")", text);
	return i;
}

static void find_erofs(const struct names *names, const char *digest, char out[static DIGEST_TEXT_MAX])
{
	for (size_t i = 0; i < names->n; i++) {
		const char *erofs = strcmp(names->v[i].desc->digest, digest) == 0 ?
					    descriptor_annotation(names->v[i].desc, EROFS_ANNOTATION) :
					    NULL;
		if (erofs && digest_is_valid(erofs))
			memcpy(out, erofs, DIGEST_TEXT_MAX);
	}
}

static int resolve_in(const struct names *names, const char *text, struct name_hit *ret_hit, struct err *e)
{
	struct name_hit hit = { .name = "" };
	ptrdiff_t i = names_find(names, text, &hit.is_by_digest, e);
	if (i < 0)
		return (int)i;
	memcpy(hit.digest, names->v[i].desc->digest, DIGEST_TEXT_MAX);
	find_erofs(names, hit.digest, hit.erofs);
	size_t len = names->v[i].name ? strlen(names->v[i].name) : 0;
	if (len && len < sizeof(hit.name))
		memcpy(hit.name, names->v[i].name, len + 1);
	*ret_hit = hit;
	return 0;
}

/* Among the rows that the word can mean. -ENOENT: not there, or the index must be read whole to say what is wrong. */
static int resolve_thinned(const struct store *s, const char *bytes, size_t len, const char *text,
			   struct name_hit *ret_hit, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	str_auto struct str thinned = STR_MAX(STORE_MANIFEST_MAX * 4);
	struct err whole_tells = { .num = 0 };
	if (len < THIN_MIN || !thin_index(bytes, len, text, EROFS_ANNOTATION, &thinned) || !thinned.p ||
	    parse(s, thinned.p, thinned.len, &names, &whole_tells) < 0)
		return -ENOENT;
	int r = resolve_in(&names, text, ret_hit, &whole_tells);
	if (r == -ENOTUNIQ)
		*e = whole_tells;
	return r == 0 || r == -ENOTUNIQ ? r : -ENOENT;
}

int names_resolve(const struct store *s, const char *text, struct name_hit *ret_hit, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	free_auto char *bytes = NULL;
	size_t len = 0;
	int r = read_text(s, &bytes, &len, e);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0) {
		r = resolve_thinned(s, bytes, len, text, ret_hit, e);
		if (r != -ENOENT)
			return r;
		if ((r = parse(s, bytes, len, &names, e)) < 0)
			return r;
	}
	return resolve_in(&names, text, ret_hit, e);
}
