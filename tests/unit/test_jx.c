/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: every kind, every refusal with its path, unknown keys, and printing back. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/jx.h"
#include "util/mem.h"

struct inner {
	const char *name;
	struct opt_u64 size;
};

struct named {
	const char *key;
	struct opt_i32 weight;
};

struct outer {
	const char *word;
	const char *blank;
	struct opt_bool flag;
	struct opt_i32 i32;
	struct opt_u32 u32;
	struct opt_i64 i64;
	struct opt_u64 u64;
	struct strs list;
	struct u32s numbers;
	struct pairs pairs;
	struct inner *inner;
	struct {
		struct inner *v;
		size_t n;
	} items;
	struct {
		struct named *v;
		size_t n;
	} map;
	int colour;
	struct opt_u64 flags;
};

static const struct jx_word colours[] = { { "red", 1 }, { "green", 2 }, { "ultraviolet", 3 }, { 0 } };
static const struct jx_word bits[] = { { "one", 1 }, { "two", 2 }, { "four", 4 }, { 0 } };

static const struct jx_field inner_rows[] = {
	JX_STR(struct inner, name, "name", .must = true),
	JX_U64(struct inner, size, "size"),
	JX_END,
};

static const struct jx_field named_rows[] = {
	JX_I32(struct named, weight, "weight"),
	JX_END,
};

static const struct jx_field rows[] = {
	JX_STR(struct outer, word, "word"),
	JX_STR(struct outer, blank, "blank", .blank = true),
	JX_BOOL(struct outer, flag, "flag"),
	JX_I32(struct outer, i32, "i32"),
	JX_U32(struct outer, u32, "u32"),
	JX_I64(struct outer, i64, "i64"),
	JX_U64(struct outer, u64, "u64"),
	JX_STRS(struct outer, list, "list"),
	JX_U32S(struct outer, numbers, "numbers"),
	JX_PAIRS(struct outer, pairs, "pairs"),
	JX_OBJ(struct outer, inner, "inner", struct inner, inner_rows),
	JX_LIST(struct outer, items, "items", struct inner, inner_rows),
	JX_MAP(struct outer, map, "map", struct named, named_rows),
	JX_ENUM(struct outer, colour, "colour", colours),
	JX_FLAGS(struct outer, flags, "flags", bits),
	JX_SKIP("elsewhere"),
	JX_END,
};

struct reading {
	struct arena arena;
	struct outer out;
	struct err err;
	int result;
};

static struct reading *read_text(const char *text, const struct jx_listener *listener)
{
	static struct reading r;
	arena_done(&r.arena);
	r = (struct reading){ 0 };
	r.result = jx_load(text, strlen(text), "t.json", rows, &r.out, &r.arena, listener, &r.err);
	return &r;
}

static void assert_refused(const char *text, const char *message)
{
	struct reading *r = read_text(text, NULL);
	assert_int_equal(r->result, -EINVAL);
	assert_int_equal(r->err.num, EINVAL);
	assert_string_equal(r->err.text, message);
}

static const char all_kinds[] =
	"{\"word\":\"a \\u00e9 \\\"q\\\"\",\"flag\":false,\"i32\":-2147483648,\"u32\":4294967295,"
	"\"i64\":-9223372036854775808,\"u64\":18446744073709551615,\"list\":[\"x\",\"\"],\"numbers\":[0,7],"
	"\"pairs\":{\"b.c\":\"1\",\"a\":\"2\"},\"inner\":{\"name\":\"n\",\"size\":9223372036854775808},"
	"\"items\":[{\"name\":\"i0\"},{\"name\":\"i1\",\"size\":0}],\"map\":{\"k2\":{\"weight\":-1},\"k1\":{}"
	"},"
	"\"colour\":\"green\",\"flags\":[\"one\",\"four\"]}";

