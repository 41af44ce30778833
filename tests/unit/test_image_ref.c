/* SPDX-License-Identifier: Apache-2.0 */
/* Image names and digests: what is accepted, how it is split, what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/ref.h"
#include "util/mem.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void accepts_and_splits(void **state)
{
	static const struct {
		const char *text, *name, *tag, *digest, *full;
	} rows[] = {
		{ "busybox", "busybox", "", "", "busybox:latest" },
		{ "busybox:1.36", "busybox", "1.36", "", "busybox:1.36" },
		{ "a/b/c-d_e__f.g:T_1.x-y", "a/b/c-d_e__f.g", "T_1.x-y", "", "a/b/c-d_e__f.g:T_1.x-y" },
		{ "localhost:5000/x", "localhost:5000/x", "", "", "localhost:5000/x:latest" },
		{ "Reg.Example.COM:443/x/y:z", "Reg.Example.COM:443/x/y", "z", "",
		  "Reg.Example.COM:443/x/y:z" },
		{ "x@sha256:" HEX, "x", "", "sha256:" HEX, "x:latest" },
		{ "h.test/x:1@sha256:" HEX, "h.test/x", "1", "sha256:" HEX, "h.test/x:1" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ref ref;
		struct err e = { .num = 0 };
		char full[REF_TEXT_MAX];
		assert_int_equal(ref_parse(rows[i].text, &ref, &e), 0);
		assert_string_equal(ref.name, rows[i].name);
		assert_string_equal(ref.tag, rows[i].tag);
		assert_string_equal(ref.digest, rows[i].digest);
		ref_text(&ref, full);
		assert_string_equal(full, rows[i].full);
	}
}

static void refuses(void **state)
{
	static const char *const rows[] = {
		"",
		":",
		"x:",
		":x",
		"X",
		"x/Y",
		"-x",
		"x-",
		"x..y",
		"x/../y",
		"../x",
		"/x",
		"x/",
		"x//y",
		"x y",
		"x:a b",
		"x:-a",
		"x:a/b",
		"x@",
		"x@sha256:12",
		("x@sha256:" HEX "0"),
		("x@sha512:" HEX),
		"x___y",
		"x._y",
		"h:port/x",
		"h:123456/x",
		".h.test/x",
		"x\ny",
		"x:\xc3\xa4",
		"\xc3\xa4",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ref ref;
		struct err e = { .num = 0 };
		if (ref_parse(rows[i], &ref, &e) != -EINVAL)
			fail_msg("accepted: \"%s\"", rows[i]);
		assert_non_null(strstr(e.text, "image name"));
	}
}

static void refuses_what_is_too_long(void **state)
{
	char text[REF_TEXT_MAX + 10];
	struct ref ref;
	struct err e = { .num = 0 };
	(void)state;
	memset(text, 'x', sizeof(text));
	text[REF_NAME_MAX - 1] = '\0';
	assert_int_equal(ref_parse(text, &ref, &e), 0);
	text[REF_NAME_MAX - 1] = 'x';
	text[REF_NAME_MAX] = '\0';
	assert_int_equal(ref_parse(text, &ref, &e), -EINVAL);
	memset(text, 'x', sizeof(text));
	text[1] = ':';
	text[2 + 128] = '\0';
	assert_int_equal(ref_parse(text, &ref, &e), 0);
	text[2 + 128] = 'x';
	text[2 + 129] = '\0';
	assert_int_equal(ref_parse(text, &ref, &e), -EINVAL);
}

static void digests(void **state)
{
	(void)state;
	assert_true(digest_is_valid("sha256:" HEX));
	assert_string_equal(digest_hex("sha256:" HEX), HEX);
	assert_false(digest_is_valid(NULL));
	assert_false(digest_is_valid(""));
	assert_false(digest_is_valid(HEX));
	assert_false(digest_is_valid("sha256:" HEX "0"));
	assert_false(digest_is_valid("sha256:" HEX "/"));
	assert_false(digest_is_valid("sha256:0123"));
	assert_false(digest_is_valid("SHA256:" HEX));
	assert_false(
		digest_is_valid("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"));
	assert_false(
		digest_is_valid("sha256:../../../../../../../../../../../../../../../../../../../../../x"));
}

static void short_names(void **state)
{
	(void)state;
	assert_string_equal(ref_short("docker.io/library/busybox"), "busybox");
	assert_string_equal(ref_short("docker.io/team/app"), "team/app");
	assert_string_equal(ref_short("quay.io/team/app"), "quay.io/team/app");
	assert_string_equal(ref_path("quay.io/team/app"), "team/app");
	assert_string_equal(ref_path("localhost/app"), "app");
	assert_string_equal(ref_path("team/app"), "team/app");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_and_splits),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(digests),
		cmocka_unit_test(short_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
