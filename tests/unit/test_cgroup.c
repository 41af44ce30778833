/* SPDX-License-Identifier: Apache-2.0 */
/* Where groups go, and the numbers of cgroup v1 as those of v2: all of cgroup/ that needs no kernel. */
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

#include "cgroup/attr.h"
#include "cgroup/controllers.h"
#include "cgroup/convert.h"
#include "cgroup/place.h"
#include "cgroup/stat.h"
#include "cgroup/stat_more.h"
#include "cgroup/tree.h"
#include "util/fd.h"
#include "util/mem.h"

static void mount_table(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "36 35 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup" },
		{ "25 1 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
		  "36 25 0:26 / /mnt/a\\040b rw - cgroup2 none rw", "/mnt/a b" },
		{ "36 35 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", NULL },
		{ "36 35 0:26 / /a\\134040b rw - cgroup2 x rw\n", "/a\\040b" },
		{ "36 35 - cgroup2 x", NULL },
		{ "", NULL },
	};
	(void)state;
	arena_auto struct arena a = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = cgroup_tree_parse(&a, rows[i].text);
		if (rows[i].want)
			assert_string_equal(got, rows[i].want);
		else
			assert_null(got);
	}
}

static void own_group(void **state)
{
	(void)state;
	arena_auto struct arena a = { 0 };
	assert_string_equal(cgroup_own_parse(&a, "0::/user.slice/x\n"), "/user.slice/x");
	assert_string_equal(cgroup_own_parse(&a, "9:name=systemd:/\n4:memory:/a\n0::/\n"), "/");
	assert_null(cgroup_own_parse(&a, "4:memory:/a\n10::/\n"));
	assert_null(cgroup_own_parse(&a, ""));
}

static void places(void **state)
{
	static const struct cgroup_own root = { .path = "/" };
	static const struct cgroup_own plain = { .path = "/system.slice/cron.service" };
	static const struct cgroup_own ours = { .path = "/u.slice/run.scope", .base = "/u.slice/run.scope" };
	static const struct {
		const char *spec;
		const struct cgroup_own *own;
		const char *want;
		size_t base_len;
		bool is_chosen;
	} rows[] = {
		{ NULL, &root, "kist-web", 0, true },
		{ "", &root, "kist-web", 0, true },
		{ NULL, &plain, "kist-web", 0, true },
		{ NULL, &ours, "u.slice/run.scope/kist-web", 17, true },
		{ "/a/b", NULL, "a/b", 0, false },
		{ "/a/b/", NULL, "a/b", 0, false },
		{ "/a/b", &ours, "a/b", 0, false },
		{ "a/b", &root, "a/b", 0, false },
		{ "a/b", &ours, "u.slice/run.scope/a/b", 17, false },
		{ "/a:b:c", NULL, "a:b:c", 0, false },
		{ "/machine.slice/libpod-1.scope", NULL, "machine.slice/libpod-1.scope", 0, false },
	};
	(void)state;
	arena_auto struct arena a = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cgroup_place p;
		struct err e;
		assert_int_equal(cgroup_place(rows[i].spec, "web", rows[i].own, &a, &p, &e), 0);
		assert_string_equal(p.path, rows[i].want);
		assert_int_equal(p.base_len, rows[i].base_len);
		assert_int_equal(p.is_chosen, rows[i].is_chosen);
		assert_true(cgroup_path_is_sound(p.path));
	}
}

static void wrong_places(void **state)
{
	static const struct { const char *spec, *want; } rows[] = {
		{ "/", "names the root" }, { "/..", "\"..\"" }, { "/a/../b", "\"..\"" }, { "../b", "\"..\"" },
		{ "/a//b", "empty component" }, { "//a", "empty component" }, { "/a/./b", "\".\"" },
		{ "/a\nb", "newline" }, { "system.slice:kist:web", "systemd" }, { "-:a:b", "systemd" },
	};
	static const struct cgroup_own root = { .path = "/" };
	struct cgroup_place p;
	struct err e;
	(void)state;
	arena_auto struct arena a = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(cgroup_place(rows[i].spec, "web", &root, &a, &p, &e), -EINVAL);
		assert_non_null(strstr(e.text, rows[i].want));
		assert_ptr_equal(strstr(e.text, "linux.cgroupsPath: "), e.text);
	}
	char name[300];
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(cgroup_place(name, "web", &root, &a, &p, &e), -EINVAL);
	assert_int_equal(cgroup_place(NULL, name, &root, &a, &p, &e), -EINVAL);
	assert_int_equal(cgroup_place(NULL, "a/b", &root, &a, &p, &e), -EINVAL);
}

