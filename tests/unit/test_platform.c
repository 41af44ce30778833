/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: how they are spelled, which image of an index is taken, what is said when none fits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/platform.h"
#include "util/mem.h"

static void reads_all_spellings(void **state)
{
	static const struct {
		const char *text, *full;
	} rows[] = {
		{ "linux/amd64", "linux/amd64" },
		{ "amd64", "linux/amd64" },
		{ "linux/x86_64", "linux/amd64" },
		{ "linux/amd64/v1", "linux/amd64" },
		{ "linux/amd64/v3", "linux/amd64/v3" },
		{ "linux/arm64/v8", "linux/arm64" },
		{ "linux/arm64/8", "linux/arm64" },
		{ "Linux/AArch64", "linux/arm64" },
		{ "linux/arm64/v9", "linux/arm64/v9" },
		{ "linux/arm", "linux/arm" },
		{ "linux/arm/v7", "linux/arm" },
		{ "linux/arm/6", "linux/arm/v6" },
		{ "armhf", "linux/arm" },
		{ "linux/armel", "linux/arm/v6" },
		{ "i686", "linux/386" },
		{ "windows/amd64", "windows/amd64" },
		{ "linux/riscv64", "linux/riscv64" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct platform_want want;
		struct err e = { .num = 0 };
		char text[PLATFORM_TEXT_MAX];
		assert_int_equal(platform_parse(rows[i].text, &want, &e), 0);
		platform_text(&want, text);
		assert_string_equal(text, rows[i].full);
	}
}

static void refuses(void **state)
{
	static const char *const rows[] = {
		"",
		"/",
		"linux/",
		"/amd64",
		"linux//v8",
		"linux/arm64/v8/x",
		"linux/a b",
		"linux/../amd64",
		"linux/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct platform_want want = { .os = "kept" };
		struct err e = { .num = 0 };
		assert_int_equal(platform_parse(rows[i], &want, &e), -EINVAL);
		assert_string_equal(want.os, "kept");
		assert_non_null(strstr(e.text, "not OS/ARCH[/VARIANT]"));
	}
}

static struct platform p386 = { "linux", "386", NULL }, amd = { "linux", "amd64", NULL },
		       amd3 = { "linux", "amd64", "v3" }, arm5 = { "linux", "arm", "v5" },
		       arm7 = { "linux", "arm", "v7" }, arm64 = { "linux", "arm64", "v8" },
		       win = { "windows", "amd64", NULL }, none = { "unknown", "unknown", NULL };

static void picks_the_best(void **state)
{
	struct descriptor rows[] = {
		{ .platform = &none }, { .platform = &win },   { .platform = &p386 },
		{ .platform = &amd },  { .platform = &amd3 },  { .platform = &arm5 },
		{ .platform = &arm7 }, { .platform = &arm64 }, { .platform = NULL },
	};
	const struct document index = { .manifests = { .v = rows, .n = ARRAY_LEN(rows) } };
	static const struct {
		const char *want;
		int row;
	} cases[] = {
		{ "linux/amd64", 3 },  { "linux/amd64/v2", 3 }, { "linux/amd64/v3", 4 }, { "linux/amd64/v4", 4 },
		{ "linux/386", 2 },    { "windows/amd64", 1 },	{ "linux/arm", 6 },	 { "linux/arm/v6", 5 },
		{ "linux/arm/v8", 6 }, { "linux/arm64", 7 },	{ "linux/arm64/v8", 7 }, { "linux/arm64/v9", 7 },
		{ "linux/s390x", -1 }, { "linux/arm/v4", -1 },	{ "linux/arm/odd", -1 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform_want want;
		struct err e = { .num = 0 };
		assert_int_equal(platform_parse(cases[i].want, &want, &e), 0);
		const struct descriptor *d = platform_pick(&index, &want, "index", &e);
		assert_ptr_equal(d, cases[i].row < 0 ? NULL : &rows[cases[i].row]);
	}
}

static void says_what_is_there(void **state)
{
	struct descriptor rows[] = { { .platform = &none }, { .platform = &amd }, { .platform = &arm64 } };
	const struct document index = { .manifests = { .v = rows, .n = ARRAY_LEN(rows) } };
	struct platform_want want;
	struct err e = { .num = 0 };
	(void)state;
	assert_int_equal(platform_parse("linux/arm/v6", &want, &e), 0);
	assert_null(platform_pick(&index, &want, "index x", &e));
	assert_string_equal(e.text, "index x: has no image for linux/arm/v6 (there is: linux/amd64, linux/arm64/v8)");
	assert_int_equal(e.num, ENOENT);
}

static void fits_configs(void **state)
{
	struct platform_want want;
	struct err e = { .num = 0 };
	(void)state;
	assert_int_equal(platform_parse("linux/arm64", &want, &e), 0);
	assert_true(platform_fits(&want, "linux", "arm64", NULL));
	assert_true(platform_fits(&want, "linux", "arm64", "v8"));
	assert_true(platform_fits(&want, NULL, NULL, NULL));
	assert_false(platform_fits(&want, "linux", "amd64", NULL));
	assert_false(platform_fits(&want, "linux", "arm64", "v9"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_spellings), cmocka_unit_test(refuses),
		cmocka_unit_test(picks_the_best),      cmocka_unit_test(says_what_is_there),
		cmocka_unit_test(fits_configs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
