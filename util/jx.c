/* SPDX-License-Identifier: Apache-2.0 */
/* See jx.h. The path is a linked list on the C stack and becomes text only on failure. */
#include "util/jx.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "util/fd.h"
#include "util/jx_breach.h"
#include "util/jx_near.h"
#include "util/jx_text.h"

enum { PATH_TEXT_MAX = 800 };

/* ---- numbers ---- */

/* A signed number from min to max; *ret_v is left alone on a breach. */
static int load_signed(struct reader *r, const struct where *w, const json_t *v, int64_t min, int64_t max,
		       bool *ret_has, int64_t *ret_v)
{
	if (!json_is_integer(v))
		return jx_text_big(v) ? jx_wrong_range(r, w, min, (uint64_t)max, v)
				      : jx_wrong_type(r, w, "integer", v);
	int64_t n = json_integer_value(v);
	if (n < min || n > max)
		return jx_wrong_range(r, w, min, (uint64_t)max, v);
	*ret_has = true;
	*ret_v = n;
	return 0;
}

static int load_unsigned(struct reader *r, const struct where *w, const json_t *v, struct opt_u64 *ret)
{
	const char *big = jx_text_big(v);
	if (!json_is_integer(v) && !big)
		return jx_wrong_type(r, w, "integer", v);
	if (!big && json_integer_value(v) < 0)
		return jx_wrong_range(r, w, 0, UINT64_MAX, v);
	uint64_t n = (uint64_t)json_integer_value(v);
	if (big) {
		errno = 0;
		n = strtoumax(big, NULL, 10);
		if (big[0] == '-' || errno == ERANGE)
			return jx_wrong_range(r, w, 0, UINT64_MAX, v);
	}
	*ret = (struct opt_u64){ .has = true, .v = n };
	return 0;
}

static int load_u32(struct reader *r, const struct where *w, const json_t *v, struct opt_u32 *ret)
{
	int64_t n = 0;
	bool has = false;
	int ret_code = load_signed(r, w, v, 0, UINT32_MAX, &has, &n);
	*ret = (struct opt_u32){ .has = has, .v = (uint32_t)n };
	return ret_code;
}

static int load_i32(struct reader *r, const struct where *w, const json_t *v, struct opt_i32 *ret)
{
	int64_t n = 0;
	bool has = false;
	int ret_code = load_signed(r, w, v, INT32_MIN, INT32_MAX, &has, &n);
	*ret = (struct opt_i32){ .has = has, .v = (int32_t)n };
	return ret_code;
}

/* ---- strings and words ---- */

static int load_string(struct reader *r, const struct where *w, const json_t *v, const char **ret)
{
	if (!json_is_string(v) || jx_text_big(v))
		return jx_wrong_type(r, w, "string", v);
	*ret = json_string_value(v);
	return 0;
}

static int load_bool(struct reader *r, const struct where *w, const json_t *v, struct opt_bool *ret)
{
	if (!json_is_boolean(v))
		return jx_wrong_type(r, w, "boolean", v);
	*ret = (struct opt_bool){ .has = true, .v = json_is_true(v) };
	return 0;
}

static int load_word(struct reader *r, const struct where *w, const json_t *v, const struct jx_word *words,
		     int64_t *ret)
{
	const char *word = NULL;
	int ret_code = load_string(r, w, v, &word);
	if (!word)
		return ret_code;
	const struct jx_word *row = jx_word_find(words, word);
	if (!row)
		return jx_wrong_word(r, w, words, word);
	*ret = row->value;
	return 0;
}

static int load_enum(struct reader *r, const struct where *w, const json_t *v, const struct jx_word *words,
		     int *ret)
{
	int64_t value = *ret;
	int ret_code = load_word(r, w, v, words, &value);
	*ret = (int)value;
	return ret_code;
}

static int load_flags(struct reader *r, const struct where *w, const json_t *v, const struct jx_word *words,
		      struct opt_u64 *ret)
{
	if (!json_is_array(v))
		return jx_wrong_type(r, w, "array", v);
	ret->has = true;
	for (size_t i = 0; i < json_array_size(v); i++) {
		struct where at = { .up = w, .index = i };
		int64_t flag = 0;
		int ret_code = load_word(r, &at, json_array_get(v, i), words, &flag);
		if (ret_code < 0)
			return ret_code;
		ret->v |= (uint64_t)flag;
	}
	return 0;
}

