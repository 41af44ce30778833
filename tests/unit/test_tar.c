/* SPDX-License-Identifier: Apache-2.0 */
/* The tar reader's fields, names and pax records, byte by byte; whole archives are tested by 50-image.bats. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/dirstack.h"
#include "image/meta.h"
#include "image/tar.h"
#include "image/tarfield.h"
#include "image/whiteout.h"
#include "util/mem.h"

/* An archive in memory, given out in pieces of `piece` bytes. */
struct archive {
	struct flow flow;
	uint8_t bytes[16384];
	size_t len, at, piece;
};

static int pull(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct archive *a = (struct archive *)f;
	(void)e;
	size_t n = a->len - a->at < a->piece ? a->len - a->at : a->piece;
	*ret_bytes = a->bytes + a->at;
	*ret_len = n;
	a->at += n;
	return n ? 1 : 0;
}

static void add(struct archive *a, const void *bytes, size_t len)
{
	memcpy(a->bytes + a->len, bytes, len);
	a->len = (a->len + len + 511) & ~(size_t)511;
}

static void add_header(struct archive *a, const char *name, char type, size_t size, const char *magic)
{
	uint8_t h[512] = { 0 };
	unsigned int sum = 0;
	memcpy(h, name, strlen(name) < 100 ? strlen(name) : 100);
	memcpy(h + 100, "0000644", 7);
	memcpy(h + 108, "0000001", 7);
	memcpy(h + 116, "0000002", 7);
	snprintf((char *)h + 124, 12, "%011zo", size);
	memcpy(h + 136, "00000000010", 11);
	h[156] = (uint8_t)type;
	memcpy(h + 257, magic, 8);
	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
	add(a, h, sizeof(h));
}

#define USTAR "ustar\0" "00"
#define GNU "ustar  "

