/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources as writes: each conversion, what is refused, and how a plan reaches the files of a (plain) directory. */
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

#include "cgroup/limits.h"
#include "util/fd.h"
#include "util/mem.h"

#define SET(x) { .has = true, .v = (x) }

/* All writes as "file=value[|alt=value] ", defaults with a "~" before them. */
static const char *text_of(struct arena *a, const struct cgroup_limits *l)
{
	str_auto struct str s = STR_MAX(4096);
	str_puts(&s, "");
	for (size_t i = 0; i < l->n; i++) {
		const struct cgroup_write *w = &l->v[i];
		str_fmt(&s, "%s%s%s=%s", i ? "; " : "", w->is_default ? "~" : "", w->file, w->value);
		if (w->alt_file)
			str_fmt(&s, "|%s=%s", w->alt_file, w->alt_value);
	}
	return arena_str(a, s.p ? s.p : "");
}

static void assert_plan(const struct spec_resources *r, const char *want)
{
	struct cgroup_limits l;
	struct err e;
	arena_auto struct arena a = { 0 };
	assert_int_equal(limits_plan(r, "linux.resources.", &a, &l, &e), 0);
	assert_string_equal(text_of(&a, &l), want);
}

static void assert_refused(const struct spec_resources *r, int ret, const char *want)
{
	struct cgroup_limits l = { .n = 77 };
	struct err e;
	arena_auto struct arena a = { 0 };
	assert_int_equal(limits_plan(r, "linux.resources.", &a, &l, &e), ret);
	if (!strstr(e.text, want))
		fail_msg("\"%s\" is not in \"%s\"", want, e.text);
	assert_int_equal(l.n, 77);
}

