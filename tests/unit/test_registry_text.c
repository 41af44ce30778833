/* SPDX-License-Identifier: Apache-2.0 */
/* What servers and files say to kist-registry: WWW-Authenticate, scopes, Retry-After, words for people, TOML. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/registry/challenge.h"
#include "image/registry/refusal.h"
#include "image/registry/text.h"
#include "image/registry/token.h"
#include "image/registry/toml.h"

/* ---- challenges ---- */

static void reads_challenges(void **state)
{
	static const struct {
		const char *text;
		enum challenge_kind kind;
		const char *realm, *service, *scope, *error;
	} rows[] = {
		{ "Basic realm=\"x\"", CHALLENGE_BASIC, "x", "", "", "" },
		{ "basic Realm=x", CHALLENGE_BASIC, "x", "", "", "" },
		{ "Basic", CHALLENGE_BASIC, "", "", "", "" },
		{ "Bearer realm=\"https://a.test/token\",service=\"a.test\",scope=\"repository:x/y:pull,push\"",
		  CHALLENGE_BEARER, "https://a.test/token", "a.test", "repository:x/y:pull,push", "" },
		{ "BEARER  realm = \"https://a.test/t\" , service=\"s\\\"q\\\\\" ,error=insufficient_scope",
		  CHALLENGE_BEARER, "https://a.test/t", "s\"q\\", "", "insufficient_scope" },
		/* several in one line, and lines that were joined */
		{ "Basic realm=\"b\", Bearer realm=\"https://t\",service=s", CHALLENGE_BEARER, "https://t", "s", "",
		  "" },
		{ "Bearer realm=\"https://t\",service=s, Basic realm=\"b\"", CHALLENGE_BEARER, "https://t", "s", "",
		  "" },
		{ "Negotiate, Basic realm=\"b\"", CHALLENGE_BASIC, "b", "", "", "" },
		{ "Negotiate YWJj==, NTLM, Basic realm=\"b, c\"", CHALLENGE_BASIC, "b, c", "", "", "" },
		{ "Digest realm=\"d\", nonce=\"n\", qop=\"auth\", Basic realm=\"b\"", CHALLENGE_BASIC, "b", "", "",
		  "" },
		{ ",, ,Basic realm=\"b\",,", CHALLENGE_BASIC, "b", "", "", "" },
		/* the first of a name counts, unknown names do not matter */
		{ "Bearer realm=\"https://t\",x=\"y\",realm=\"https://evil\"", CHALLENGE_BEARER, "https://t", "", "",
		  "" },
		/* what kist cannot do */
		{ "Digest realm=\"d\", nonce=\"n\"", CHALLENGE_NONE, "", "", "", "" },
		{ "Bearer service=s", CHALLENGE_NONE, "", "", "", "" },
		/* malformed */
		{ "", CHALLENGE_NONE, "", "", "", "" },
		{ "Bearer realm=\"https://t", CHALLENGE_NONE, "", "", "", "" },
		{ "Bearer realm=\"https://t\\", CHALLENGE_NONE, "", "", "", "" },
		{ "Bearer realm=\"https://t\"service=s", CHALLENGE_NONE, "", "", "", "" },
		{ "Bearer realm=\"a\nb\"", CHALLENGE_NONE, "", "", "", "" },
		{ "\"", CHALLENGE_NONE, "", "", "", "" },
		{ "Basic realm=\"b\", Bearer realm=\"https://t", CHALLENGE_BASIC, "b", "", "", "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct challenge c;
		bool is = challenge_parse(rows[i].text, &c);
		if (c.kind != rows[i].kind)
			fail_msg("%s", rows[i].text);
		assert_int_equal(is, rows[i].kind != CHALLENGE_NONE);
		assert_string_equal(c.realm, rows[i].realm);
		assert_string_equal(c.service, rows[i].service);
		assert_string_equal(c.scope, rows[i].scope);
		assert_string_equal(c.error, rows[i].error);
	}
}

static void bounds_challenges(void **state)
{
	char text[3 * CHALLENGE_TEXT_MAX];
	struct challenge c;
	(void)state;
	int head = snprintf(text, sizeof(text), "Basic realm=\"");
	memset(text + head, 'a', CHALLENGE_TEXT_MAX - 1);
	memcpy(text + head + CHALLENGE_TEXT_MAX - 1, "\"", 2);
	assert_true(challenge_parse(text, &c));
	assert_int_equal(strlen(c.realm), CHALLENGE_TEXT_MAX - 1);
	memset(text + head, 'a', CHALLENGE_TEXT_MAX);
	memcpy(text + head + CHALLENGE_TEXT_MAX, "\"", 2);
	assert_false(challenge_parse(text, &c));
}

/* ---- scopes ---- */

static void joins_scopes(void **state)
{
	static const struct {
		const char *wanted, *named, *all;
	} rows[] = {
		{ "repository:a/b:pull", "", "repository:a/b:pull" },
		{ "repository:a/b:pull", "repository:a/b:pull", "repository:a/b:pull" },
		{ "repository:a/b:pull,push", "repository:a/b:pull", "repository:a/b:pull,push" },
		{ "repository:a/b:pull,push", "repository:a/b:push,pull", "repository:a/b:pull,push" },
		{ "repository:a/b:pull", "repository:a/b:pull,push", "repository:a/b:pull repository:a/b:pull,push" },
		{ "repository:a/b:pull", "repository:proxy/a/b:pull",
		  "repository:a/b:pull repository:proxy/a/b:pull" },
		{ "repository:a/b:pull", "repository:a:pull", "repository:a/b:pull repository:a:pull" },
		{ "repository:a:pull repository:b:pull", "repository:b:pull", "repository:a:pull repository:b:pull" },
		{ "", "registry:catalog:*", "registry:catalog:*" },
		{ "", "", "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		free_auto char *all = token_scopes(rows[i].wanted, rows[i].named);
		assert_string_equal(all, rows[i].all);
	}
}

/* ---- answers ---- */

static void reads_retry_after(void **state)
{
	static const struct {
		const char *after, *date;
		int64_t ms;
	} rows[] = {
		{ NULL, NULL, -1 },
		{ "0", NULL, 0 },
		{ "7", NULL, 7000 },
		{ "99999999999999", NULL, 86400000 },
		{ "Thu, 26 Nov 2026 10:00:30 GMT", "Thu, 26 Nov 2026 10:00:00 GMT", 30000 },
		{ "Thu, 26 Nov 2026 10:00:00 GMT", "Thu, 26 Nov 2026 10:00:30 GMT", 0 },
		{ "soon", "Thu, 26 Nov 2026 10:00:30 GMT", -1 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_answer a = { .status = 429 };
		a.header[HTTP_RETRY_AFTER] = (char *)(uintptr_t)rows[i].after;
		a.header[HTTP_DATE] = (char *)(uintptr_t)rows[i].date;
		assert_int_equal(refusal_retry_ms(&a), rows[i].ms);
	}
}

static void cleans_words(void **state)
{
	char out[20];
	struct http_answer a = { .status = 404, .text = STR_MAX(1000) };
	struct err e;
	(void)state;
	text_clean("  two\n\twords \x1b[31m\xc2\x9b ", out, sizeof(out));
	assert_string_equal(out, "two words ?[31m??");
	text_clean("aaaaaaaaaaaaaaaaaaaaaaaa", out, sizeof(out));
	assert_string_equal(out, "aaaaaaaaaaaaaaaa...");
	str_puts(&a.text,
		 "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"no\\u001b[2J name\",\"detail\":1}]}");
	assert_int_equal(refusal_of(&a, "registry-1.docker.io", true, &e), -ENOENT);
	assert_string_equal(e.text, "docker.io has no such thing: no?[2J name");
	a.status = 401;
	assert_int_equal(refusal_of(&a, "a.test", true, &e), -EACCES);
	assert_non_null(strstr(e.text, "kist login a.test"));
	assert_int_equal(refusal_of(&a, "a.test", false, &e), -EACCES);
	assert_null(strstr(e.text, "kist login"));
	str_done(&a.text);
}

static void knows_loopback(void **state)
{
	static const char *const here[] = { "localhost",    "localhost:5000", "127.0.0.1",
					    "127.9.9.9:80", "[::1]:5000",     "[::1]" };
	static const char *const there[] = { "localhost.example.com",
					     "127.0.0.1.example.com",
					     "127.example.com:80",
					     "10.0.0.1",
					     "[::2]",
					     "registry.test",
					     "" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(here); i++)
		assert_true(text_is_loopback(here[i], strlen(here[i])));
	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		assert_false(text_is_loopback(there[i], strlen(there[i])));
}

/* ---- TOML ---- */

static void reads_toml(void **state)
{
	static const struct {
		const char *toml, *json;
	} rows[] = {
		{ "", "{}" },
		{ "# only\r\n\r\n\t# comments", "{}" },
		{ "a = 1\nb = -2 # two\n'c d' = true\n\"e\\tf\" = false",
		  "{\"a\":1,\"b\":-2,\"c d\":true,\"e\\tf\":false}" },
		{ "a.b.c = 'x'\na.b.d = \"y\"", "{\"a\":{\"b\":{\"c\":\"x\",\"d\":\"y\"}}}" },
		{ "a = 0x1F\nb = 0o17\nc = 0b101\nd = 1_000\ne = +0",
		  "{\"a\":31,\"b\":15,\"c\":5,\"d\":1000,\"e\":0}" },
		{ "a = \"q\\\" \\\\ \\u00e4 \\U0001F600\"", "{\"a\":\"q\\\" \\\\ \u00e4 \U0001F600\"}" },
		{ "a = 'C:\\dir'", "{\"a\":\"C:\\\\dir\"}" },
		{ "a = \"\"\"\nx\n\"y\" \\\n   z\"\"\"\"\"", "{\"a\":\"x\\n\\\"y\\\" z\\\"\\\"\"}" },
		{ "a = '''\nx\\\n''y'''", "{\"a\":\"x\\\\\\n''y\"}" },
		{ "a = []\nb = [ 1, 'x' , # c\n [ true ],\n]", "{\"a\":[],\"b\":[1,\"x\",[true]]}" },
		{ "a = { b = 1, c.d = 'x' }\ne = {}", "{\"a\":{\"b\":1,\"c\":{\"d\":\"x\"}},\"e\":{}}" },
		{ "[a]\nb = 1\n[a.c]\nd = 2\n[e.f]\ng = 3\n[e]\nh = 4",
		  "{\"a\":{\"b\":1,\"c\":{\"d\":2}},\"e\":{\"f\":{\"g\":3},\"h\":4}}" },
		{ "[[r]]\na = 1\n[[r.m]]\nb = 2\n[[r.m]]\nb = 3\n[[r]]\n[r.t]\nc = 4",
		  "{\"r\":[{\"a\":1,\"m\":[{\"b\":2},{\"b\":3}]},{\"t\":{\"c\":4}}]}" },
		{ "[ a . 'b' ]\nc = 1", "{\"a\":{\"b\":{\"c\":1}}}" },
		{ "unqualified-search-registries = [\"a.test\"]\n[aliases]\n\"x/y\" = \"b.test/x/y\"",
		  "{\"unqualified-search-registries\":[\"a.test\"],\"aliases\":{\"x/y\":\"b.test/x/y\"}}" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { .num = 0 };
		free_auto char *json = NULL;
		if (toml_to_json(rows[i].toml, strlen(rows[i].toml), "t", &json, &e) < 0)
			fail_msg("%s: %s", rows[i].toml, e.text);
		assert_string_equal(json, rows[i].json);
	}
}

static void refuses_toml(void **state)
{
	static const struct {
		const char *toml, *error;
	} rows[] = {
		{ "a", "t:1: a: expected = behind the key" },
		{ "a =", "t:1: expected a value" },
		{ "a = 1 b = 2", "t:1: expected the end of the line" },
		{ "\n\na = 1.5", "t:3: 1.5: expected a string, an integer, true, false, an array or a table" },
		{ "a = 1979-05-27", "t:1: 1979-05-27: expected a string" },
		{ "a = 01", "t:1: 01: expected" },
		{ "a = 1__0", "t:1: 1__0: expected" },
		{ "a = _1", "t:1: _1: expected" },
		{ "a = 9223372036854775808", "t:1: 9223372036854775808: expected" },
		{ "a = yes", "t:1: yes: expected" },
		{ "a = 'x", "t:1: a string without its end" },
		{ "a = 'x\n'", "t:1: a string without its end" },
		{ "a = \"\"\"x", "t:1: a string without its end" },
		{ "a = \"\\x\"", "t:1: an unknown escape" },
		{ "a = \"\\u00zz\"", "t:1: expected 4 hex digits" },
		{ "a = \"\\ud800\"", "t:1: a string with U+D800" },
		{ "a = \"\\u0000\"", "t:1: a string with U+0000" },
		{ "a = '\x01'", "t:1: a control character" },
		{ "# \x01", "t:1: a control character" },
		{ "a = '\xff'", "t:1: a string that is not UTF-8" },
		{ "'\xff' = 1", "t:1: \xff: not UTF-8" },
		{ "a = [1", "t:1: expected , or ] in an array" },
		{ "a = [1 2]", "t:1: expected , or ] in an array" },
		{ "a = {b = 1,}", "t:1: expected a key" },
		{ "a = {b = 1\n}", "t:1: expected , or }" },
		{ "a = 1\na = 2", "t:2: a: has a value already" },
		{ "a = 1\na.b = 2", "t:2: a: has a value already" },
		{ "a = 1\n[a]", "t:2: [a]: is there already" },
		{ "[a]\n[a]", "t:2: [a]: is there already" },
		{ "a = {}\n[a.b]", "t:2: a: has a value already" },
		{ "a = {}\na.b = 1", "t:2: a: has a value already" },
		{ "a = []\n[[a]]", "t:2: [[a]]: is something else already" },
		{ "[a]\n[[a]]", "t:2: [[a]]: is something else already" },
		{ "[[a]]\n[a]", "t:2: [a]: is there already" },
		{ "a.b = 1\n[a]", "t:2: [a]: is there already" },
		{ "[a.b]\n[x]\n[a]\nb.c = 1", "t:4: b: a table of its own" },
		{ "[a", "t:1: [a: expected ]" },
		{ "[[a]", "t:1: [a: expected ]]" },
		{ "[]", "t:1: expected a key" },
		{ "= 1", "t:1: expected a key" },
		{ "a.=1", "t:1: expected a key" },
		{ "\"\"\"a\"\"\" = 1", "t:1: : expected = behind the key" },
		{ "a = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "t:1: more than 32 levels" },
		{ "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q = 1", "t:1: a key of more than 16 parts" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { .num = 0 };
		char *json = NULL;
		if (toml_to_json(rows[i].toml, strlen(rows[i].toml), "t", &json, &e) != -EINVAL)
			fail_msg("accepted: %s: %s", rows[i].toml, json ? json : e.text);
		if (strncmp(e.text, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("%s: %s", rows[i].toml, e.text);
	}
	struct err e = { .num = 0 };
	char *json = NULL;
	assert_int_equal(toml_to_json("a\0b = 1", 7, "t", &json, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_challenges), cmocka_unit_test(bounds_challenges),
		cmocka_unit_test(joins_scopes),	    cmocka_unit_test(reads_retry_after),
		cmocka_unit_test(cleans_words),	    cmocka_unit_test(knows_loopback),
		cmocka_unit_test(reads_toml),	    cmocka_unit_test(refuses_toml),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
