/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/lsm on a made-up /proc and /sys: what a host must have, and what is written where. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/lsm.h"
#include "util/fd.h"
#include "util/mem.h"

static char top[] = "/tmp/kist-lsm.XXXXXX";
static int host = -1, proc = -1;

static void put(const char *name, const char *text)
{
	fd_auto int fd = openat(host, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void assert_holds(const char *name, const char *want)
{
	free_auto char *text = NULL;
	assert_int_equal(file_read(host, name, 4096, false, &text, NULL), 0);
	assert_string_equal(text, want);
}

static int make_host(void **state)
{
	static const char *const dirs[] = { "proc",
					    "proc/self",
					    "proc/self/attr",
					    "sys",
					    "sys/module",
					    "sys/module/apparmor",
					    "sys/module/apparmor/parameters" };
	(void)state;
	memcpy(strrchr(top, '.'), ".XXXXXX", sizeof(".XXXXXX"));
	if (!mkdtemp(top) || (host = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdirat(host, dirs[i], 0755) < 0)
			return -1;
	put("proc/filesystems", "nodev\tsysfs\nnodev\ttmpfs\n");
	put("proc/self/attr/exec", "");
	proc = openat(host, "proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return proc < 0 ? -1 : 0;
}

static int remove_host(void **state)
{
	(void)state;
	fd_drop(&proc);
	fd_drop(&host);
	return file_remove_tree(AT_FDCWD, top);
}

static void what_is_off_is_refused(void **state)
{
	(void)state;
	struct err e = { 0 };
	const struct lsm none = { 0 }, profile = { .apparmor = "web" }, free = { .apparmor = "unconfined" },
			 label = { .selinux = "u:r:t" };
	assert_int_equal(lsm_check(host, &none, NULL, &e), 0);
	assert_int_equal(lsm_check(host, &free, NULL, &e), 0);
	assert_int_equal(lsm_check(host, &profile, NULL, &e), -EOPNOTSUPP);
	assert_string_equal(e.text, "process.apparmorProfile web: AppArmor is off on this host");
	put("sys/module/apparmor/parameters/enabled", "N\n");
	assert_int_equal(lsm_check(host, &profile, NULL, &e), -EOPNOTSUPP);
	put("sys/module/apparmor/parameters/enabled", "Y\n");
	assert_int_equal(lsm_check(host, &profile, NULL, &e), 0);
	assert_int_equal(lsm_check(host, &label, NULL, &e), -EOPNOTSUPP);
	assert_string_equal(e.text, "process.selinuxLabel u:r:t: SELinux is off on this host");
	assert_int_equal(lsm_check(host, &none, "u:object_r:f", &e), -EOPNOTSUPP);
	assert_string_equal(e.text, "linux.mountLabel u:object_r:f: SELinux is off on this host");
	put("proc/filesystems", "nodev\tsysfs\nnodev\tselinuxfs\n");
	assert_int_equal(lsm_check(host, &label, "u:object_r:f", &e), 0);
}

static void apparmor_has_a_directory_or_not(void **state)
{
	(void)state;
	struct err e = { 0 };
	const struct lsm l = { .apparmor = "web" };
	assert_int_equal(lsm_label(proc, &l, &e), 0);
	assert_holds("proc/self/attr/exec", "exec web");
	put("proc/self/attr/exec", "");
	assert_int_equal(mkdirat(proc, "self/attr/apparmor", 0755), 0);
	assert_int_equal(lsm_label(proc, &l, &e), -ENOENT);
	assert_string_equal(e.text, "process.apparmorProfile web: no such profile is loaded");
	put("proc/self/attr/apparmor/exec", "");
	assert_int_equal(lsm_label(proc, &l, &e), 0);
	assert_holds("proc/self/attr/apparmor/exec", "exec web");
	assert_holds("proc/self/attr/exec", "");
}

static void unconfined_asks_for_nothing_without_apparmor(void **state)
{
	(void)state;
	struct err e = { 0 };
	const struct lsm l = { .apparmor = "unconfined" };
	assert_int_equal(lsm_label(proc, &l, &e), 0);
	assert_holds("proc/self/attr/exec", "");
	assert_int_equal(mkdirat(proc, "self/attr/apparmor", 0755), 0);
	put("proc/self/attr/apparmor/exec", "");
	assert_int_equal(lsm_label(proc, &l, &e), 0);
	assert_holds("proc/self/attr/apparmor/exec", "exec unconfined");
}

static void selinux_of_exec_and_keys(void **state)
{
	(void)state;
	struct err e = { 0 };
	const struct lsm l = { .selinux = "u:r:t:s0:c1,c2" };
	assert_int_equal(lsm_label(proc, &l, &e), 0);
	assert_holds("proc/self/attr/exec", "u:r:t:s0:c1,c2");
	put("proc/self/attr/keycreate", "");
	assert_int_equal(lsm_keyring(proc, &l, &e), 0);
	assert_holds("proc/self/attr/keycreate", "u:r:t:s0:c1,c2");
	assert_int_equal(unlinkat(proc, "self/attr/keycreate", 0), 0);
	assert_int_equal(lsm_keyring(proc, &l, &e), -ENOENT);
	assert_non_null(strstr(e.text, "process.selinuxLabel u:r:t:s0:c1,c2: keyring"));
	assert_int_equal(unlinkat(proc, "self/attr/exec", 0), 0);
	assert_int_equal(lsm_label(proc, &l, &e), -ENOENT);
	assert_non_null(strstr(e.text, "process.selinuxLabel u:r:t:s0:c1,c2: "));
}

static void types_with_a_context(void **state)
{
	(void)state;
	assert_true(lsm_has_context("tmpfs") && lsm_has_context("devpts") && lsm_has_context("ext4"));
	assert_false(lsm_has_context("proc") || lsm_has_context("sysfs") || lsm_has_context("mqueue"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_off_is_refused, make_host, remove_host),
		cmocka_unit_test_setup_teardown(apparmor_has_a_directory_or_not, make_host, remove_host),
		cmocka_unit_test_setup_teardown(unconfined_asks_for_nothing_without_apparmor, make_host, remove_host),
		cmocka_unit_test_setup_teardown(selinux_of_exec_and_keys, make_host, remove_host),
		cmocka_unit_test(types_with_a_context),
	};
	return cmocka_run_group_tests_name("lsm", tests, NULL, NULL);
}