/* ---- lists ---- */

static int load_strings(struct reader *r, const struct where *w, const json_t *v, struct strs *ret)
{
	if (!json_is_array(v))
		return jx_wrong_type(r, w, "array", v);
	ret->v = arena_array(r->arena, json_array_size(v) + 1, sizeof(*ret->v));
	for (size_t i = 0; i < json_array_size(v); i++) {
		struct where at = { .up = w, .index = i };
		const char *s = NULL;
		int ret_code = load_string(r, &at, json_array_get(v, i), &s);
		if (ret_code < 0)
			return ret_code;
		if (s)
			ret->v[ret->n++] = s;
	}
	return 0;
}

static int load_numbers(struct reader *r, const struct where *w, const json_t *v, struct u32s *ret)
{
	if (!json_is_array(v))
		return jx_wrong_type(r, w, "array", v);
	ret->v = arena_array(r->arena, json_array_size(v), sizeof(*ret->v));
	for (size_t i = 0; i < json_array_size(v); i++) {
		struct where at = { .up = w, .index = i };
		struct opt_u32 n;
		int ret_code = load_u32(r, &at, json_array_get(v, i), &n);
		if (ret_code < 0)
			return ret_code;
		ret->v[ret->n++] = n.v;
	}
	return 0;
}

/* jansson keeps keys in the order of the text; its iterator functions take no const. */
static int load_pairs(struct reader *r, const struct where *w, json_t *v, struct pairs *ret)
{
	if (!json_is_object(v))
		return jx_wrong_type(r, w, "object", v);
	ret->v = arena_array(r->arena, json_object_size(v), sizeof(*ret->v));
	for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it)) {
		struct where at = { .up = w, .key = json_object_iter_key(it) };
		const char *s = NULL;
		int ret_code = load_string(r, &at, json_object_iter_value(it), &s);
		if (ret_code < 0)
			return ret_code;
		if (s)
			ret->v[ret->n++] = (struct pair){ .key = at.key, .value = s };
	}
	return 0;
}

/* ---- objects ---- */

static int load_object(struct reader *r, const struct where *w, json_t *v, const struct jx_field *rows,
		       void *out);
static int load_value(struct reader *r, const struct where *w, json_t *v, const struct jx_field *row, void *out);

static int load_list(struct reader *r, const struct where *w, const json_t *v, const struct jx_field *row,
		     struct jx_list *ret)
{
	if (!json_is_array(v))
		return jx_wrong_type(r, w, "array", v);
	char *items = arena_array(r->arena, json_array_size(v), row->size);
	*ret = (struct jx_list){ .v = items, .n = json_array_size(v) };
	for (size_t i = 0; i < ret->n; i++) {
		struct where at = { .up = w, .index = i };
		int ret_code = load_object(r, &at, json_array_get(v, i), row->sub, items + i * row->size);
		if (ret_code < 0)
			return ret_code;
	}
	return 0;
}

static int load_map(struct reader *r, const struct where *w, json_t *v, const struct jx_field *row,
		    struct jx_list *ret)
{
	if (!json_is_object(v))
		return jx_wrong_type(r, w, "object", v);
	char *item = arena_array(r->arena, json_object_size(v), row->size);
	*ret = (struct jx_list){ .v = item, .n = json_object_size(v) };
	for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it), item += row->size) {
		struct where at = { .up = w, .key = json_object_iter_key(it) };
		memcpy(item, &at.key, sizeof(at.key));
		json_t *value = json_object_iter_value(it);
		int ret_code = row->flat ? load_value(r, &at, value, row->sub, item + row->sub->off) :
					   load_object(r, &at, value, row->sub, item);
		if (ret_code < 0)
			return ret_code;
	}
	return 0;
}

static int load_pointer(struct reader *r, const struct where *w, json_t *v, const struct jx_field *row,
			void **ret)
{
	if (!json_is_object(v))
		return jx_wrong_type(r, w, "object", v);
	*ret = arena_alloc(r->arena, row->size);
	return load_object(r, w, v, row->sub, *ret);
}

