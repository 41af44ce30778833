/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup/resctrl on a made-up tree: what is decided, made, written, compared and removed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup/resctrl.h"
#include "util/fd.h"
#include "util/mem.h"

static char top[] = "/tmp/kist-resctrl.XXXXXX";
static int base = -1;
static struct arena arena;
static struct err e;
static struct resctrl r;

static void put(const char *name, const char *text)
{
	fd_auto int fd = openat(base, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void assert_holds(const char *name, const char *want)
{
	free_auto char *text = NULL;
	assert_int_equal(file_read(base, name, 4096, false, &text, NULL), 0);
	assert_string_equal(text, want);
}

/* A directory with the files that the kernel puts there. */
static void put_group(const char *dir, const char *schemata)
{
	char name[128];
	assert_true(mkdirat(base, dir, 0755) == 0 || errno == EEXIST);
	snprintf(name, sizeof(name), "%s/mon_groups", dir);
	assert_true(mkdirat(base, name, 0755) == 0 || errno == EEXIST);
	snprintf(name, sizeof(name), "%s/tasks", dir);
	put(name, "");
	snprintf(name, sizeof(name), "%s/schemata", dir);
	put(name, schemata);
}

static int make_tree(void **state)
{
	(void)state;
	memcpy(strrchr(top, '.'), ".XXXXXX", sizeof(".XXXXXX"));
	if (!mkdtemp(top) || (base = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	put_group(".", "    MB:0=100;1=100\n    L3:0=fffff;1=fffff\n");
	put_group("web", "    MB:0= 20;1= 70\n    L3:0=0007f;1=fffff\n");
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	fd_drop(&base);
	arena_done(&arena);
	arena = (struct arena){ 0 };
	return file_remove_tree(AT_FDCWD, top);
}

static void no_mount_is_an_error(void **state)
{
	(void)state;
	fd_auto int fd = resctrl_open(&e);
	if (fd >= 0)
		skip();
	assert_int_equal(fd, -ENODEV);
	assert_non_null(strstr(e.text, "linux.intelRdt: no resctrl file system is mounted on /sys/fs/resctrl"));
}

/* ---- which class ---- */

static void without_an_id_the_class_is_the_containers(void **state)
{
	(void)state;
	const struct spec_intel_rdt want = { .l3_cache_schema = "L3:0=f" };
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), 0);
	assert_true(r.owns_clos && r.makes_clos);
	assert_string_equal(r.group, "c");
	assert_string_equal(r.first, "L3:0=f\n");
	assert_int_equal(resctrl_plan(base, &want, "web", &arena, &r, &e), -EEXIST);
	assert_string_equal(e.text, "linux.intelRdt: a class named web, as the container, is there already");
}

static void a_class_without_schemata_must_be_there(void **state)
{
	(void)state;
	struct spec_intel_rdt want = { .clos_id = "web" };
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), 0);
	assert_true(!r.owns_clos && !r.makes_clos && !r.first && !r.then);
	want.clos_id = "none";
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), -ENOENT);
	assert_string_equal(e.text, "linux.intelRdt.closID: no class none is there, and no schema says how to make it");
	want.clos_id = "/";
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), 0);
	assert_string_equal(r.group, ".");
	want.enable_monitoring.v = true;
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), 0);
	assert_string_equal(r.group, "./mon_groups/c");
}

static void a_class_with_schemata_is_made(void **state)
{
	(void)state;
	const struct spec_intel_rdt want = { .clos_id = "gold", .mem_bw_schema = "MB:0=50" };
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), 0);
	assert_true(r.makes_clos && !r.owns_clos);
}

/* ---- comparing ---- */

static int plan_web(const char *l3, const char *mb, const char *line)
{
	const struct spec_intel_rdt want = { .clos_id = "web", .l3_cache_schema = l3, .mem_bw_schema = mb,
					     .schemata = { &line, line ? 1 : 0 } };
	return resctrl_plan(base, &want, "c", &arena, &r, &e);
}

static void what_is_there_is_compared_as_numbers(void **state)
{
	(void)state;
	assert_int_equal(plan_web("L3:0=7f", NULL, NULL), 0);
	assert_int_equal(plan_web("L3: 0 = 0x7F ;1=fffff", "MB:0=20;1=70", NULL), 0);
	assert_int_equal(plan_web(NULL, NULL, "MB:1=70"), 0);
	assert_int_equal(plan_web("L3:0=7e", NULL, NULL), -EINVAL);
	assert_string_equal(e.text, "linux.intelRdt: class web is there already with L3:0=0007f, not 7e");
	assert_int_equal(plan_web(NULL, "MB:0=20;1=7", NULL), -EINVAL);
	assert_string_equal(e.text, "linux.intelRdt: class web is there already with MB:1=70, not 7");
	assert_int_equal(plan_web(NULL, NULL, "L2:0=f"), -EINVAL);
	assert_string_equal(e.text, "linux.intelRdt: class web is there already, and has no L2:0");
	assert_int_equal(plan_web("L3:2=f", NULL, NULL), -EINVAL);
}

static void the_last_of_two_lines_counts(void **state)
{
	(void)state;
	assert_int_equal(plan_web("L3:0=1", NULL, "L3:0=7f"), 0);
	assert_int_equal(plan_web("L3:0=7f", NULL, "L3:0=1"), -EINVAL);
}

static void bandwidth_has_its_own_key(void **state)
{
	(void)state;
	const struct spec_intel_rdt want = { .l3_cache_schema = "L3:0=f\nMB:0=10\nL2:0=1", .mem_bw_schema = "MB:0=50" };
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), 0);
	assert_string_equal(r.first, "L3:0=f\nL2:0=1\nMB:0=50\n");
}