static void every_kind(void **state)
{
	(void)state;
	struct reading *r = read_text(all_kinds, NULL);
	const struct outer *o = &r->out;
	assert_int_equal(r->result, 0);
	assert_string_equal(o->word, "a \xc3\xa9 \"q\"");
	assert_true(o->flag.has && !o->flag.v);
	assert_true(o->i32.has && o->i32.v == INT32_MIN);
	assert_true(o->u32.has && o->u32.v == UINT32_MAX);
	assert_true(o->i64.has && o->i64.v == INT64_MIN);
	assert_true(o->u64.has && o->u64.v == UINT64_MAX);
	assert_int_equal(o->list.n, 2);
	assert_string_equal(o->list.v[0], "x");
	assert_null(o->list.v[2]);
	assert_int_equal(o->numbers.v[1], 7);
	assert_string_equal(o->pairs.v[0].key, "b.c");
	assert_string_equal(o->pairs.v[1].value, "2");
	assert_true(o->inner->size.v == UINT64_C(9223372036854775808));
	assert_int_equal(o->items.n, 2);
	assert_false(o->items.v[0].size.has);
	assert_true(o->items.v[1].size.has);
	assert_string_equal(o->map.v[0].key, "k2");
	assert_int_equal(o->map.v[0].weight.v, -1);
	assert_int_equal(o->colour, 2);
	assert_int_equal(o->flags.v, 5);
}

static void printed_back(void **state)
{
	(void)state;
	struct reading *r = read_text(all_kinds, NULL);
	str_auto struct str text = STR_MAX(4096);
	jx_print(&text, rows, &r->out, 0);
	str_auto struct str want = STR_MAX(4096);
	str_puts(&want, all_kinds);
	char *escape = strstr(want.p, "\\u00e9");
	memmove(escape + 2, escape + 6, strlen(escape + 6) + 1);
	memcpy(escape, "\xc3\xa9", 2);
	assert_string_equal(text.p, want.p);
}

static void printed_with_lines(void **state)
{
	(void)state;
	struct reading *r =
		read_text("{\"list\":[\"a\"],\"inner\":{\"name\":\"n\"},\"items\":[],\"flags\":[]}", NULL);
	str_auto struct str text = STR_MAX(4096);
	jx_print(&text, rows, &r->out, 2);
	assert_string_equal(text.p,
			    "{\n  \"list\": [\n    \"a\"\n  ],\n  \"inner\": {\n    \"name\": \"n\"\n  },\n"
			    "  \"items\": [],\n  \"flags\": []\n}");
}

static void strings_as_literals(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "\"\"" },
		{ "a\"b\\c\n\t\x01\x7f", "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "\xff", "\"\xef\xbf\xbd\"" },
		{ "\xc3", "\"\xef\xbf\xbd\"" },
		{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		str_auto struct str text = STR_MAX(256);
		jx_print_string(&text, cases[i].in);
		assert_string_equal(text.p, cases[i].out);
	}
}

static void absent_and_null(void **state)
{
	(void)state;
	struct reading *r = read_text(
		"{\"word\":null,\"inner\":null,\"list\":null,\"flags\":null,\"u64\":null,\"blank\":\"\"}",
		NULL);
	assert_int_equal(r->result, 0);
	assert_null(r->out.word);
	assert_null(r->out.blank);
	assert_null(r->out.inner);
	assert_null(r->out.list.v);
	assert_false(r->out.flags.has);
	assert_false(r->out.u64.has);
	r = read_text("{\"word\":\"\",\"list\":[],\"flags\":[]}", NULL);
	assert_string_equal(r->out.word, "");
	assert_non_null(r->out.list.v);
	assert_true(r->out.flags.has);
}

static void wrong_types(void **state)
{
	(void)state;
	assert_refused("{\"word\":5}", "word: expected string, got integer");
	assert_refused("{\"word\":18446744073709551615}", "word: expected string, got integer");
	assert_refused("{\"blank\":5}", "blank: expected string, got integer");
	assert_refused("{\"flag\":\"true\"}", "flag: expected boolean, got string");
	assert_refused("{\"u64\":\"5\"}", "u64: expected integer, got string");
	assert_refused("{\"u64\":5.0}", "u64: expected integer, got real number");
	assert_refused("{\"i64\":1e3}", "i64: expected integer, got real number");
	assert_refused("{\"list\":{}}", "list: expected array, got object");
	assert_refused("{\"list\":[\"a\",null]}", "list[1]: expected string, got null");
	assert_refused("{\"numbers\":[1,true]}", "numbers[1]: expected integer, got boolean");
	assert_refused("{\"pairs\":{\"a b\":1}}", "pairs[\"a b\"]: expected string, got integer");
	assert_refused("{\"inner\":[]}", "inner: expected object, got array");
	assert_refused("{\"items\":[{\"name\":\"a\"},{\"name\":7}]}",
		       "items[1].name: expected string, got integer");
	assert_refused("{\"map\":{\"x\":{\"weight\":\"1\"}}}", "map.x.weight: expected integer, got string");
	assert_refused("{\"flags\":\"one\"}", "flags: expected array, got string");
	assert_refused("7", "t.json: expected object, got integer");
}

