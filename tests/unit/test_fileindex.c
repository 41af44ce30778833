/* SPDX-License-Identifier: Apache-2.0 */
/* The list of a layer's files: what was put in is found, and a list that is broken or forged leads nowhere. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/fileindex.h"
#include "util/fd.h"
#include "util/mem.h"

enum { MANY = 5000 };

static char top[64];
static int dir;

/* Keys that differ in their first bits, and groups of equal keys. */
static uint64_t key_of(unsigned int i)
{
	return (uint64_t)(i / 3) * 0x9e3779b97f4a7c15;
}

static void write_list(const char *name, unsigned int count)
{
	struct fileindex_budget budget = FILEINDEX_BUDGET;
	struct fileindex_made m = { .budget = &budget };
	for (unsigned int i = 0; i < count; i++) {
		char path[32];
		snprintf(path, sizeof(path), "d/f%u", i);
		struct fileindex_row row = { .key = key_of(i),
					     .digest = { i % 2, i },
					     .path_hash = fileindex_path_hash(path) };
		fileindex_add(&m, &row, path);
	}
	assert_int_equal(m.n, count);
	assert_int_equal(fileindex_write(&m, true, dir, name), 0);
	assert_int_equal(fileindex_write(&m, true, dir, name), -EEXIST);
	fileindex_made_done(&m);
	assert_int_equal(budget.rows, FILEINDEX_BUDGET.rows);
}

/* Files that differ in their paths alone. */
static void write_equal(const char *name, unsigned int count)
{
	struct fileindex_budget budget = FILEINDEX_BUDGET;
	struct fileindex_made m = { .budget = &budget };
	for (unsigned int i = 0; i < count; i++) {
		char path[32];
		snprintf(path, sizeof(path), "e%u", i);
		struct fileindex_row row = { .key = 7, .digest = { 8, 9 }, .path_hash = fileindex_path_hash(path) };
		fileindex_add(&m, &row, path);
	}
	assert_int_equal(fileindex_write(&m, false, dir, name), 0);
	fileindex_made_done(&m);
}

static int make(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/kist-unit.XXXXXX");
	assert_non_null(mkdtemp(top));
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	write_list("many", MANY);
	write_list("none", 0);
	write_list("one", 1);
	write_equal("equal", MANY);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	close(dir);
	return file_remove_tree(AT_FDCWD, top);
}

static void test_find(void **state)
{
	struct fileindex x;
	(void)state;
	assert_int_equal(fileindex_open(dir, "many", &x), 0);
	assert_int_equal(x.row_count, MANY);
	assert_true(x.is_opaque && !x.is_cut);
	for (unsigned int i = 0; i < MANY; i++) {
		char path[32];
		uint32_t count, row = fileindex_find(&x, key_of(i), (uint64_t[]){ i % 2, i }, &count);
		snprintf(path, sizeof(path), "d/f%u", i);
		assert_int_equal(count, 1);
		assert_string_equal(fileindex_path(&x, row), path);
		fileindex_find(&x, key_of(i), (uint64_t[]){ i % 2, i + 1 }, &count);
		assert_int_equal(count, 0);
		fileindex_find(&x, key_of(i) + 1, (uint64_t[]){ i % 2, i }, &count);
		assert_int_equal(count, 0);
	}
	fileindex_done(&x);
}

/* Of a long run only the beginning is counted, and still each path is found. */
static void test_equal(void **state)
{
	struct fileindex x;
	uint32_t count;
	(void)state;
	assert_int_equal(fileindex_open(dir, "equal", &x), 0);
	fileindex_find(&x, 7, (uint64_t[]){ 8, 9 }, &count);
	assert_int_equal(count, FILEINDEX_EQUAL_MAX);
	for (unsigned int i = 0; i < MANY; i++) {
		char path[32];
		bool is_there = false;
		snprintf(path, sizeof(path), "e%u", i);
		struct fileindex_row want = { .key = 7, .digest = { 8, 9 }, .path_hash = fileindex_path_hash(path) };
		uint32_t row = fileindex_find_path(&x, &want, &count);
		assert_in_range(count, 1, 4);
		for (uint32_t n = 0; n < count; n++)
			is_there |= strcmp(fileindex_path(&x, row + n), path) == 0;
		assert_true(is_there);
	}
	struct fileindex_row none = { .key = 7, .digest = { 8, 9 }, .path_hash = fileindex_path_hash("none") };
	fileindex_find_path(&x, &none, &count);
	assert_int_equal(count, 0);
	fileindex_done(&x);
}