static int load_i64(struct reader *r, const struct where *w, const json_t *v, struct opt_i64 *ret)
{
	return load_signed(r, w, v, INT64_MIN, INT64_MAX, &ret->has, &ret->v);
}

static bool is_blank(const json_t *v)
{
	return json_is_string(v) && json_string_length(v) == 0;
}

static int load_value(struct reader *r, const struct where *w, json_t *v, const struct jx_field *row,
		      void *out)
{
	switch (row->kind) {
	case JXK_STR:
		return row->blank && is_blank(v) ? 0 : load_string(r, w, v, out);
	case JXK_BOOL:
		return load_bool(r, w, v, out);
	case JXK_I32:
		return load_i32(r, w, v, out);
	case JXK_U32:
		return load_u32(r, w, v, out);
	case JXK_I64:
		return load_i64(r, w, v, out);
	case JXK_U64:
		return load_unsigned(r, w, v, out);
	case JXK_STRS:
		return load_strings(r, w, v, out);
	case JXK_U32S:
		return load_numbers(r, w, v, out);
	case JXK_PAIRS:
		return load_pairs(r, w, v, out);
	case JXK_OBJ:
		return load_pointer(r, w, v, row, out);
	case JXK_LIST:
		return load_list(r, w, v, row, out);
	case JXK_MAP:
		return load_map(r, w, v, row, out);
	case JXK_ENUM:
		return load_enum(r, w, v, row->words, out);
	case JXK_FLAGS:
		return load_flags(r, w, v, row->words, out);
	case JXK_SKIP:
	case JXK_END:
		break;
	}
	return 0;
}

static void tell_unknown(struct reader *r, const struct where *w, json_t *v, const struct jx_field *rows)
{
	for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it)) {
		struct where at = { .up = w, .key = json_object_iter_key(it) };
		const struct jx_field *row = rows;
		while (row->kind != JXK_END && strcmp(row->key, at.key) != 0)
			row++;
		if (row->kind != JXK_END)
			continue;
		str_auto struct str path = STR_MAX(PATH_TEXT_MAX);
		jx_path_put(&path, &at);
		r->listener->unknown(r->listener->ctx, path.p, jx_near_field(rows, at.key));
	}
}

static int load_object(struct reader *r, const struct where *w, json_t *v, const struct jx_field *rows,
		       void *out)
{
	if (!json_is_object(v))
		return jx_wrong_type(r, w, "object", v);
	for (const struct jx_field *row = rows; row->kind != JXK_END; row++) {
		struct where at = { .up = w, .key = row->key };
		json_t *value = json_object_get(v, row->key);
		int ret_code = 0;
		if (value && !json_is_null(value))
			ret_code = load_value(r, &at, value, row, (char *)out + row->off);
		else if (row->must)
			ret_code = jx_breach(r, &at, value ? "required, got null" : "required, but missing");
		if (ret_code < 0)
			return ret_code;
	}
	if (r->listener && r->listener->unknown)
		tell_unknown(r, w, v, rows);
	return 0;
}

int jx_load(const char *bytes, size_t len, const char *origin, const struct jx_field *rows, void *out,
	    struct arena *arena, const struct jx_listener *listener, struct err *e)
{
	json_t *tree = NULL;
	int ret_code = jx_text_parse(bytes, len, origin, arena, &tree, e);
	if (ret_code < 0)
		return ret_code;
	struct reader r = { .arena = arena, .listener = listener, .origin = origin, .e = e };
	ret_code = load_object(&r, NULL, tree, rows, out);
	return r.breaches > 0 ? -EINVAL : ret_code;
}

int jx_load_file(int dirfd, const char *name, const struct jx_field *rows, void *out, struct arena *arena,
		 const struct jx_listener *listener, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	int ret_code = file_read(dirfd, name, JX_BYTES_MAX, true, &bytes, &len);
	if (ret_code < 0)
		return err_ret(e, ret_code, "%s", name);
	return jx_load(bytes, len, name, rows, out, arena, listener, e);
}