static void memory(void **state)
{
	static const struct { struct spec_memory m; const char *want; } rows[] = {
		{ { .limit = SET(67108864) }, "memory.max=67108864" },
		{ { .limit = SET(0) }, "" },
		{ { .limit = SET(-1) }, "~memory.max=max; ~memory.swap.max=max" },
		{ { .limit = SET(100), .swap = SET(100) }, "memory.max=100; memory.swap.max=0" },
		{ { .limit = SET(100), .swap = SET(300) }, "memory.max=100; memory.swap.max=200" },
		{ { .limit = SET(100), .swap = SET(-1) }, "memory.max=100; ~memory.swap.max=max" },
		{ { .swap = SET(-1) }, "~memory.swap.max=max" },
		{ { .reservation = SET(5) }, "memory.low=5" },
		{ { .reservation = SET(0) }, "~memory.low=0" },
		{ { .reservation = SET(-1) }, "memory.low=max" },
		{ { .use_hierarchy = SET(true), .disable_oom_killer = SET(false) }, "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec_memory m = rows[i].m;
		assert_plan(&(struct spec_resources){ .memory = &m }, rows[i].want);
	}
}

static void wrong_memory(void **state)
{
	static const struct { struct spec_memory m; int ret; const char *want; } rows[] = {
		{ { .limit = SET(-2) }, -EINVAL, "linux.resources.memory.limit: -2 is neither" },
		{ { .swap = SET(5) }, -EINVAL, "linux.resources.memory.swap: needs a memory limit" },
		{ { .limit = SET(9), .swap = SET(5) }, -EINVAL, "memory.swap: 5 is below the memory limit 9" },
		{ { .limit = SET(-1), .swap = SET(5) }, -EINVAL, "memory.swap: needs a memory limit" },
		{ { .limit = SET(9), .swap = SET(-2) }, -EINVAL, "memory.swap: -2" },
		{ { .kernel = SET(1) }, -EOPNOTSUPP, "memory.kernel: cgroup v2 has nothing" },
		{ { .kernel_tcp = SET(1) }, -EOPNOTSUPP, "memory.kernelTCP" },
		{ { .swappiness = SET(0) }, -EOPNOTSUPP, "memory.swappiness" },
		{ { .disable_oom_killer = SET(true) }, -EOPNOTSUPP, "memory.disableOOMKiller" },
		{ { .use_hierarchy = SET(false) }, -EOPNOTSUPP, "memory.useHierarchy" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec_memory m = rows[i].m;
		assert_refused(&(struct spec_resources){ .memory = &m }, rows[i].ret, rows[i].want);
	}
}

static void cpu(void **state)
{
	static const struct { struct spec_cpu c; const char *want; } rows[] = {
		{ { .shares = SET(1024) }, "~cpu.weight=100" },
		{ { .shares = SET(512) }, "cpu.weight=59" },
		{ { .shares = SET(0) }, "" },
		{ { .shares = SET(2) }, "cpu.weight=1" },
		{ { .quota = SET(20000), .period = SET(100000) }, "cpu.max=20000 100000" },
		{ { .quota = SET(20000) }, "cpu.max=20000" },
		{ { .quota = SET(-1), .period = SET(50000) }, "cpu.max=max 50000" },
		{ { .quota = SET(-1), .period = SET(100000) }, "~cpu.max=max 100000" },
		{ { .quota = SET(-1) }, "~cpu.max=max" },
		{ { .quota = SET(0) }, "" },
		{ { .period = SET(50000) }, "cpu.max=max 50000" },
		{ { .period = SET(0) }, "" },
		{ { .quota = SET(50000), .burst = SET(1000) }, "cpu.max.burst=1000; cpu.max=50000" },
		{ { .idle = SET(1), .shares = SET(512) }, "cpu.idle=1" },
		{ { .idle = SET(0), .shares = SET(512) }, "~cpu.idle=0; cpu.weight=59" },
		{ { .cpus = "0-1", .mems = "0" }, "cpuset.cpus=0-1; cpuset.mems=0" },
		{ { .cpus = "", .mems = "" }, "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec_cpu c = rows[i].c;
		assert_plan(&(struct spec_resources){ .cpu = &c }, rows[i].want);
	}
	struct spec_cpu idle = { .idle = SET(2) }, rt = { .realtime_runtime = SET(1) }, rtp = { .realtime_period = SET(1) };
	struct spec_cpu line = { .cpus = "0\n1" };
	assert_refused(&(struct spec_resources){ .cpu = &idle }, -EINVAL, "cpu.idle: 2 is neither 0 nor 1");
	assert_refused(&(struct spec_resources){ .cpu = &rt }, -EOPNOTSUPP, "cpu.realtimeRuntime");
	assert_refused(&(struct spec_resources){ .cpu = &rtp }, -EOPNOTSUPP, "cpu.realtimePeriod");
	assert_refused(&(struct spec_resources){ .cpu = &line }, -EINVAL, "cpu.cpus: holds a newline");
}

static void pids(void **state)
{
	static const struct { struct spec_pids p; const char *want; } rows[] = {
		{ { SET(20) }, "pids.max=20" }, { { SET(0) }, "pids.max=0" }, { { SET(-1) }, "~pids.max=max" },
		{ { .limit = { 0 } }, "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec_pids p = rows[i].p;
		assert_plan(&(struct spec_resources){ .pids = &p }, rows[i].want);
	}
}

static void block_io(void **state)
{
	struct spec_throttle_device r1[] = { { SET(8), SET(0), SET(1048576) }, { SET(8), SET(16), SET(0) } };
	struct spec_throttle_device w1[] = { { SET(8), SET(0), SET(5) } };
	struct spec_weight_device d[] = { { SET(8), SET(0), SET(1000), { 0 } } };
	struct spec_block_io io = {
		.weight = SET(500), .weight_device = { d, 1 }, .throttle_read_bps = { r1, 2 },
		.throttle_write_iops = { w1, 1 },
	};
	(void)state;
	assert_plan(&(struct spec_resources){ .block_io = &io },
		    "io.bfq.weight=500|io.weight=4950; io.bfq.weight=8:0 1000|io.weight=8:0 10000; "
		    "io.max=8:0 rbps=1048576; ~io.max=8:16 rbps=max; io.max=8:0 wiops=5");
	struct spec_block_io plain = { .weight = SET(100) }, none = { .weight = SET(0) }, low = { .weight = SET(9) };
	struct spec_block_io leaf = { .leaf_weight = SET(10) };
	assert_plan(&(struct spec_resources){ .block_io = &plain }, "~io.bfq.weight=100|io.weight=910");
	assert_plan(&(struct spec_resources){ .block_io = &none }, "");
	assert_refused(&(struct spec_resources){ .block_io = &low }, -EINVAL, "blockIO.weight: 9 is not between");
	assert_refused(&(struct spec_resources){ .block_io = &leaf }, -EOPNOTSUPP, "blockIO.leafWeight");
	d[0].leaf_weight = (struct opt_u32)SET(10);
	assert_refused(&(struct spec_resources){ .block_io = &io }, -EOPNOTSUPP, "blockIO.weightDevice[0]");
	d[0].leaf_weight.v = 0;
	r1[1].minor.has = false;
	assert_refused(&(struct spec_resources){ .block_io = &io }, -EINVAL, "blockIO.throttleReadBpsDevice[1]");
}

static void lists(void **state)
{
	struct spec_hugepage h[] = { { "2MB", SET(4194304) }, { "1GB", SET(UINT64_MAX) } };
	struct spec_rdma d[] = { { "mlx5_1", SET(3), SET(100) }, { "mlx4_0", { 0 }, SET(7) } };
	struct spec_resources r = { .hugepage_limits = { h, 2 }, .rdma = { d, 2 } };
	(void)state;
	assert_plan(&r, "hugetlb.2MB.rsvd.max=4194304|hugetlb.2MB.max=4194304; "
		    "hugetlb.1GB.rsvd.max=18446744073709551615|hugetlb.1GB.max=18446744073709551615; "
		    "rdma.max=mlx5_1 hca_handle=3 hca_object=100; rdma.max=mlx4_0 hca_object=7");
	static const char *const sizes[] = { "2", "MB", "2mb", "../2MB", "2MB/", "2 MB", "" };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		h[1].page_size = sizes[i];
		assert_refused(&r, -EINVAL, "hugepageLimits[1]: pageSize must be like 2MB");
	}
	h[1].page_size = "2MB";
	d[1].key = "a b";
	assert_refused(&r, -EINVAL, "rdma.a b: is not the name");
	struct spec_network net = { .class_id = SET(1) };
	assert_refused(&(struct spec_resources){ .network = &net }, -EOPNOTSUPP, "network.classID");
}

static void unified(void **state)
{
	struct pair v[] = {
		{ "io.max", "8:0 rbps=1\n8:16 rbps=2\n" }, { "memory.high", "5" }, { "hugetlb.2MB.max", "0" },
		{ "cgroup.max.depth", "3" }, { "memory.pressure", "some 1 2" }, { "novel.thing", "x" },
	};
	struct spec_resources r = { .unified = { v, ARRAY_LEN(v) } };
	struct cgroup_limits l;
	struct err e;
	(void)state;
	arena_auto struct arena a = { 0 };
	assert_int_equal(limits_plan(&r, "linux.resources.", &a, &l, &e), 0);
	assert_string_equal(text_of(&a, &l), "io.max=8:0 rbps=1; io.max=8:16 rbps=2; memory.high=5; hugetlb.2MB.max=0; "
			    "cgroup.max.depth=3; memory.pressure=some 1 2; novel.thing=x");
	assert_int_equal(l.need.n, 4);
	assert_string_equal(l.need.v[0].name, "io");
	assert_string_equal(l.need.v[3].name, "novel");
	assert_string_equal(l.need.v[3].path, "linux.resources.unified.novel.thing");
	static const char *const keys[] = {
		"../memory.max", "memory/max", "memory..max", "memory", ".max", "memory.", "memory.max ", "Memory.max", "",
		"cgroup.procs", "cgroup.kill", "cgroup.freeze", "cgroup.threads",
	};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		v[1].key = keys[i];
		assert_refused(&r, -EINVAL, "linux.resources.unified.");
	}
	v[1] = (struct pair){ "memory.high", "\n\n" };
	assert_refused(&r, -EINVAL, "linux.resources.unified.memory.high: is empty");
}

/* What is last wins in the file: the free map comes after the keys of the spec. */
static void order_and_need(void **state)
{
	struct spec_memory m = { .limit = SET(5) };
	struct spec_cpu c = { .shares = SET(1024), .quota = SET(-1) };
	struct spec_pids p = { SET(-1) };
	struct pair v[] = { { "memory.max", "7" } };
	struct spec_resources r = { .memory = &m, .cpu = &c, .pids = &p, .unified = { v, 1 } };
	struct cgroup_limits l;
	struct err e;
	(void)state;
	arena_auto struct arena a = { 0 };
	assert_int_equal(limits_plan(&r, "", &a, &l, &e), 0);
	assert_string_equal(l.v[l.n - 1].value, "7");
	assert_string_equal(l.v[0].path, "memory.limit");
	/* Defaults need no controller: podman's and Docker's shares of 1024 work where there is none. */
	assert_int_equal(l.need.n, 1);
	assert_string_equal(l.need.v[0].name, "memory");
	assert_int_equal(limits_plan(NULL, "", &a, &l, &e), 0);
	assert_int_equal(l.n, 0);
}

/* ---- the second stage, on a plain directory ---- */

struct fake {
	char path[32];
	int fd;
};

static int fake_up(void **state)
{
	struct fake *f = mem_zero(1, sizeof(*f));
	memcpy(f->path, "/tmp/kist-unit.XXXXXX", 22);
	if (!mkdtemp(f->path))
		return -1;
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return f->fd < 0;
}

static int fake_down(void **state)
{
	struct fake *f = *state;
	fd_close(f->fd);
	int r = file_remove_tree(AT_FDCWD, f->path);
	free(f);
	return r;
}

static void put(const struct fake *f, const char *name, const char *text)
{
	assert_int_equal(file_replace(f->fd, name, text, strlen(text), 0644), 0);
}

static void assert_file(const struct fake *f, const char *name, const char *want)
{
	free_auto char *text = NULL;
	assert_int_equal(file_read(f->fd, name, 100, false, &text, NULL), 0);
	assert_string_equal(text, want);
}

static void apply(void **state)
{
	const struct fake *f = *state;
	struct cgroup_write w[] = {
		{ .path = "a", .file = "memory.max", .value = "5" },
		{ .path = "b", .file = "cpu.weight", .value = "100", .is_default = true },
		{ .path = "c", .file = "io.bfq.weight", .value = "1", .alt_file = "io.weight", .alt_value = "2" },
		{ .path = "d", .file = "memory.swap.max", .value = "0" },
		{ .path = "e", .file = "cpu.max", .value = "max 50000", .keeps_quota = true },
	};
	struct cgroup_limits l = { .v = w, .n = ARRAY_LEN(w) };
	struct err e;
	put(f, "memory.max", "");
	put(f, "io.weight", "");
	put(f, "cpu.max", "20000 1");
	assert_int_equal(limits_apply(f->fd, &l, false, &e), 0);
	assert_file(f, "memory.max", "5");
	assert_file(f, "io.weight", "2");
	assert_file(f, "cpu.max", "20000 50000");
	put(f, "cpu.weight", "-");
	assert_int_equal(limits_apply(f->fd, &l, true, &e), 0);
	assert_file(f, "cpu.weight", "-");
	assert_int_equal(limits_apply(f->fd, &l, false, &e), 0);
	assert_file(f, "cpu.weight", "100");
}

/* With pids.max at 0 clone3(2) fails, so it comes after. What unified says of it still comes behind. */
static void no_process_more(void **state)
{
	const struct fake *f = *state;
	struct spec_pids p = { .limit = SET(0) };
	struct spec_resources r = { .pids = &p };
	struct cgroup_limits l;
	struct err e;
	arena_auto struct arena a = { 0 };
	assert_int_equal(limits_plan(&r, "", &a, &l, &e), 0);
	put(f, "pids.max", "-");
	assert_int_equal(limits_apply_first(f->fd, &l, true, &e), 0);
	assert_file(f, "pids.max", "-");
	assert_int_equal(limits_apply_last(f->fd, &l, &e), 0);
	assert_file(f, "pids.max", "0");
	r.unified = (struct pairs){ .v = &(struct pair){ "pids.max", "7" }, .n = 1 };
	assert_int_equal(limits_plan(&r, "", &a, &l, &e), 0);
	assert_int_equal(limits_apply_last(f->fd, &l, &e), 0);
	assert_file(f, "pids.max", "7");
	r.unified.n = 0;
	p.limit.v = 3;
	assert_int_equal(limits_plan(&r, "", &a, &l, &e), 0);
	assert_true(l.has_last);
	p.limit.v = 4;
	r.unified.n = 1;
	assert_int_equal(limits_plan(&r, "", &a, &l, &e), 0);
	put(f, "pids.max", "-");
	assert_int_equal(limits_apply_last(f->fd, &l, &e), 0);
	assert_file(f, "pids.max", "-");
	assert_int_equal(limits_apply_first(f->fd, &l, true, &e), 0);
	assert_file(f, "pids.max", "7");
}

static void apply_fails(void **state)
{
	const struct fake *f = *state;
	struct cgroup_write one = { .path = "linux.resources.pids.limit", .file = "pids.max", .value = "5" };
	struct cgroup_write two = { .path = "p", .file = "a", .value = "5", .alt_file = "b", .alt_value = "6" };
	struct cgroup_write dir = { .path = "linux.resources.memory.limit", .file = "memory.max", .value = "1" };
	struct err e;
	assert_int_equal(limits_apply(f->fd, &(struct cgroup_limits){ .v = &one, .n = 1 }, true, &e), -EOPNOTSUPP);
	assert_string_equal(e.text, "linux.resources.pids.limit: this kernel does not offer pids.max");
	assert_int_equal(limits_apply(f->fd, &(struct cgroup_limits){ .v = &two, .n = 1 }, true, &e), -EOPNOTSUPP);
	assert_string_equal(e.text, "p: this kernel offers neither a nor b");
	assert_int_equal(symlinkat("pids.max", f->fd, "memory.max"), 0);
	assert_int_equal(limits_apply(f->fd, &(struct cgroup_limits){ .v = &dir, .n = 1 }, true, &e), -ELOOP);
	assert_string_equal(e.text, "linux.resources.memory.limit: memory.max 1: Too many levels of symbolic links");
}

static void usage(void **state)
{
	const struct fake *f = *state;
	struct spec_memory m = { .limit = SET(4096) };
	struct spec_resources r = { .memory = &m };
	struct err e;
	assert_int_equal(limits_check_usage(f->fd, &r, "", &e), 0);
	m.check_before_update = (struct opt_bool)SET(true);
	put(f, "memory.current", "4095\n");
	assert_int_equal(limits_check_usage(f->fd, &r, "", &e), 0);
	put(f, "memory.current", "4096\n");
	assert_int_equal(limits_check_usage(f->fd, &r, "", &e), -EBUSY);
	assert_non_null(strstr(e.text, "memory.limit: 4096 is not above the 4096 bytes"));
	m.limit.v = -1;
	assert_int_equal(limits_check_usage(f->fd, &r, "", &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory),
		cmocka_unit_test(wrong_memory),
		cmocka_unit_test(cpu),
		cmocka_unit_test(pids),
		cmocka_unit_test(block_io),
		cmocka_unit_test(lists),
		cmocka_unit_test(unified),
		cmocka_unit_test(order_and_need),
		cmocka_unit_test_setup_teardown(apply, fake_up, fake_down),
		cmocka_unit_test_setup_teardown(no_process_more, fake_up, fake_down),
		cmocka_unit_test_setup_teardown(apply_fails, fake_up, fake_down),
		cmocka_unit_test_setup_teardown(usage, fake_up, fake_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
