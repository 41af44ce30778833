/* SPDX-License-Identifier: Apache-2.0 */
/* The other way: from a struct to JSON text, by the same rows (see jx.h). Absent members are left out. */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "util/jx.h"

struct printer {
	struct str *out;
	int indent;
	int depth;
};

/* ---- strings ---- */

/* The length of the well-formed UTF-8 sequence at s (RFC 3629, section 4), or 0. */
static size_t utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	size_t n = s[0] >= 0xc2 && s[0] <= 0xdf	  ? 2
		   : (s[0] & 0xf0) == 0xe0	  ? 3
		   : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
						  : 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void jx_print_string(struct str *out, const char *text)
{
	str_puts(out, "\"");
	for (const char *p = text; *p;) {
		size_t n = utf8_length((const unsigned char *)p);
		if (*p == '"' || *p == '\\')
			str_fmt(out, "\\%c", *p);
		else if (*p == '\n')
			str_puts(out, "\\n");
		else if (*p == '\t')
			str_puts(out, "\\t");
		else if ((unsigned char)*p < 0x20 || *p == 0x7f)
			str_fmt(out, "\\u%04x", (unsigned)*p);
		else if (n == 0)
			str_puts(out, "\xef\xbf\xbd");
		else
			str_add(out, p, n);
		p += n ? n : 1;
	}
	str_puts(out, "\"");
}

/* ---- brackets and lines ---- */

static void new_line(struct printer *p)
{
	if (p->indent > 0)
		str_fmt(p->out, "\n%*s", p->indent * p->depth, "");
}

static void open_bracket(struct printer *p, const char *bracket)
{
	str_puts(p->out, bracket);
	p->depth++;
}

static void close_bracket(struct printer *p, const char *bracket, bool is_empty)
{
	p->depth--;
	if (!is_empty)
		new_line(p);
	str_puts(p->out, bracket);
}

static void next_item(struct printer *p, bool is_first)
{
	if (!is_first)
		str_puts(p->out, ",");
	new_line(p);
}

static void print_key(struct printer *p, const char *key)
{
	jx_print_string(p->out, key);
	str_puts(p->out, p->indent > 0 ? ": " : ":");
}

/* ---- values ---- */

static void print_object(struct printer *p, const struct jx_field *rows, const void *in);
static void print_value(struct printer *p, const struct jx_field *row, const void *at);

static void print_strings(struct printer *p, const struct strs *list)
{
	open_bracket(p, "[");
	for (size_t i = 0; i < list->n; i++) {
		next_item(p, i == 0);
		jx_print_string(p->out, list->v[i]);
	}
	close_bracket(p, "]", list->n == 0);
}

static void print_numbers(struct printer *p, const struct u32s *list)
{
	open_bracket(p, "[");
	for (size_t i = 0; i < list->n; i++) {
		next_item(p, i == 0);
		str_fmt(p->out, "%" PRIu32, list->v[i]);
	}
	close_bracket(p, "]", list->n == 0);
}

static void print_pairs(struct printer *p, const struct pairs *list)
{
	open_bracket(p, "{");
	for (size_t i = 0; i < list->n; i++) {
		next_item(p, i == 0);
		print_key(p, list->v[i].key);
		jx_print_string(p->out, list->v[i].value);
	}
	close_bracket(p, "}", list->n == 0);
}

static void print_flags(struct printer *p, const struct jx_word *words, uint64_t flags)
{
	bool is_first = true;
	open_bracket(p, "[");
	for (; words->name; words++) {
		if (!(flags & (uint64_t)words->value))
			continue;
		next_item(p, is_first);
		jx_print_string(p->out, words->name);
		is_first = false;
	}
	close_bracket(p, "]", is_first);
}

