/* SPDX-License-Identifier: Apache-2.0 */
/* See index.h. Source: image-spec image-layout.md "index.json file". */
#include "image/index.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/names.h"
#include "image/objlock.h"
#include "util/fd.h"

static const char *row_name(json_t *row)
{
	return json_string_value(json_object_get(json_object_get(row, "annotations"), NAME_ANNOTATION));
}

static const char *row_digest(json_t *row)
{
	const char *digest = json_string_value(json_object_get(row, "digest"));
	return digest ? digest : "";
}

/* Two names are one when they differ only in what Docker leaves out. */
static bool is_same_name(const char *a, const char *b)
{
	struct ref x, y;
	struct err ignored;
	if (strcmp(a, b) == 0)
		return true;
	if (ref_parse(a, &x, &ignored) < 0 || ref_parse(b, &y, &ignored) < 0)
		return false;
	return strcmp(ref_short(x.name), ref_short(y.name)) == 0 && strcmp(x.digest, y.digest) == 0 &&
	       strcmp(x.tag[0] ? x.tag : "latest", y.tag[0] ? y.tag : "latest") == 0;
}

/* How many rows lead to a digest. */
static size_t count_rows(json_t *rows, const char *digest)
{
	size_t i, n = 0;
	json_t *row;
	json_array_foreach(rows, i, row) n += strcmp(row_digest(row), digest) == 0;
	return n;
}

static void drop_name(json_t *rows, const char *name)
{
	for (size_t i = json_array_size(rows); i-- > 0;) {
		json_t *row = json_array_get(rows, i);
		const char *has = row_name(row);
		if (!has || !is_same_name(has, name))
			continue;
		if (count_rows(rows, row_digest(row)) > 1 || ref_is_signature(has, NULL))
			json_array_remove(rows, i);
		else
			json_object_del(json_object_get(row, "annotations"), NAME_ANNOTATION);
	}
}

/* Rows without a name only keep an image that has none. */
static void drop_nameless(json_t *rows, const char *digest)
{
	for (size_t i = json_array_size(rows); i-- > 0;)
		if (strcmp(row_digest(json_array_get(rows, i)), digest) == 0 &&
		    !row_name(json_array_get(rows, i)))
			json_array_remove(rows, i);
}

/* The row that names a digest so, or with `name` NULL one that gives it no name. NULL: none. */
static json_t *find_row(json_t *rows, const char *digest, const char *name)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		const char *has = row_name(row);
		if (strcmp(row_digest(row), digest) == 0 && (name ? has && strcmp(has, name) == 0 : !has))
			return row;
	}
	return NULL;
}

static void annotate(json_t *row, const char *key, const char *value)
{
	json_t *annotations = json_object_get(row, "annotations");
	if (!json_is_object(annotations)) {
		annotations = json_object();
		json_object_set_new(row, "annotations", annotations);
	}
	json_object_set_new(annotations, key, json_string(value));
}

/* A row that is there stays as it is, with whatever other tools have written into it. */
static void add_row(json_t *rows, const char *name, const char *digest, const char *media_type, uint64_t size)
{
	if (name ? find_row(rows, digest, name) != NULL : count_rows(rows, digest) > 0)
		return;
	if (name)
		drop_name(rows, name);
	json_t *row = name && ref_is_signature(name, NULL) ? NULL : find_row(rows, digest, NULL);
	if (!row) {
		row = json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", digest, "size",
				(json_int_t)size);
		json_array_append_new(rows, row);
	}
	if (name)
		annotate(row, NAME_ANNOTATION, name);
}

static void remove_rows(json_t *rows, const char *name, const char *digest)
{
	for (size_t i = json_array_size(rows); i-- > 0;) {
		const char *has = row_name(json_array_get(rows, i));
		if (name ? has && strcmp(has, name) == 0 :
			   strcmp(row_digest(json_array_get(rows, i)), digest) == 0)
			json_array_remove(rows, i);
	}
}

/* One more name for a digest, by a copy of a row that is there. -ENOENT: it is not, any more. */
static int copy_row(json_t *rows, const char *name, const char *digest, struct err *e)
{
	size_t i;
	json_t *row, *copy = NULL;
	json_array_foreach(rows, i, row) if (strcmp(row_digest(row), digest) == 0)
	{
		copy = json_deep_copy(row);
		break;
	}
	if (!copy)
		return err_new(e, ENOENT, "image %s: not in the store any more", digest);
	if (!json_is_object(json_object_get(copy, "annotations")))
		json_object_set_new(copy, "annotations", json_object());
	json_t *annotations = json_object_get(copy, "annotations");
	json_object_set_new(annotations, NAME_ANNOTATION, json_string(name));
	/* It would be another name of the old one. */
	json_object_del(annotations, "io.containerd.image.name");
	drop_name(rows, name);
	drop_nameless(rows, digest);
	json_array_append_new(rows, copy);
	return 0;
}