static void numbers(void **state)
{
	static const struct {
		const char *field;
		size_t len;
		int64_t value;
		bool is_bad;
	} rows[] = {
		{ "0000644", 8, 0644, false },      { "   644 ", 8, 0644, false },  { "\0\0\0\0\0\0\0", 8, 0, false },
		{ "644\0xxx", 8, 0, true },         { "77777777", 8, 077777777, false }, { "0000648", 8, 0, true },
		{ "-000001", 8, 0, true },          { "\x80\0\0\0\0\0\1\2", 8, 258, false },
		{ "\xff\xff\xff\xff\xff\xff\xff\xfe", 8, -2, false },
		{ "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, INT64_MAX, false },
		{ "\x80\0\0\0\x80\0\0\0\0\0\0\0", 12, 0, true },
		{ "\x80\0\0\1\0\0\0\0\0\0\0\0", 12, 0, true },
		{ "\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", 12, INT64_MIN, false },
		{ "\xff\xff\xff\xff\x7f\0\0\0\0\0\0\0", 12, 0, true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t field[12] = { 0 };
		int64_t v = 0;
		memcpy(field, rows[i].field, rows[i].len);
		if (tar_number(field, rows[i].len, &v) == rows[i].is_bad || v != rows[i].value)
			fail_msg("row %zu: %lld", i, (long long)v);
	}
}

/* The same archive in pieces of every kind: entries and their data come out the same. */
static void pieces(void **state)
{
	static const size_t sizes[] = { 1, 3, 511, 512, 513, 16384 };
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		struct archive a = { .flow = { .pull = pull }, .piece = sizes[k] };
		struct tar t;
		struct err e = { .num = 0 };
		const struct tar_entry *en;
		const uint8_t *p;
		size_t n, got = 0;
		char data[700];
		memset(data, 'd', sizeof(data));
		add_header(&a, "dir/", '5', 0, USTAR);
		add_header(&a, "file", '0', sizeof(data), USTAR);
		add(&a, data, sizeof(data));
		add_header(&a, "unread", '0', sizeof(data), GNU);
		add(&a, data, sizeof(data));
		add_header(&a, "last", '0', 0, "\0\0\0\0\0\0\0");
		a.len += 1024 + 512;
		tar_open(&t, &a.flow);
		assert_int_equal(tar_next(&t, &en, &e), 1);
		assert_int_equal(en->type, TAR_DIR);
		assert_int_equal(tar_next(&t, &en, &e), 1);
		assert_string_equal(en->path, "file");
		assert_int_equal(en->uid * 10 + en->gid, 12);
		assert_int_equal(en->mtime.tv_sec, 8);
		while (tar_data(&t, &p, &n, &e) == 1)
			for (size_t i = 0; i < n; i++, got++)
				assert_int_equal(p[i], 'd');
		assert_int_equal(got, sizeof(data));
		assert_int_equal(tar_next(&t, &en, &e), 1);
		assert_string_equal(en->path, "unread");
		assert_int_equal(tar_next(&t, &en, &e), 1);
		assert_string_equal(en->path, "last");
		assert_int_equal(tar_next(&t, &en, &e), 0);
		assert_int_equal(tar_next(&t, &en, &e), 0);
		assert_int_equal(tar_drain(&t, &e), 0);
		assert_int_equal(a.at, a.len);
		tar_done(&t);
	}
}

static void padding_may_be_missing_at_the_end(void **state)
{
	struct archive a = { .flow = { .pull = pull }, .piece = 100 };
	struct tar t;
	struct err e = { .num = 0 };
	const struct tar_entry *en;
	(void)state;
	add_header(&a, "f", '0', 5, USTAR);
	memcpy(a.bytes + a.len, "12345", 5);
	a.len += 5;
	tar_open(&t, &a.flow);
	assert_int_equal(tar_next(&t, &en, &e), 1);
	assert_int_equal(tar_next(&t, &en, &e), 0);
	tar_done(&t);
	a.at = 0;
	a.len--;
	tar_open(&t, &a.flow);
	assert_int_equal(tar_next(&t, &en, &e), 1);
	assert_int_equal(tar_next(&t, &en, &e), -EINVAL);
	assert_non_null(strstr(e.text, "ends in the middle"));
	tar_done(&t);
}

/* Writes one pax record, whose number counts its own digits. */
static size_t record(char *out, const char *key, const char *value, size_t len)
{
	size_t total = strlen(key) + len + 3, digits = total + 2 < 10 ? 1 : 2;
	total += digits;
	int at = snprintf(out, 64, "%zu %s=", total, key);
	memcpy(out + at, value, len);
	out[(size_t)at + len] = '\n';
	return total;
}

static void pax_wins_over_the_header_and_gnu_over_pax(void **state)
{
	struct archive a = { .flow = { .pull = pull }, .piece = 512 };
	struct tar t;
	struct err e = { .num = 0 };
	const struct tar_entry *en;
	(void)state;
	char body[512];
	size_t len = 0;
	len += record(body + len, "path", "pax-name", 8);
	len += record(body + len, "mtime", "-1.25", 5);
	len += record(body + len, "uid", "1234", 4);
	len += record(body + len, "gid", "99", 2);
	len += record(body + len, "SCHILY.xattr.user.x", "a\0b=\n\nc", 7);
	len += record(body + len, "comment", "", 0);
	add_header(&a, "x", 'x', len, USTAR);
	add(&a, body, len);
	add_header(&a, "header-name", '0', 0, USTAR);
	add_header(&a, "L", 'L', 9, GNU);
	add(&a, "gnu-name", 9);
	len = record(body, "path", "pax-name", 8);
	add_header(&a, "x", 'x', len, USTAR);
	add(&a, body, len);
	add_header(&a, "header-name", '0', 0, GNU);
	add_header(&a, "plain", '0', 0, GNU);
	tar_open(&t, &a.flow);
	int r = tar_next(&t, &en, &e);
	if (r < 0)
		fail_msg("%s", e.text);
	assert_string_equal(en->path, "pax-name");
	assert_int_equal(en->uid, 1234);
	assert_int_equal(en->mtime.tv_sec, -2);
	assert_int_equal(en->mtime.tv_nsec, 750000000);
	assert_int_equal(en->xattr_count, 1);
	assert_string_equal(en->xattrs[0].name, "user.x");
	assert_int_equal(en->xattrs[0].len, 7);
	assert_memory_equal(en->xattrs[0].value, "a\0b=\n\nc", 7);
	assert_int_equal(tar_next(&t, &en, &e), 1);
	assert_string_equal(en->path, "gnu-name");
	assert_int_equal(en->uid, 1);
	assert_int_equal(tar_next(&t, &en, &e), 1);
	assert_string_equal(en->path, "plain");
	tar_done(&t);
}

static void plain_paths(void **state)
{
	static const struct {
		const char *in, *out, *name;
		int error;
	} rows[] = {
		{ "a/b/c", "a/b/c", "c", 0 }, { "/a//b/", "a/b", "b", 0 },  { "./a/./b", "a/b", "b", 0 }, { ".", "", "", 0 },
		{ "///", "", "", 0 },         { "./", "", "", 0 },          { "a", "a", "a", 0 },
		{ "..a/b..", "..a/b..", "b..", 0 },
		{ "...", "...", "...", 0 },   { "..", NULL, NULL, -EINVAL }, { "a/../b", NULL, NULL, -EINVAL },
		{ "a/..", NULL, NULL, -EINVAL }, { "/../a", NULL, NULL, -EINVAL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[TAR_PATH_MAX + 1];
		size_t name;
		struct err e = { .num = 0 };
		assert_int_equal(path_plain(rows[i].in, out, &name, &e), rows[i].error);
		if (rows[i].error)
			continue;
		assert_string_equal(out, rows[i].out);
		assert_string_equal(out + name, rows[i].name);
	}
}

static void whiteouts(void **state)
{
	static const struct {
		const char *name;
		enum whiteout_kind kind;
		const char *target;
	} rows[] = {
		{ "file", WHITEOUT_NONE, NULL },        { ".wh.file", WHITEOUT_FILE, "file" }, { ".wh", WHITEOUT_NONE, NULL },
		{ ".wh..wh..opq", WHITEOUT_OPAQUE, NULL }, { ".wh..wh.plnk", WHITEOUT_IGNORED, NULL },
		{ ".wh..wh..opq2", WHITEOUT_IGNORED, NULL }, { ".wh.", WHITEOUT_BAD, NULL }, { ".wh..", WHITEOUT_BAD, NULL },
		{ ".wh...", WHITEOUT_BAD, NULL },       { ".wh....", WHITEOUT_FILE, "..." }, { ".wh..x", WHITEOUT_FILE, ".x" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *target = NULL;
		assert_int_equal(whiteout_kind(rows[i].name, &target), rows[i].kind);
		if (rows[i].target)
			assert_string_equal(target, rows[i].target);
	}
}

static void xattrs(void **state)
{
	(void)state;
	assert_true(meta_xattr_is_kept("user.x"));
	assert_true(meta_xattr_is_kept("security.capability"));
	assert_true(meta_xattr_is_kept("system.posix_acl_access"));
	assert_true(meta_xattr_is_kept("trusted.x"));
	assert_false(meta_xattr_is_kept("trusted.overlay.opaque"));
	assert_false(meta_xattr_is_kept("user.overlay.redirect"));
	assert_false(meta_xattr_is_kept("trusted.overlay.overlay.opaque"));
	assert_false(meta_xattr_is_kept("security.selinux"));
	assert_false(meta_xattr_is_kept("security.ima"));
	assert_false(meta_xattr_is_kept("security.evm"));
	assert_false(meta_xattr_is_kept("system.nfs4_acl"));
	assert_false(meta_xattr_is_kept("other"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),     cmocka_unit_test(pieces),
		cmocka_unit_test(padding_may_be_missing_at_the_end),
		cmocka_unit_test(pax_wins_over_the_header_and_gnu_over_pax),
		cmocka_unit_test(plain_paths), cmocka_unit_test(whiteouts), cmocka_unit_test(xattrs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
