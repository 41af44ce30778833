/* SPDX-License-Identifier: Apache-2.0 */
/* The wire format of util/pb and the rows of runtime/mount_table, both against texts written out by hand. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/mount_table.h"
#include "util/pb.h"

/* The examples of the encoding's own description: field 1 = 150, field 2 = "testing". */
static void test_write(void **state)
{
	(void)state;
	str_auto struct str s = STR_MAX(1000);
	pb_number(&s, 1, 150);
	pb_text(&s, 2, "testing");
	assert_int_equal(s.len, 12);
	assert_memory_equal(s.p, "\x08\x96\x01\x12\x07testing", 12);
	s.len = 0;
	pb_flag(&s, 3, false);
	assert_int_equal(s.len, 0);
	pb_flag(&s, 3, true);
	pb_number(&s, 64, -1);
	assert_memory_equal(s.p, "\x18\x01\x80\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 14);
}

static void test_read(void **state)
{
	(void)state;
	static const unsigned char bytes[] =
		"\x08\x96\x01\x12\x07testing\x1d\x04\x03\x02\x01\x21\x08\x07\x06\x05\x04\x03\x02\x01";
	struct pb_in in = { bytes, bytes + sizeof(bytes) - 1 };
	struct pb_field f;
	assert_int_equal(pb_next(&in, &f), 1);
	assert_int_equal(f.number, 1);
	assert_int_equal(f.value, 150);
	assert_null(f.bytes);
	assert_int_equal(pb_next(&in, &f), 1);
	assert_int_equal(f.number, 2);
	assert_int_equal(f.len, 7);
	assert_memory_equal(f.bytes, "testing", 7);
	assert_int_equal(pb_next(&in, &f), 1);
	assert_int_equal(f.value, 0x01020304);
	assert_int_equal(pb_next(&in, &f), 1);
	assert_int_equal(f.value, 0x0102030405060708);
	assert_int_equal(pb_next(&in, &f), 0);
}

static void test_read_broken(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "\x08", 1 },                 /* no value */
		{ "\x08\x96", 2 },             /* a value without an end */
		{ "\x12\x07test", 6 },         /* fewer bytes than said */
		{ "\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10 }, /* a length beyond all memory */
		{ "\x1d\x01\x02", 3 },         /* a cut fixed32 */
		{ "\x0b", 1 },                 /* a group */
		{ "\x02\x00", 2 },             /* field 0 */
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 }, /* more than 64 bits */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const unsigned char *p = (const unsigned char *)rows[i].bytes;
		struct pb_in in = { p, p + rows[i].len };
		struct pb_field f;
		assert_int_equal(pb_next(&in, &f), -EBADMSG);
	}
}

static void test_mountinfo(void **state)
{
	(void)state;
	char text[] = "41 49 254:0 /b/rootfs / rw,relatime - ext4 /dev/vda rw\n"
		      "55 41 0:36 / /proc rw shared:1 master:2 - proc proc rw\n"
		      "no mount at all\n"
		      "56 41 0:37 /a\\040b /c\\134d\\011e rw - tmpfs tmpfs rw,size=4k\n"
		      "57 41 0:37 /cut";
	struct arena arena_auto a = { 0 };
	struct mount_table m;
	mount_table_parse(text, &a, &m);
	assert_int_equal(m.n, 3);
	assert_string_equal(m.v[0].root, "/b/rootfs");
	assert_string_equal(m.v[0].point, "/");
	assert_string_equal(m.v[1].type, "proc");
	assert_string_equal(m.v[1].device, "0:36");
	assert_string_equal(m.v[2].root, "/a b");
	assert_string_equal(m.v[2].point, "/c\\d\te");
	assert_ptr_equal(mount_table_find(&m, 55), &m.v[1]);
	assert_int_equal(mount_table_find(&m, 56)->parent, 41);
	assert_null(mount_table_find(&m, 57));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_broken),
		cmocka_unit_test(test_mountinfo),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
