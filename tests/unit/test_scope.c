/* SPDX-License-Identifier: Apache-2.0 */
/* Names of scopes, limits as properties of units, and values in the text form of GVariant. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cgroup/scope.h"
#include "cgroup/systemd/variant.h"
#include "util/mem.h"

static void names(void **state)
{
	static const struct { const char *path, *slice, *unit; } rows[] = {
		{ NULL, "system.slice", "kist-web.scope" },
		{ "", "system.slice", "kist-web.scope" },
		{ ":a:b", "system.slice", "a-b.scope" },
		{ "-:a:b", "-.slice", "a-b.scope" },
		{ "a-b.slice:cri-containerd:0123", "a-b.slice", "cri-containerd-0123.scope" },
		{ "a.slice::b", "a.slice", "b.scope" },
		{ "a.slice:p:b.scope", "a.slice", "p-b.scope" },
		{ "a.slice:p:b+c", "a.slice", "p-b\\x2bc.scope" },
	};
	static const char *const bad[] = {
		"a", "a:b", "a:b:c:d", "/a/b", "a.slice:p:", "a.slice:p:b.slice", "a:p:b", "-a.slice:p:b",
		"a--b.slice:p:b", "a-.slice:p:b", "a/b.slice:p:c", ".slice:p:c",
	};
	struct cgroup_scope s;
	struct err e;
	(void)state;
	arena_auto struct arena a = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(scope_parse(rows[i].path, "web", false, &a, &s, &e), 0);
		assert_string_equal(s.slice, rows[i].slice);
		assert_string_equal(s.unit, rows[i].unit);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(scope_parse(bad[i], "web", false, &a, &s, &e), -EINVAL);
		assert_memory_equal(e.text, "linux.cgroupsPath: ", 19);
	}
	assert_int_equal(scope_parse(NULL, "web", true, &a, &s, &e), 0);
	assert_string_equal(s.slice, "user.slice");
	assert_true(s.is_user);
}

static void limits(void **state)
{
	struct cgroup_write w[] = {
		{ .file = "memory.max", .value = "67108864" }, { .file = "memory.swap.max", .value = "max" },
		{ .file = "cpu.max", .value = "12345 100000" }, { .file = "cpu.max.burst", .value = "7" },
		{ .file = "cpuset.cpus", .value = "0-2,9" },
		{ .file = "io.bfq.weight", .value = "500", .alt_file = "io.weight", .alt_value = "4950" },
		{ .file = "io.bfq.weight", .value = "8:0 500", .alt_file = "io.weight", .alt_value = "8:0 4950" },
		{ .file = "cpu.idle", .value = "1" }, { .file = "cpu.idle", .value = "0" },
		{ .file = "hugetlb.2MB.max", .value = "0" },
	};
	static const char *const want[] = {
		"MemoryMax=t:67108864", "MemorySwapMax=t:18446744073709551615", "CPUQuotaPerSecUSec=t:130000",
		"CPUQuotaPeriodUSec=t:100000", "AllowedCPUs=ay:0702", "IOWeight=t:4950", "CPUWeight=t:0",
		"TasksMax=t:18446744073709551615",
	};
	const struct cgroup_limits l = { .v = w, .n = ARRAY_LEN(w) };
	struct strs got = { 0 };
	(void)state;
	arena_auto struct arena a = { 0 };
	scope_limits(&l, &a, &got);
	assert_int_equal(got.n, ARRAY_LEN(want));
	for (size_t i = 0; i < got.n; i++)
		assert_string_equal(got.v[i], want[i]);
	struct cgroup_write more[] = { { .file = "pids.max", .value = "5" }, { .file = "cpu.max", .value = "max 50000" } };
	const struct cgroup_limits two = { .v = more, .n = 2 };
	got = (struct strs){ 0 };
	scope_limits(&two, &a, &got);
	assert_int_equal(got.n, 3);
	assert_string_equal(got.v[0], "TasksMax=t:5");
	assert_string_equal(got.v[1], "CPUQuotaPerSecUSec=t:18446744073709551615");
	assert_string_equal(got.v[2], "CPUQuotaPeriodUSec=t:50000");
	static const char *const counts[][2] = { { "0", "TasksMax=t:1" }, { "max", "TasksMax=t:18446744073709551615" } };
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		more[0].value = counts[i][0];
		got = (struct strs){ 0 };
		scope_limits(&two, &a, &got);
		assert_string_equal(got.v[0], counts[i][1]);
	}
}

static void annotations(void **state)
{
	struct pair v[] = { { "other", "1" }, { "org.systemd.property.CollectMode", "'inactive'" } };
	static const char *const bad[] = { "Slice", "PIDs", "", "ab", "a.b", "1abc", "Description", "Delegate" };
	const struct pairs list = { .v = v, .n = 2 };
	struct strs got = { 0 };
	struct err e;
	(void)state;
	arena_auto struct arena a = { 0 };
	assert_int_equal(scope_annotations(&list, &a, &got, &e), 0);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.v[0], "CollectMode=v:'inactive'");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		v[0].key = arena_fmt(&a, "org.systemd.property.%s", bad[i]);
		assert_int_equal(scope_annotations(&list, &a, &got, &e), -EINVAL);
	}
}

static void variants(void **state)
{
	static const struct { const char *text, *type; } good[] = {
		{ "true", "b" }, { "5", "i" }, { "-5", "i" }, { "uint64 5", "t" }, { "@t 5", "t" }, { "byte 0xff", "y" },
		{ "1.5", "d" }, { "double 2", "d" }, { "'a'", "s" }, { "\"a'b\"", "s" }, { "['a', 'b']", "as" },
		{ "@as []", "as" }, { "[uint32 1, 2]", "au" }, { "[('/dev/null', 'rw')]", "a(ss)" },
		{ "('a', uint64 1, [true])", "(stab)" }, { "@a(st) [('/x', 5)]", "a(st)" }, { " ( 1 , ) ", "(i)" },
		{ "int64 -9223372036854775808", "x" }, { "objectpath '/a'", "o" }, { "'it\\'s'", "s" },
	};
	static const char *const bad[] = {
		"", "banana", "'a", "[1, 'a']", "[]", "5 5", "byte 256", "uint32 -1", "3000000000", "@z 5", "@as [1]",
		"@(ss) ('a',)", "@(s) ('a', 'b')", "[1 2]", "true1", "uint64 true", "@b 1", "[[[[[[[[[[1]]]]]]]]]]", "(1", "-",
	};
	(void)state;
	arena_auto struct arena a = { 0 };
	struct variant v;
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		str_auto struct str type = STR_MAX(64);
		assert_int_equal(variant_parse(good[i].text, &a, &v, &e), 0);
		variant_type(&type, &v);
		assert_string_equal(type.p, good[i].type);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (variant_parse(bad[i], &a, &v, &e) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	/* As many members as a type has letters for, in a list or not, and one more. */
	for (int n = 70; n <= 255; n += n == 70 ? 182 : 1) {
		str_auto struct str text = STR_MAX(2048);
		str_puts(&text, "[(");
		for (int i = 0; i < n; i++)
			str_puts(&text, "1,");
		str_puts(&text, ")]");
		assert_int_equal(variant_parse(text.p, &a, &v, &e), n <= 252 ? 0 : -EINVAL);
		text.p[text.len - 1] = '\0';
		assert_int_equal(variant_parse(text.p + 1, &a, &v, &e), n <= 253 ? 0 : -EINVAL);
	}
	assert_int_equal(variant_parse("'it\\'s'", &a, &v, &e), 0);
	assert_string_equal(v.s, "it's");
	assert_int_equal(variant_parse("int16 -7", &a, &v, &e), 0);
	assert_int_equal(v.i, -7);
	assert_int_equal(variant_parse("7", &a, &v, &e), 0);
	assert_int_equal(v.i, 7);
	assert_int_equal(variant_parse("18446744073709551615", &a, &v, &e), -EINVAL);
	assert_int_equal(variant_parse("uint64 18446744073709551615", &a, &v, &e), 0);
	assert_true(v.u == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names), cmocka_unit_test(limits), cmocka_unit_test(annotations), cmocka_unit_test(variants),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