/* Samples of ceil(10^((l*l + 125*l) / 612 - 7/34)), computed with libm; those at the end are near a whole number. */
static void shares(void **state)
{
	static const uint64_t rows[][2] = {
		{ 0, 1 }, { 1, 1 }, { 2, 1 }, { 4, 2 }, { 7, 3 }, { 11, 4 }, { 17, 5 }, { 26, 7 }, { 40, 9 }, { 61, 12 },
		{ 92, 16 }, { 139, 22 }, { 209, 30 }, { 314, 40 }, { 472, 55 }, { 709, 75 }, { 1024, 100 },
		{ 1064, 104 }, { 1597, 143 }, { 2396, 197 }, { 3595, 273 }, { 5393, 378 }, { 8090, 527 },
		{ 12136, 735 }, { 18205, 1028 }, { 27308, 1443 }, { 40963, 2029 }, { 61445, 2862 }, { 92168, 4046 },
		{ 138253, 5736 }, { 207380, 8152 }, { 262143, 10000 }, { 262144, 10000 }, { UINT64_MAX, 10000 },
		{ 200416, 7914 }, { 226073, 8789 }, { 230091, 8925 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(convert_shares(rows[i][0]), rows[i][1]);
	uint64_t before = 1;
	for (uint64_t s = 2; s <= 262144; s += 7) {
		uint64_t w = convert_shares(s);
		assert_true(w >= before && w <= 10000);
		before = w;
	}
}

static void io_weights(void **state)
{
	(void)state;
	assert_int_equal(convert_io_weight(10), 1);
	assert_int_equal(convert_io_weight(100), 910);
	assert_int_equal(convert_io_weight(500), 4950);
	assert_int_equal(convert_io_weight(1000), 10000);
}

static void swaps(void **state)
{
	static const struct { int64_t limit, swap; int ret; int64_t want; } rows[] = {
		{ 100, 300, 0, 200 }, { 100, 100, 0, 0 }, { 100, 99, -EINVAL, 0 }, { 100, -1, 0, -1 }, { 100, 0, 0, 0 },
		{ -1, 0, 0, -1 }, { -1, -1, 0, -1 }, { -1, 5, -EDOM, 0 }, { 0, 5, -EDOM, 0 }, { 0, -1, 0, -1 },
		{ 1, INT64_MAX, 0, INT64_MAX - 1 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = 0;
		assert_int_equal(convert_swap(rows[i].limit, rows[i].swap, &got), rows[i].ret);
		assert_true(got == rows[i].want);
	}
}

static void needs(void **state)
{
	struct cgroup_need need = { 0 };
	char name[CGROUP_NEED_MAX + 1][2];
	(void)state;
	assert_int_equal(cgroup_need_add(&need, "memory", "x"), 0);
	assert_int_equal(cgroup_need_add(&need, "memory", "y"), 0);
	assert_int_equal(need.n, 1);
	assert_string_equal(need.v[0].path, "x");
	int r = 0;
	for (size_t i = 0; i < ARRAY_LEN(name) && r == 0; i++) {
		name[i][0] = (char)('A' + i);
		name[i][1] = '\0';
		r = cgroup_need_add(&need, name[i], "z");
	}
	assert_int_equal(r, -E2BIG);
	assert_int_equal(need.n, CGROUP_NEED_MAX);
}

static int fake_dir(char path[static 32])
{
	memcpy(path, "/tmp/kist-unit.XXXXXX", 22);
	assert_non_null(mkdtemp(path));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void fake_file(int dir, const char *name, const char *text)
{
	assert_int_equal(file_replace(dir, name, text, strlen(text), 0644), 0);
}

static void fake_end(int dir, const char *path)
{
	fd_close(dir);
	assert_int_equal(file_remove_tree(AT_FDCWD, path), 0);
}

static void attributes(void **state)
{
	char path[32], buf[32];
	uint64_t v;
	(void)state;
	int dir = fake_dir(path);
	fake_file(dir, "n", "42\n");
	fake_file(dir, "max", "max\n");
	fake_file(dir, "bad", "4x\n");
	fake_file(dir, "long", "0123456789012345678901234567890123456789");
	assert_int_equal(attr_read(dir, "n", buf, sizeof(buf)), 2);
	assert_string_equal(buf, "42");
	assert_int_equal(attr_read(dir, "long", buf, sizeof(buf)), -EFBIG);
	assert_int_equal(attr_read(dir, "none", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(attr_u64(dir, "n", &v), 0);
	assert_int_equal(v, 42);
	assert_int_equal(attr_u64(dir, "max", &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(attr_u64(dir, "bad", &v), -EBADMSG);
	assert_int_equal(attr_key("oom_kill 3\noom 9", "oom", &v), 0);
	assert_int_equal(v, 9);
	assert_int_equal(attr_key("oom_kill 3", "kill", &v), -ENODATA);
	assert_true(attr_has_word("cpuset cpu io", "cpu"));
	assert_false(attr_has_word("cpuset io", "cpu"));
	fake_end(dir, path);
}

static void counters(void **state)
{
	char path[32];
	struct cgroup_stat st;
	struct err e;
	uint64_t oom = 7;
	(void)state;
	arena_auto struct arena a = { 0 };
	int dir = fake_dir(path);
	assert_int_equal(cgroup_stat_read(dir, &a, &st, &e), 0);
	assert_false(st.memory.current.has || st.cpu.usage_usec.has || st.pids.limit.has || st.io.n);
	assert_int_equal(cgroup_oom_count(dir, &oom), 0);
	assert_int_equal(oom, 0);
	fake_file(dir, "cpu.stat", "usage_usec 10\nuser_usec 6\nsystem_usec 4\n");
	fake_file(dir, "memory.current", "4096\n");
	fake_file(dir, "memory.max", "max\n");
	fake_file(dir, "memory.events", "low 0\nhigh 0\nmax 5\noom 2\noom_kill 1\noom_group_kill 0\n");
	fake_file(dir, "pids.current", "3\n");
	fake_file(dir, "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n7:1 \n254:16 rbytes=5 wios=6\n");
	assert_int_equal(cgroup_stat_read(dir, &a, &st, &e), 0);
	assert_int_equal(st.cpu.system_usec.v, 4);
	assert_false(st.cpu.nr_throttled.has);
	assert_true(st.memory.limit.has && st.memory.limit.v == UINT64_MAX);
	assert_int_equal(st.memory.current.v, 4096);
	assert_int_equal(st.memory.oom_kill.v, 1);
	assert_int_equal(st.memory.oom.v, 2);
	assert_int_equal(st.pids.current.v, 3);
	assert_int_equal(st.io.n, 2);
	assert_int_equal(st.io.v[0].wios, 4);
	assert_int_equal(st.io.v[1].minor, 16);
	assert_int_equal(st.io.v[1].rbytes, 5);
	assert_int_equal(cgroup_oom_count(dir, &oom), 0);
	assert_int_equal(oom, 1);
	fake_end(dir, path);
}

static void more_counters(void **state)
{
	(void)state;
	struct cgroup_stat_more m;
	char path[32];
	arena_auto struct arena a = { 0 };
	int dir = fake_dir(path);
	cgroup_stat_more(dir, &a, &m);
	assert_false(m.cpu.has || m.memory.has || m.io.has);
	assert_int_equal(m.hugetlb_count + m.raw_count, 0);
	assert_null(m.cpus);
	fake_file(dir, "cpu.pressure", "some avg10=1.25 avg60=0.50 avg300=0.00 total=77\n");
	fake_file(dir, "io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"
				      "full avg10=99.00 avg60=0.00 avg300=3.10 total=18446744073709551615\n");
	fake_file(dir, "memory.pressure", "nonsense\n");
	fake_file(dir, "memory.stat", "anon 1\nfile 2\n");
	fake_file(dir, "hugetlb.2MB.current", "2097152\n");
	fake_file(dir, "hugetlb.2MB.rsvd.current", "4194304\n");
	fake_file(dir, "hugetlb.2MB.events", "max 3\n");
	fake_file(dir, "hugetlb.1GB.current", "0\n");
	fake_file(dir, "cpuset.cpus.effective", "0-1,3\n");
	cgroup_stat_more(dir, &a, &m);
	assert_true(m.cpu.has && m.cpu.some.avg10 == 1.25 && m.cpu.some.total == 77 && m.cpu.full.total == 0);
	assert_true(m.io.full.avg10 == 99 && m.io.full.total == UINT64_MAX);
	assert_false(m.memory.has);
	assert_int_equal(m.raw_count, 2);
	assert_string_equal(m.raw[1].key, "file");
	assert_int_equal(m.hugetlb_count, 2);
	const struct stat_hugetlb *two = strcmp(m.hugetlb[0].size, "2MB") == 0 ? &m.hugetlb[0] : &m.hugetlb[1];
	assert_int_equal(two->usage, 4194304);
	assert_int_equal(two->failcnt, 3);
	assert_string_equal(m.cpus, "0-1,3");
	fake_end(dir, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mount_table), cmocka_unit_test(own_group),  cmocka_unit_test(places),
		cmocka_unit_test(wrong_places), cmocka_unit_test(shares),    cmocka_unit_test(io_weights),
		cmocka_unit_test(swaps),       cmocka_unit_test(needs),      cmocka_unit_test(attributes),
		cmocka_unit_test(counters),    cmocka_unit_test(more_counters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