static void wrong_values(void **state)
{
	(void)state;
	assert_refused("{\"inner\":{}}", "inner.name: required, but missing");
	assert_refused("{\"inner\":{\"name\":null}}", "inner.name: required, got null");
	assert_refused("{\"i32\":2147483648}",
		       "i32: expected integer from -2147483648 to 2147483647, got 2147483648");
	assert_refused("{\"u32\":-1}", "u32: expected integer from 0 to 4294967295, got -1");
	assert_refused("{\"u64\":-1}", "u64: expected integer from 0 to 18446744073709551615, got -1");
	assert_refused("{\"u64\":18446744073709551616}",
		       "u64: expected integer from 0 to 18446744073709551615, got 18446744073709551616");
	assert_refused("{\"u64\":99999999999999999999999999999999999}",
		       "u64: expected integer from 0 to 18446744073709551615, got "
		       "99999999999999999999999999999999999");
	assert_refused("{\"i64\":9223372036854775808}", "i64: expected integer from -9223372036854775808 to "
							"9223372036854775807, got 9223372036854775808");
	assert_refused("{\"colour\":\"gren\"}", "colour: unknown value \"gren\" (did you mean \"green\"?)");
	assert_refused("{\"colour\":\"\\n\"}", "colour: unknown value \"\\n\"");
	assert_refused("{\"flags\":[\"one\",\"six\"]}", "flags[1]: unknown value \"six\"");
}

static void wrong_texts(void **state)
{
	(void)state;
	assert_refused("{\"word\":\"a\",\"word\":\"b\"}",
		       "t.json:1:18: duplicate object key near '\"word\"'");
	assert_refused("{\n \"word\": }", "t.json:2:10: unexpected token near '}'");
	assert_refused("{\"u64\":18446744073709551615,\"u64\":1}",
		       "t.json:1:41: duplicate object key near '\"u64\"'");
	assert_int_equal(read_text("{\"word\":\"a\\u0000b\"}", NULL)->result, -EINVAL);
	assert_int_equal(read_text("{\"word\":\"\\u0000"
				   "5\",\"u64\":18446744073709551615}",
				   NULL)
				 ->result,
			 -EINVAL);
	assert_int_equal(read_text("{\"wo\\u0000\":1}", NULL)->result, -EINVAL);
	assert_int_equal(read_text("{\"word\":\"\xff\"}", NULL)->result, -EINVAL);
	assert_int_equal(read_text("{\"u64\":018446744073709551615}", NULL)->result, -EINVAL);
	assert_int_equal(
		read_text("{\"word\":\"18446744073709551615\\\\\",\"u64\":18446744073709551615}", NULL)
			->result,
		0);
}

static void too_much(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct outer out = { 0 };
	arena_auto struct arena a = { 0 };
	size_t len = (size_t)JX_BYTES_MAX + 1;
	free_auto char *text = mem_alloc(len);
	memset(text, ' ', len);
	assert_int_equal(jx_load(text, len, "big", rows, &out, &a, NULL, &e), -EFBIG);
	assert_string_equal(e.text, "big: larger than 16 MiB");
	memset(text, '[', 100000);
	assert_int_equal(jx_load(text, 100000, "deep", rows, &out, &a, NULL, &e), -EINVAL);
	assert_non_null(strstr(e.text, "depth"));
}

struct notes {
	char text[1024];
};

static void note_breach(void *ctx, const char *message)
{
	struct notes *n = ctx;
	size_t len = strlen(n->text);
	snprintf(n->text + len, sizeof(n->text) - len, "%s|", message);
}

static void note_unknown(void *ctx, const char *path, const char *nearest)
{
	struct notes *n = ctx;
	size_t len = strlen(n->text);
	snprintf(n->text + len, sizeof(n->text) - len, "%s~%s|", path, nearest ? nearest : "");
}

static void all_breaches(void **state)
{
	(void)state;
	struct notes n = { 0 };
	struct jx_listener l = { .breach = note_breach, .ctx = &n };
	struct reading *r = read_text(
		"{\"word\":1,\"inner\":{},\"list\":[1,\"a\",2],\"items\":[7,{\"name\":\"ok\"}]}", &l);
	assert_int_equal(r->result, -EINVAL);
	assert_string_equal(n.text,
			    "word: expected string, got integer|list[0]: expected string, got integer|"
			    "list[2]: expected string, got integer|inner.name: required, but missing|"
			    "items[0]: expected object, got integer|");
	assert_string_equal(r->err.text, "word: expected string, got integer");
}

