/* SPDX-License-Identifier: Apache-2.0 */
/* What layers take of the disk and share, on a store made by hand: counted by inodes, hard links in a layer once. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/usage.h"
#include "util/fd.h"

#define HEX "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIR_OF(d) "layers/sha256/" d HEX
#define ID_OF(d) "sha256:" d HEX

static char top[64];
static struct store store;

static void put(const char *name, size_t bytes)
{
	char text[20000];
	memset(text, 'x', sizeof(text));
	fd_auto int fd = openat(store.dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, bytes), 0);
	assert_int_equal(fsync(fd), 0);
}

static void tie(const char *from, const char *to)
{
	assert_int_equal(linkat(store.dir, from, store.dir, to, 0), 0);
}

static uint64_t disk(const char *name)
{
	struct stat st;
	assert_int_equal(fstatat(store.dir, name, &st, 0), 0);
	return (uint64_t)st.st_blocks * 512;
}

static int make_store(void **state)
{
	static const char *const dirs[] = { DIR_OF("b"), DIR_OF("b") "/fs", DIR_OF("b") "/fs/d", DIR_OF("0"),
					    DIR_OF("0") "/fs-opaque", DIR_OF("c"), DIR_OF("c") "/fs" };
	struct err e;
	(void)state;
	snprintf(top, sizeof(top), "/tmp/kist-unit.XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(store_open(top, true, &store, &e), 0);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		assert_int_equal(mkdirat(store.dir, dirs[i], 0755), 0);
	put(DIR_OF("b") "/fs/own", 5000);
	put(DIR_OF("b") "/fs/d/both", 9000);
	tie(DIR_OF("b") "/fs/d/both", DIR_OF("b") "/fs/d/twice");
	tie(DIR_OF("b") "/fs/d/both", DIR_OF("0") "/fs-opaque/both");
	put(DIR_OF("0") "/fs-opaque/all", 13000);
	tie(DIR_OF("0") "/fs-opaque/all", DIR_OF("b") "/fs/all");
	tie(DIR_OF("0") "/fs-opaque/all", DIR_OF("c") "/fs/all");
	return 0;
}

static int remove_store(void **state)
{
	(void)state;
	store_done(&store);
	return file_remove_tree(AT_FDCWD, top);
}

static void test_layers(void **state)
{
	struct err e;
	usage_auto struct usage u = { .n = 0 };
	uint64_t own = disk(DIR_OF("b") "/fs/own"), both = disk(DIR_OF("b") "/fs/d/both");
	uint64_t all = disk(DIR_OF("c") "/fs/all");
	(void)state;
	assert_int_equal(usage_read(&store, &u, &e), 0);
	assert_int_equal(u.n, 3);
	ptrdiff_t zero = usage_find(&u, ID_OF("0")), b = usage_find(&u, ID_OF("b")), c = usage_find(&u, ID_OF("c"));
	assert_true(zero == 0 && b == 1 && c == 2);
	assert_int_equal(usage_find(&u, ID_OF("f")), -1);
	assert_int_equal(u.layers[b].files, 3);
	assert_int_equal(u.layers[b].bytes, own + both + all);
	assert_int_equal(u.layers[b].shared_files, 2);
	assert_int_equal(u.layers[b].shared_bytes, both + all);
	assert_int_equal(u.layers[c].shared_bytes, all);
	assert_int_equal(u.files, 3);
	assert_int_equal(u.bytes, own + both + all);
	assert_int_equal(u.saved_files, 3);
	assert_int_equal(u.saved_bytes, both + 2 * all);
}

static void test_sets(void **state)
{
	struct err e;
	usage_auto struct usage u = { .n = 0 };
	uint64_t own = disk(DIR_OF("b") "/fs/own"), both = disk(DIR_OF("b") "/fs/d/both");
	uint64_t all = disk(DIR_OF("c") "/fs/all");
	(void)state;
	assert_int_equal(usage_read(&store, &u, &e), 0);
	const bool first_two[] = { true, true, false };
	assert_int_equal(usage_of(&u, first_two, false), own + both + all);
	assert_int_equal(usage_of(&u, first_two, true), own + both);
	const bool none[] = { false, false, false };
	assert_int_equal(usage_of(&u, none, false), 0);
}

static void test_empty(void **state)
{
	struct err e;
	usage_auto struct usage u = { .n = 0 };
	(void)state;
	assert_int_equal(usage_read(&STORE_NONE, &u, &e), 0);
	assert_true(u.n == 0 && u.bytes == 0);
	assert_int_equal(usage_find(&u, ID_OF("b")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_empty),
	};
	return cmocka_run_group_tests(tests, make_store, remove_store);
}