/* Takes names of a digest away (NULL: all), but the last row stays, so that the image does. */
static void clear_names(json_t *rows, const char *name, const char *digest)
{
	for (size_t i = json_array_size(rows); i-- > 0;) {
		json_t *row = json_array_get(rows, i);
		const char *has = row_name(row);
		if (!has || strcmp(row_digest(row), digest) != 0 || (name && strcmp(has, name) != 0))
			continue;
		if (count_rows(rows, digest) > 1)
			json_array_remove(rows, i);
		else
			json_object_del(json_object_get(row, "annotations"), NAME_ANNOTATION);
	}
}

struct change {
	enum { CHANGE_ADD, CHANGE_REMOVE, CHANGE_TAG, CHANGE_UNTAG, CHANGE_ANNOTATE } kind;
	const char *name;
	const char *digest;
	const char *media_type;
	uint64_t size;
	const char *key, *value;
};

static void annotate_rows(json_t *rows, const struct change *c)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) if (strcmp(row_digest(row), c->digest) == 0)
		annotate(row, c->key, c->value);
}

static int change_rows(json_t *rows, const struct change *c, struct err *e)
{
	switch (c->kind) {
	case CHANGE_ADD:
		add_row(rows, c->name, c->digest, c->media_type, c->size);
		break;
	case CHANGE_REMOVE:
		remove_rows(rows, c->name, c->digest);
		break;
	case CHANGE_TAG:
		return copy_row(rows, c->name, c->digest, e);
	case CHANGE_UNTAG:
		clear_names(rows, c->name, c->digest);
		break;
	case CHANGE_ANNOTATE:
		annotate_rows(rows, c);
		break;
	}
	return 0;
}

static int replace(struct ingest *in, json_t *doc, struct err *e)
{
	free_auto char *text = json_dumps(doc, JSON_COMPACT);
	if (!text)
		mem_out();
	int r = ingest_write(in, "index.json", text, strlen(text), e);
	if (r < 0)
		return r;
	fd_auto int root = openat(in->store->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || renameat(in->dir, "index.json", root, "index.json") < 0 || fsync(root) < 0)
		return err_sys(e, "store %s: index.json", in->store->path);
	return 0;
}

static int apply(struct ingest *in, const struct change *c, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	int r = file_read(in->store->dir, "index.json", STORE_MANIFEST_MAX * 4, false, &bytes, &len);
	if (r < 0)
		return err_ret(e, r, "store %s: index.json", in->store->path);
	json_error_t where;
	json_t *doc = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &where);
	json_t *rows = json_object_get(doc, "manifests");
	if (!json_is_array(rows)) {
		r = err_new(e, EINVAL, "store %s: index.json: %s", in->store->path,
			    doc ? "manifests: missing" : where.text);
	} else {
		r = change_rows(rows, c, e);
		r = r < 0 ? r : replace(in, doc, e);
	}
	json_decref(doc);
	return r;
}

static int change(struct ingest *in, const struct change *c, struct err *e)
{
	int r = objlock_index(in->locks, e);
	if (r < 0)
		return r;
	r = apply(in, c, e);
	objlock_index_end(in->locks);
	return r;
}

int index_add(struct ingest *in, const char *name, const char *digest, const char *media_type, uint64_t size,
	      struct err *e)
{
	struct change c = { .kind = CHANGE_ADD, .name = name, .digest = digest, .media_type = media_type, .size = size };
	return change(in, &c, e);
}

int index_remove(struct ingest *in, const char *name, const char *digest, struct err *e)
{
	struct change c = { CHANGE_REMOVE, .name = name, .digest = digest };
	return change(in, &c, e);
}

int index_tag(struct ingest *in, const char *name, const char *digest, struct err *e)
{
	struct change c = { CHANGE_TAG, .name = name, .digest = digest };
	return change(in, &c, e);
}

int index_untag(struct ingest *in, const char *name, const char *digest, struct err *e)
{
	struct change c = { CHANGE_UNTAG, .name = name, .digest = digest };
	return change(in, &c, e);
}

int index_annotate(struct ingest *in, const char *digest, const char *key, const char *value, struct err *e)
{
	struct change c = { .kind = CHANGE_ANNOTATE, .digest = digest, .key = key, .value = value };
	return change(in, &c, e);
}