static void test_small(void **state)
{
	struct fileindex x;
	uint32_t count;
	(void)state;
	assert_int_equal(fileindex_open(dir, "none", &x), 0);
	fileindex_find(&x, 0, (uint64_t[]){ 0, 0 }, &count);
	assert_int_equal(count, 0);
	fileindex_done(&x);
	assert_int_equal(fileindex_open(dir, "one", &x), 0);
	uint32_t row = fileindex_find(&x, 0, (uint64_t[]){ 0, 0 }, &count);
	assert_true(row == 0 && count == 1);
	fileindex_done(&x);
	assert_int_equal(fileindex_open(dir, "missing", &x), -ENOENT);
}

/* Copies a list, with some of its bytes changed, or cut. */
static void forge(const char *from, const char *to, size_t cut, size_t at, const void *bytes, size_t len)
{
	free_auto char *p = NULL;
	size_t n;
	assert_int_equal(file_read(dir, from, 1 << 20, false, &p, &n), 0);
	if (len)
		memcpy(p + at, bytes, len);
	unlinkat(dir, to, 0);
	fd_auto int fd = openat(dir, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, p, n - cut), 0);
}

static void test_broken(void **state)
{
	static const uint32_t large = UINT32_MAX, wide = 21;
	struct fileindex x;
	(void)state;
	forge("many", "bad", 1, 0, NULL, 0);
	assert_int_equal(fileindex_open(dir, "bad", &x), -EBADMSG);
	forge("many", "bad", 0, 0, "kistflsX", 8);
	assert_int_equal(fileindex_open(dir, "bad", &x), -EBADMSG);
	forge("many", "bad", 0, 8, &large, 4);
	assert_int_equal(fileindex_open(dir, "bad", &x), -EBADMSG);
	forge("many", "bad", 0, 12, &wide, 4);
	assert_int_equal(fileindex_open(dir, "bad", &x), -EBADMSG);
	forge("many", "bad", 0, 16, &large, 4);
	assert_int_equal(fileindex_open(dir, "bad", &x), -EBADMSG);
	assert_int_equal(symlinkat("many", dir, "link"), 0);
	assert_int_equal(fileindex_open(dir, "link", &x), -ELOOP);
}

/* A fan that points behind the rows, and one that runs backwards. */
static void test_forged_fan(void **state)
{
	static const uint32_t behind = 2, large = UINT32_MAX;
	const size_t fan = 32 + sizeof(struct fileindex_row);
	struct fileindex x;
	uint32_t count;
	(void)state;
	forge("one", "bad", 0, fan + 4, &behind, 4);
	assert_int_equal(fileindex_open(dir, "bad", &x), 0);
	fileindex_find(&x, 0, (uint64_t[]){ 0, 0 }, &count);
	assert_int_equal(count, 0);
	fileindex_done(&x);
	forge("one", "bad", 0, fan, &large, 4);
	assert_int_equal(fileindex_open(dir, "bad", &x), 0);
	fileindex_find(&x, 0, (uint64_t[]){ 0, 0 }, &count);
	assert_int_equal(count, 0);
	fileindex_done(&x);
}

static void test_forged_path(void **state)
{
	static const uint32_t large = UINT32_MAX;
	static const char *const paths[] = { "../x", "a/..", "/abc", "\0abc" };
	const size_t text = 32 + sizeof(struct fileindex_row) + 2 * sizeof(uint32_t);
	struct fileindex x;
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		forge("one", "bad", 0, text, paths[i], 4);
		assert_int_equal(fileindex_open(dir, "bad", &x), 0);
		assert_null(fileindex_path(&x, 0));
		fileindex_done(&x);
	}
	forge("one", "bad", 0, text, "a..b", 4);
	assert_int_equal(fileindex_open(dir, "bad", &x), 0);
	assert_string_equal(fileindex_path(&x, 0), "a..b");
	fileindex_done(&x);
	forge("one", "bad", 0, 32 + offsetof(struct fileindex_row, path), &large, 4);
	assert_int_equal(fileindex_open(dir, "bad", &x), 0);
	assert_null(fileindex_path(&x, 0));
	fileindex_done(&x);
}

static void test_budget(void **state)
{
	struct fileindex_budget budget = { .rows = 3, .text_bytes = 5 };
	struct fileindex_made m = { .budget = &budget };
	const struct fileindex_row row = { .key = 1 };
	(void)state;
	fileindex_add(&m, &row, "ab");
	fileindex_add(&m, &row, "cd");
	/* There was room for this one, but a list with gaps is no better. */
	fileindex_add(&m, &row, "e");
	assert_int_equal(m.n, 1);
	assert_true(m.is_cut);
	fileindex_made_done(&m);
	assert_true(budget.rows == 3 && budget.text_bytes == 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),       cmocka_unit_test(test_equal),
		     cmocka_unit_test(test_small),
		cmocka_unit_test(test_broken),     cmocka_unit_test(test_forged_fan),
		cmocka_unit_test(test_forged_path), cmocka_unit_test(test_budget),
	};
	return cmocka_run_group_tests(tests, make, clear);
}
