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
	return strcmp(ref_short(x.name), ref_short(y.name)) == 0 &&
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
		if (count_rows(rows, row_digest(row)) > 1)
			json_array_remove(rows, i);
		else
			json_object_del(json_object_get(row, "annotations"), NAME_ANNOTATION);
	}
}

static void add_row(json_t *rows, const char *name, const char *digest, const char *media_type, uint64_t size)
{
	if (name)
		drop_name(rows, name);
	else if (count_rows(rows, digest))
		return;
	for (size_t i = json_array_size(rows); i-- > 0;)
		if (strcmp(row_digest(json_array_get(rows, i)), digest) == 0 &&
		    !row_name(json_array_get(rows, i)))
			json_array_remove(rows, i);
	json_t *row = json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", digest, "size",
				(json_int_t)size);
	if (name)
		json_object_set_new(row, "annotations", json_pack("{s:s}", NAME_ANNOTATION, name));
	json_array_append_new(rows, row);
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

struct change {
	bool is_add;
	const char *name;
	const char *digest;
	const char *media_type;
	uint64_t size;
};

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
		if (c->is_add)
			add_row(rows, c->name, c->digest, c->media_type, c->size);
		else
			remove_rows(rows, c->name, c->digest);
		r = replace(in, doc, e);
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
	struct change c = { true, name, digest, media_type, size };
	return change(in, &c, e);
}

int index_remove(struct ingest *in, const char *name, const char *digest, struct err *e)
{
	struct change c = { .name = name, .digest = digest };
	return change(in, &c, e);
}