static void order_is_cache_bandwidth_schemata(void **state)
{
	(void)state;
	const char *lines[] = { "L3:0=1", "MB:0=90" };
	const struct spec_intel_rdt want = { .l3_cache_schema = "L3:0=f", .mem_bw_schema = "MB:0=50",
					     .schemata = { lines, 2 } };
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), 0);
	assert_string_equal(r.first, "L3:0=f\nMB:0=50\n");
	assert_string_equal(r.then, "L3:0=1\nMB:0=90\n");
}

/* ---- acts ---- */

static void a_group_that_cannot_be_written_is_taken_back(void **state)
{
	(void)state;
	const struct spec_intel_rdt want = { .clos_id = "gold", .mem_bw_schema = "MB:0=50" };
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), 0);
	/* No kernel puts a file "schemata" there. */
	assert_int_equal(resctrl_make(base, &r, &e), -ENOENT);
	assert_non_null(strstr(e.text, "linux.intelRdt: gold/schemata"));
	assert_int_equal(faccessat(base, "gold", F_OK, 0), -1);
	/* The kernel's own words, when it has some. */
	assert_int_equal(mkdirat(base, "info", 0755), 0);
	put("info/last_cmd_status", "Mask out of range\n");
	assert_int_equal(resctrl_make(base, &r, &e), -ENOENT);
	assert_non_null(strstr(e.text, "Mask out of range"));
}

static void monitoring_within_a_class(void **state)
{
	(void)state;
	struct spec_intel_rdt want = { .clos_id = "web", .enable_monitoring = { true, true } };
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), 0);
	assert_string_equal(r.group, "web/mon_groups/c");
	assert_int_equal(resctrl_make(base, &r, &e), 0);
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), -EEXIST);
	put("web/mon_groups/c/tasks", "");
	assert_int_equal(resctrl_add(base, "web/mon_groups/c", 4711, &e), 0);
	assert_holds("web/tasks", "4711");
	assert_holds("web/mon_groups/c/tasks", "4711");
	assert_int_equal(unlinkat(base, "web/mon_groups/c/tasks", 0), 0);
	assert_int_equal(resctrl_remove(base, "web/mon_groups/c", false, &e), 0);
	assert_int_equal(faccessat(base, "web/mon_groups/c", F_OK, 0), -1);
	assert_int_equal(faccessat(base, "web", F_OK, 0), 0);
	assert_int_equal(resctrl_remove(base, "web/mon_groups/c", false, &e), 0);
}

static void a_given_class_stays_and_the_own_one_goes(void **state)
{
	(void)state;
	assert_int_equal(resctrl_add(base, "web", 12, &e), 0);
	assert_holds("web/tasks", "12");
	assert_int_equal(resctrl_remove(base, "web", false, &e), 0);
	assert_int_equal(faccessat(base, "web", F_OK, 0), 0);
	const struct spec_intel_rdt want = { 0 };
	assert_int_equal(resctrl_plan(base, &want, "c", &arena, &r, &e), 0);
	assert_int_equal(resctrl_make(base, &r, &e), 0);
	assert_int_equal(resctrl_remove(base, r.group, r.owns_clos, &e), 0);
	assert_int_equal(faccessat(base, "c", F_OK, 0), -1);
}

static void a_class_is_changed_and_changed_back(void **state)
{
	(void)state;
	free_auto char *old = NULL;
	put("web/schemata", "L3:0=f\n");
	assert_int_equal(resctrl_change(base, "web/mon_groups/c", "L3:0=3", "MB:0=50", &old, &e), 0);
	assert_string_equal(old, "L3:0=f\n");
	assert_holds("web/schemata", "L3:0=3\nMB:0=50\n");
	put("web/schemata", "");
	resctrl_put_back(base, "web/mon_groups/c", old);
	assert_holds("web/schemata", "L3:0=f\n");
	char *untouched = NULL;
	assert_int_equal(resctrl_change(base, "gone", NULL, "MB:0=50", &untouched, &e), -ENOENT);
	assert_non_null(strstr(e.text, "linux.intelRdt: gone/schemata"));
	assert_null(untouched);
}

static void undo_takes_only_an_empty_class(void **state)
{
	(void)state;
	struct resctrl made = { .clos = "web", .group = "web", .makes_clos = true };
	put("web/tasks", "12\n");
	resctrl_undo(base, &made);
	assert_int_equal(faccessat(base, "web", F_OK, 0), 0);
	made.clos = made.group = "bare";
	assert_int_equal(mkdirat(base, "bare", 0755), 0);
	resctrl_undo(base, &made);
	assert_int_equal(faccessat(base, "bare", F_OK, 0), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make_tree, remove_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mount_is_an_error),
		T(without_an_id_the_class_is_the_containers),
		T(a_class_without_schemata_must_be_there),
		T(a_class_with_schemata_is_made),
		T(what_is_there_is_compared_as_numbers),
		T(the_last_of_two_lines_counts),
		T(bandwidth_has_its_own_key),
		T(order_is_cache_bandwidth_schemata),
		T(a_group_that_cannot_be_written_is_taken_back),
		T(monitoring_within_a_class),
		T(a_given_class_stays_and_the_own_one_goes),
		T(a_class_is_changed_and_changed_back),
		T(undo_takes_only_an_empty_class),
	};
	return cmocka_run_group_tests_name("resctrl", tests, NULL, NULL);
}
