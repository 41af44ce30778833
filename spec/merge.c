/* SPDX-License-Identifier: Apache-2.0 */
/* See merge.h. */
#include "spec/merge.h"

#include <string.h>

#include "spec/fields.h"
#include "util/mem.h"

/* ---- entries of lists that are about the same thing ---- */

static bool is_same_weight(const void *pa, const void *pb)
{
	const struct spec_weight_device *a = pa, *b = pb;
	return a->major.v == b->major.v && a->minor.v == b->minor.v;
}

static bool is_same_throttle(const void *pa, const void *pb)
{
	const struct spec_throttle_device *a = pa, *b = pb;
	return a->major.v == b->major.v && a->minor.v == b->minor.v;
}

static bool is_same_page(const void *pa, const void *pb)
{
	const struct spec_hugepage *a = pa, *b = pb;
	return strcmp(a->page_size, b->page_size) == 0;
}

static bool is_same_key(const void *pa, const void *pb)
{
	return strcmp(*(const char *const *)pa, *(const char *const *)pb) == 0;
}

typedef bool same_fn(const void *a, const void *b);

/* NULL: the list is one value. */
static same_fn *same_of(const struct jx_field *row)
{
	static const struct {
		const char *key;
		same_fn *is_same;
	} lists[] = {
		{ "weightDevice", is_same_weight },
		{ "throttleReadBpsDevice", is_same_throttle },
		{ "throttleWriteBpsDevice", is_same_throttle },
		{ "throttleReadIOPSDevice", is_same_throttle },
		{ "throttleWriteIOPSDevice", is_same_throttle },
		{ "hugepageLimits", is_same_page },
	};
	if (row->kind == JXK_MAP || row->kind == JXK_PAIRS)
		return is_same_key;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (strcmp(row->key, lists[i].key) == 0)
			return lists[i].is_same;
	return NULL;
}

/* ---- the join ---- */

static void join_rows(const struct jx_field *rows, const char *over, struct arena *a, char *into);

/* Entries that were there in their order; those of `over` in their places, or behind. */
static void join_list(const struct jx_field *row, const struct jx_list *over, struct arena *a, struct jx_list *into)
{
	size_t size = row->kind == JXK_PAIRS ? sizeof(struct pair) : row->size;
	same_fn *is_same = same_of(row);
	if (over->n == 0)
		return;
	if (into->n == 0 || !is_same) {
		*into = *over;
		return;
	}
	char *v = arena_array(a, into->n + over->n, size);
	size_t n = into->n;
	memcpy(v, into->v, n * size);
	for (size_t i = 0; i < over->n; i++) {
		const char *entry = (const char *)over->v + i * size;
		size_t at = 0;
		while (at < n && !is_same(v + at * size, entry))
			at++;
		if (at < n && row->kind == JXK_MAP)
			join_rows(row->sub, entry, a, v + at * size);
		else
			memcpy(v + at * size, entry, size);
		n += at == n;
	}
	*into = (struct jx_list){ .v = v, .n = n };
}

static void join_object(const struct jx_field *row, const char *over, struct arena *a, char **into)
{
	char *copy = arena_alloc(a, row->size);
	if (*into)
		memcpy(copy, *into, row->size);
	join_rows(row->sub, over, a, copy);
	*into = copy;
}

static size_t size_of(const struct jx_field *row)
{
	switch (row->kind) {
	case JXK_STR:
		return sizeof(const char *);
	case JXK_BOOL:
		return sizeof(struct opt_bool);
	case JXK_I32:
	case JXK_U32:
		return sizeof(struct opt_i32);
	case JXK_I64:
	case JXK_U64:
	case JXK_FLAGS:
		return sizeof(struct opt_i64);
	case JXK_ENUM:
		return sizeof(int);
	case JXK_STRS:
	case JXK_U32S:
		return sizeof(struct jx_list);
	case JXK_PAIRS:
	case JXK_OBJ:
	case JXK_LIST:
	case JXK_MAP:
	case JXK_SKIP:
	case JXK_END:
		break;
	}
	return 0;
}

static void join_rows(const struct jx_field *rows, const char *over, struct arena *a, char *into)
{
	for (const struct jx_field *row = rows; row->kind != JXK_END; row++) {
		const void *from = over + row->off;
		void *to = into + row->off;
		if (!jx_has(row, from))
			continue;
		if (row->kind == JXK_OBJ)
			join_object(row, *(const char *const *)from, a, to);
		else if (row->kind == JXK_LIST || row->kind == JXK_MAP || row->kind == JXK_PAIRS)
			join_list(row, from, a, to);
		else
			memcpy(to, from, size_of(row));
	}
}

void spec_merge_resources(const struct spec_resources *base, const struct spec_resources *over, struct arena *a,
			  struct spec_resources *ret)
{
	struct spec_resources joined = { 0 };
	if (base)
		joined = *base;
	if (over)
		join_rows(spec_resources_fields, (const char *)over, a, (char *)&joined);
	*ret = joined;
}