static void print_list(struct printer *p, const struct jx_field *row, const struct jx_list *list)
{
	bool is_map = row->kind == JXK_MAP;
	open_bracket(p, is_map ? "{" : "[");
	for (size_t i = 0; i < list->n; i++) {
		const char *item = (const char *)list->v + i * row->size;
		next_item(p, i == 0);
		if (is_map)
			print_key(p, *(const char *const *)(const void *)item);
		if (row->flat)
			print_value(p, row->sub, item + row->sub->off);
		else
			print_object(p, row->sub, item);
	}
	close_bracket(p, is_map ? "}" : "]", list->n == 0);
}

/* A number that jx_has() has found. */
static void print_number(struct str *out, enum jx_kind kind, const void *at)
{
	const struct opt_i32 *i32 = at;
	const struct opt_u32 *u32 = at;
	const struct opt_i64 *i64 = at;
	const struct opt_u64 *u64 = at;
	if (kind == JXK_I32 && i32->has)
		str_fmt(out, "%" PRId32, i32->v);
	else if (kind == JXK_U32 && u32->has)
		str_fmt(out, "%" PRIu32, u32->v);
	else if (kind == JXK_I64 && i64->has)
		str_fmt(out, "%" PRId64, i64->v);
	else if (kind == JXK_U64 && u64->has)
		str_fmt(out, "%" PRIu64, u64->v);
}

bool jx_has(const struct jx_field *row, const void *at)
{
	switch (row->kind) {
	case JXK_STR:
	case JXK_OBJ:
		return *(const void *const *)at != NULL;
	case JXK_BOOL:
		return ((const struct opt_bool *)at)->has;
	case JXK_I32:
		return ((const struct opt_i32 *)at)->has;
	case JXK_U32:
		return ((const struct opt_u32 *)at)->has;
	case JXK_I64:
		return ((const struct opt_i64 *)at)->has;
	case JXK_U64:
	case JXK_FLAGS:
		return ((const struct opt_u64 *)at)->has;
	case JXK_STRS:
	case JXK_U32S:
	case JXK_PAIRS:
	case JXK_LIST:
	case JXK_MAP:
		return ((const struct jx_list *)at)->v != NULL;
	case JXK_ENUM:
		return jx_word_name(row->words, *(const int *)at) != NULL;
	case JXK_SKIP:
	case JXK_END:
		break;
	}
	return false;
}

static void print_value(struct printer *p, const struct jx_field *row, const void *at)
{
	switch (row->kind) {
	case JXK_STR:
		jx_print_string(p->out, *(const char *const *)at);
		break;
	case JXK_BOOL:
		str_puts(p->out, ((const struct opt_bool *)at)->v ? "true" : "false");
		break;
	case JXK_I32:
	case JXK_U32:
	case JXK_I64:
	case JXK_U64:
		print_number(p->out, row->kind, at);
		break;
	case JXK_STRS:
		print_strings(p, at);
		break;
	case JXK_U32S:
		print_numbers(p, at);
		break;
	case JXK_PAIRS:
		print_pairs(p, at);
		break;
	case JXK_OBJ:
		print_object(p, row->sub, *(const void *const *)at);
		break;
	case JXK_LIST:
	case JXK_MAP:
		print_list(p, row, at);
		break;
	case JXK_ENUM:
		jx_print_string(p->out, jx_word_name(row->words, *(const int *)at));
		break;
	case JXK_FLAGS:
		print_flags(p, row->words, ((const struct opt_u64 *)at)->v);
		break;
	case JXK_SKIP:
	case JXK_END:
		break;
	}
}

static void print_object(struct printer *p, const struct jx_field *rows, const void *in)
{
	bool is_first = true;
	open_bracket(p, "{");
	for (; rows->kind != JXK_END; rows++) {
		const char *at = (const char *)in + rows->off;
		if (!jx_has(rows, at))
			continue;
		next_item(p, is_first);
		print_key(p, rows->key);
		print_value(p, rows, at);
		is_first = false;
	}
	close_bracket(p, "}", is_first);
}

void jx_print(struct str *out, const struct jx_field *rows, const void *in, int indent)
{
	struct printer p = { .out = out, .indent = indent };
	print_object(&p, rows, in);
}
