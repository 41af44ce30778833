/* SPDX-License-Identifier: Apache-2.0 */
/* util/fd: trees that were made to be hard to remove. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fd.h"

static int new_dir(char *path)
{
	assert_non_null(mkdtemp(path));
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Deeper than the descriptors that a process may have. */
static void deep_tree(void **state)
{
	(void)state;
	char path[] = "/tmp/kist-fd.XXXXXX";
	fd_auto int top = new_dir(path);
	const struct rlimit few = { 128, 128 };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(mkdirat(top, "t", 0700), 0);
	int at = openat(top, "t", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(mkdirat(at, "d", 0700), 0);
		assert_int_equal(mknodat(at, "f", S_IFREG | 0600, 0), 0);
		int next = openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(file_remove_tree(top, "t"), 0);
	assert_int_equal(faccessat(top, "t", F_OK, 0), -1);
	assert_int_equal(rmdir(path), 0);
}

/* A symlink goes, what it leads to stays. */
static void links_are_not_followed(void **state)
{
	(void)state;
	char path[] = "/tmp/kist-fd.XXXXXX";
	fd_auto int top = new_dir(path);
	assert_int_equal(mkdirat(top, "keep", 0700), 0);
	assert_int_equal(mknodat(top, "keep/file", S_IFREG | 0600, 0), 0);
	assert_int_equal(mkdirat(top, "t", 0700), 0);
	assert_int_equal(symlinkat("../keep", top, "t/link"), 0);
	assert_int_equal(symlinkat("keep", top, "link"), 0);
	assert_int_equal(file_remove_tree(top, "t"), 0);
	assert_int_equal(file_remove_tree(top, "link"), 0);
	assert_int_equal(faccessat(top, "keep/file", F_OK, 0), 0);
	assert_int_equal(file_remove_tree(top, "keep"), 0);
	assert_int_equal(file_remove_tree(top, "keep"), -ENOENT);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deep_tree),
		cmocka_unit_test(links_are_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