static void unknown_keys(void **state)
{
	(void)state;
	struct notes n = { 0 };
	struct jx_listener l = { .unknown = note_unknown, .ctx = &n };
	const char *text =
		"{\"wrod\":1,\"elsewhere\":{\"x\":1},\"inner\":{\"name\":\"n\",\"Size\":1,\"zzzzzz\":2},"
		"\"items\":[{\"name\":\"n\",\"sizes\":0}]}";
	assert_int_equal(read_text(text, &l)->result, 0);
	assert_string_equal(n.text, "inner.Size~size|inner.zzzzzz~|items[0].sizes~size|wrod~word|");
	assert_int_equal(read_text(text, NULL)->result, 0);
}

static void nearest_words(void **state)
{
	(void)state;
	assert_string_equal(jx_nearest(colours, "ultra-violet"), "ultraviolet");
	assert_string_equal(jx_nearest(colours, "rde"), "red");
	assert_null(jx_nearest(colours, "blue"));
	assert_null(jx_nearest(colours, ""));
	assert_null(jx_nearest(
		colours, "a word that is much longer than any of the table, and than what is compared"));
	assert_string_equal(jx_word_name(colours, 2), "green");
	assert_null(jx_word_name(colours, 9));
	assert_int_equal(jx_word_find(bits, "four")->value, 4);
}

/* A map of maps of lists: the values are not objects, but what one row says. */
struct flat_inner {
	const char *key;
	struct {
		struct inner *v;
		size_t n;
	} list;
};

struct flat_outer {
	const char *key;
	struct {
		struct flat_inner *v;
		size_t n;
	} map;
};

struct flat {
	struct {
		struct flat_outer *v;
		size_t n;
	} top;
};

static const struct jx_field flat_list[] = { JX_LIST(struct flat_inner, list, "", struct inner, inner_rows), JX_END };
static const struct jx_field flat_map[] = {
	JX_MAP(struct flat_outer, map, "", struct flat_inner, flat_list, .flat = true), JX_END
};
static const struct jx_field flat_rows[] = {
	JX_MAP(struct flat, top, "top", struct flat_outer, flat_map, .flat = true), JX_END
};

static void flat_maps(void **state)
{
	static const char good[] = "{\"top\":{\"a\":{\"b\":[{\"name\":\"x\"},{\"name\":\"y\"}],\"\":[]},\"c\":{}}}";
	static const char *const bad[][2] = {
		{ "{\"top\":{\"a\":[]}}", "top.a: expected object, got array" },
		{ "{\"top\":{\"a\":{\"b\":{}}}}", "top.a.b: expected array, got object" },
		{ "{\"top\":{\"a\":{\"b\":null}}}", "top.a.b: expected array, got null" },
		{ "{\"top\":{\"a\":{\"b\":[{}]}}}", "top.a.b[0].name: required, but missing" },
	};
	arena_auto struct arena arena = { .top = NULL };
	str_auto struct str text = STR_MAX(1000);
	struct flat flat = { .top = { .n = 0 } };
	struct err e;
	(void)state;
	assert_int_equal(jx_load(good, strlen(good), "t.json", flat_rows, &flat, &arena, NULL, &e), 0);
	assert_int_equal(flat.top.n, 2);
	assert_string_equal(flat.top.v[1].key, "c");
	assert_int_equal(flat.top.v[0].map.n, 2);
	assert_string_equal(flat.top.v[0].map.v[0].list.v[1].name, "y");
	jx_print(&text, flat_rows, &flat, 0);
	assert_string_equal(text.p, good);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(jx_load(bad[i][0], strlen(bad[i][0]), "t.json", flat_rows, &flat, &arena, NULL, &e),
				 -EINVAL);
		assert_string_equal(e.text, bad[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),	      cmocka_unit_test(printed_back),
		cmocka_unit_test(printed_with_lines), cmocka_unit_test(strings_as_literals),
		cmocka_unit_test(absent_and_null),    cmocka_unit_test(wrong_types),
		cmocka_unit_test(wrong_values),	      cmocka_unit_test(wrong_texts),
		cmocka_unit_test(too_much),	      cmocka_unit_test(all_breaches),
		cmocka_unit_test(unknown_keys),	      cmocka_unit_test(nearest_words),
		cmocka_unit_test(flat_maps),
	};
	return cmocka_run_group_tests_name("jx", tests, NULL, NULL);
}
