/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/criu_record: images may come from anywhere, and what their record says is not believed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/criu_record.h"
#include "util/fd.h"
#include "util/mem.h"

#define STREAM(fd, resource) "{\"fd\":" #fd ",\"resource\":\"" resource "\"}"

/* Reads a record with these members behind the version. */
static int read_record(const char *members, struct err *e)
{
	char dir[] = "/tmp/kist-test-criu.XXXXXX";
	free_auto char *text = mem_fmt("{\"version\":%d%s}", CRIU_RECORD_VERSION, members);
	assert_non_null(mkdtemp(dir));
	fd_auto int images = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct criu_record r criu_record_auto = { 0 };
	assert_int_equal(file_replace(images, "kist.json", text, strlen(text), 0600), 0);
	err_clear(e);
	int n = criu_record_read(images, &r, e);
	unlinkat(images, "kist.json", 0);
	rmdir(dir);
	return n;
}

static void test_good(void **state)
{
	(void)state;
	struct err e;
	assert_int_equal(read_record("", &e), 0);
	assert_int_equal(read_record(",\"streams\":[" STREAM(0, "pipe:[12]") "," STREAM(1, "file[1d:2f]") ","
				     STREAM(2, "socket:[7]") "]", &e), 0);
}

static void test_bad(void **state)
{
	(void)state;
	static const struct {
		const char *members, *words;
	} rows[] = {
		{ ",\"mounts\":[{\"mountpoint\":\"/a]\",\"source\":\"null\"}]", "mounts[0].mountpoint" },
		{ ",\"mounts\":[{\"mountpoint\":\"/a\",\"source\":\"bind\"}]", "mounts[0].destination" },
		{ ",\"targets\":[{\"path\":\"a\"}]", "targets[0].path" },
		{ ",\"streams\":[" STREAM(3, "pipe:[12]") "]", "streams[0].fd" },
		{ ",\"streams\":[" STREAM(0, "pipe:[12]") "," STREAM(1, "pipe:[13]") "," STREAM(0, "pipe:[14]") "]",
		  "streams[2].fd" },
		{ ",\"streams\":[" STREAM(0, "extRootPidNS") "]", "streams[0].resource" },
		{ ",\"streams\":[" STREAM(0, "file[1:2]:x") "]", "streams[0].resource" },
		{ ",\"namespaces\":[\"user\"]", "namespaces[0]" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;
		assert_int_equal(read_record(rows[i].members, &e), -EINVAL);
		assert_non_null(strstr(e.text, rows[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
