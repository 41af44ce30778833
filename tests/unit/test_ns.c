/* SPDX-License-Identifier: Apache-2.0 */
/* ns/: kinds of namespaces, id maps, devices in a tree, and mounts that are made detached. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "ns/dev.h"
#include "ns/host.h"
#include "ns/kinds.h"
#include "ns/mask.h"
#include "ns/mount.h"
#include "ns/subid.h"
#include "ns/tmpcopy.h"
#include "ns/userns.h"
#include "util/fd.h"
#include "util/mem.h"

static char top[] = "/tmp/kist-ns.XXXXXX";
static int root = -1;

/* A mount namespace and a tmpfs of our own. */
static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(top) || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", top, "tmpfs", 0, NULL) < 0)
		return -1;
	root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umask(0);
	return root < 0 ? -1 : 0;
}

static int remove_root(void **state)
{
	(void)state;
	close(root);
	return umount2(top, MNT_DETACH) < 0 || rmdir(top) < 0 ? -1 : 0;
}

/* ---- subordinate ids ---- */

static void check_row(const struct spec_id_map *m, uint32_t inside, uint32_t outside, uint32_t size)
{
	assert_int_equal(m->container_id.v, inside);
	assert_int_equal(m->host_id.v, outside);
	assert_int_equal(m->size.v, size);
}

static void subordinate_ids_are_read(void **state)
{
	(void)state;
	arena_auto struct arena a = { 0 };
	struct spec_id_maps maps;
	static const char text[] = "alice:100000:10\nbob:1:1\n\n1000:200000:5\nalicex:5:5\nalice:7\nalice:-1:3\n"
				   "alice:4294967290:10\nalice:300000:0\nalice:300000:4x\nalice:400000:2";
	assert_int_equal(subid_parse(text, "alice", 1000, 1000, &a, &maps), 17);
	assert_int_equal(maps.n, 4);
	check_row(&maps.v[0], 0, 1000, 1);
	check_row(&maps.v[1], 1, 100000, 10);
	check_row(&maps.v[2], 11, 200000, 5);
	check_row(&maps.v[3], 16, 400000, 2);
	assert_int_equal(subid_parse(text, NULL, 1001, 1001, &a, &maps), 0);
	assert_int_equal(maps.n, 1);
	/* together more than there are ids */
	assert_int_equal(subid_parse("x:1:4000000000\nx:1:4000000000\n", "x", 1, 1, &a, &maps), 4000000000U);
	/* more lines than a command line should have */
	str_auto struct str many = STR_MAX(4096);
	for (int i = 0; i < 100; i++)
		str_fmt(&many, "x:%d:1\n", 1000 + i);
	assert_int_equal(subid_parse(many.p, "x", 1, 1, &a, &maps), SUBID_RANGES_MAX);
}

/* ---- kinds ---- */

static void kinds_are_checked(void **state)
{
	(void)state;
	struct err e;
	for (size_t i = 0; i < ns_kinds_count; i++) {
		const struct ns_kind *k = &ns_kinds[i];
		assert_ptr_equal(ns_kind_find(k->flag), k);
		int fd = ns_open_of(getpid(), k->flag, &e);
		assert_true(fd >= 0);
		close(fd);
		char path[64];
		snprintf(path, sizeof(path), "/proc/self/ns/%s", k->file);
		for (size_t n = 0; n < ns_kinds_count; n++) {
			fd = ns_open(path, ns_kinds[n].flag, &e);
			assert_int_equal(fd >= 0, n == i);
			if (fd < 0)
				assert_non_null(strstr(e.text, k->word));
			fd_close(fd);
		}
	}
	assert_null(ns_kind_find(0));
	assert_int_equal(ns_open("/etc/passwd", CLONE_NEWNET, &e), -EINVAL);
	assert_int_equal(ns_open("/no/such", CLONE_NEWNET, &e), -ENOENT);
}

/* ---- id maps ---- */

#define ID(c, h, n) { .container_id = { true, c }, .host_id = { true, h }, .size = { true, n } }

static void ids_are_mapped(void **state)
{
	(void)state;
	struct spec_id_map rows[] = { ID(10, 1000, 5), ID(0, 500, 1), ID(100, 4294967290u, 5) };
	const struct spec_id_maps maps = { .v = rows, .n = 3 }, none = { 0 }, high = { .v = rows, .n = 1 };
	assert_true(userns_to_host(&maps, 0) == 500);
	assert_true(userns_to_host(&maps, 1) == -1);
	assert_true(userns_to_host(&maps, 9) == -1);
	assert_true(userns_to_host(&maps, 10) == 1000);
	assert_true(userns_to_host(&maps, 14) == 1004);
	assert_true(userns_to_host(&maps, 15) == -1);
	assert_true(userns_to_host(&maps, 104) == 4294967294);
	assert_true(userns_to_host(&maps, UINT32_MAX) == -1);
	assert_int_equal(userns_first(&maps), 0);
	assert_int_equal(userns_first(&none), 0);
	assert_int_equal(userns_first(&high), 10);
	static const struct {
		const char *text;
		uint32_t first;
	} files[] = {
		{ "         0          0 4294967295\n", 0 }, { "      1000     100000         10\n", 1000 },
		{ "5 1 1\n0 2 1\n", 0 }, { "7 1 1\n5 2 1", 7 }, { "", 0 }, { "junk\n", 0 },
	};
	char path[64];
	snprintf(path, sizeof(path), "%s/map", top);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		assert_int_equal(file_replace(root, "map", files[i].text, strlen(files[i].text), 0600), 0);
		assert_int_equal(userns_first_of(path), files[i].first);
	}
	assert_int_equal(userns_first_of("/no/such"), 0);
}

static void user_namespaces_without_processes(void **state)
{
	(void)state;
	struct spec_id_map rows[] = { ID(0, 100000, 10), ID(50, 200000, 1) };
	const struct spec_id_maps maps = { .v = rows, .n = 2 };
	struct err e;
	int fd = userns_make(&maps, &maps, &e);
	assert_true(fd >= 0);
	close(fd);
	struct spec_id_map twice[] = { ID(0, 1, 10), ID(5, 100, 1) };
	const struct spec_id_maps bad = { .v = twice, .n = 2 };
	assert_int_equal(userns_make(&bad, &bad, &e), -EINVAL);
	assert_non_null(strstr(e.text, "gid_map"));
}

/* ---- devices ---- */

static void devices_are_made_and_checked(void **state)
{
	(void)state;
	struct err e;
	struct stat st;
	assert_int_equal(mkdirat(root, "dev", 0755), 0);
	assert_int_equal(dev_make(root, dev_defaults, dev_defaults_count, &e), 0);
	for (size_t i = 0; i < dev_defaults_count; i++) {
		assert_int_equal(fstatat(root, dev_defaults[i].path + 1, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_mode, dev_defaults[i].mode);
		assert_true(st.st_rdev == makedev(dev_defaults[i].major, dev_defaults[i].minor));
	}
	assert_int_equal(dev_make(root, dev_defaults, dev_defaults_count, &e), 0);
	struct dev_node other = dev_defaults[0];
	other.minor = 5;
	assert_int_equal(dev_make(root, &other, 1, &e), -EEXIST);
	assert_int_equal(unlinkat(root, "dev/null", 0), 0);
	assert_int_equal(symlinkat("/dev/zero", root, "dev/null"), 0);
	assert_int_equal(dev_make(root, dev_defaults, 1, &e), -EEXIST);
	assert_int_equal(dev_links(root, true, &e), 0);
	char target[64] = "";
	assert_true(readlinkat(root, "dev/ptmx", target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "pts/ptmx");
	assert_int_equal(dev_links(root, true, &e), 0);
}

static void a_terminal_is_checked(void **state)
{
	(void)state;
	struct err e;
	int master, slave;
	int fake = open(top, O_RDONLY | O_DIRECTORY);
	mkdirat(fake, "dev", 0755);
	mkdirat(fake, "dev/pts", 0755);
	assert_true(dev_terminal(fake, &master, &slave, &e) < 0);
	assert_int_equal(mknodat(fake, "dev/pts/ptmx", S_IFCHR | 0666, makedev(1, 3)), 0);
	assert_int_equal(dev_terminal(fake, &master, &slave, &e), -EPERM);
	unlinkat(fake, "dev/pts/ptmx", 0);
	/* the right device, on the wrong file system */
	assert_int_equal(mknodat(fake, "dev/pts/ptmx", S_IFCHR | 0666, makedev(5, 2)), 0);
	assert_true(dev_terminal(fake, &master, &slave, &e) < 0);
	close(fake);
}

/* ---- mounts ---- */

static void mounts_are_made_detached(void **state)
{
	(void)state;
	struct err e;
	const struct mount_options o = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY, .data = "size=64k,mode=700" };
	int fd = mount_new("tmpfs", "name", &o, &e);
	assert_true(fd >= 0);
	assert_int_equal(mkdirat(fd, "x", 0755), -1);
	assert_int_equal(errno, EROFS);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(fd);
	const struct mount_options bad = { .data = "size=1m,nonsense=1" };
	assert_int_equal(mount_new("tmpfs", NULL, &bad, &e), -EINVAL);
	assert_non_null(strstr(e.text, "nonsense"));
	assert_null(strchr(e.text, '\n'));
	assert_int_equal(mount_new("nosuchfs", NULL, &o, &e), -ENODEV);
	assert_non_null(strstr(e.text, "nosuchfs"));
	assert_int_equal(mount_clone(AT_FDCWD, "/no/such", true, false, &e), -ENOENT);
}

static void masks_cover(void **state)
{
	(void)state;
	struct err e;
	int null_tree = mask_open_null(&e);
	assert_true(null_tree >= 0);
	mkdirat(root, "secrets", 0755);
	mkdirat(root, "secrets/in", 0755);
	mkdirat(root, "other", 0755);
	int fd = openat(root, "file", O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, "secret", 6), 6);
	close(fd);
	const char *paths[] = { "/secrets", "/file", "/missing", "/file/below", "/other", NULL };
	const struct strs list = { .v = paths, .n = 5 };
	assert_int_equal(mask_paths(root, &list, null_tree, NULL, &e), 0);
	char text[8];
	fd = openat(root, "file", O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 0);
	close(fd);
	assert_int_equal(faccessat(root, "secrets/in", F_OK, 0), -1);
	assert_int_equal(mkdirat(root, "other/x", 0755), -1);
	assert_int_equal(errno, EROFS);
	close(null_tree);
	char path[64];
	static const char *const covered[] = { "secrets", "file", "other" };
	for (size_t i = 0; i < ARRAY_LEN(covered); i++) {
		snprintf(path, sizeof(path), "%s/%s", top, covered[i]);
		assert_int_equal(umount2(path, MNT_DETACH), 0);
	}
}

static void copies_are_whole(void **state)
{
	(void)state;
	struct err e;
	mkdirat(root, "from", 0711);
	mkdirat(root, "from/deep", 0700);
	int fd = openat(root, "from/deep/file", O_WRONLY | O_CREAT, 0640);
	char *big = calloc(1, 300000);
	big[299999] = 'x';
	assert_int_equal(write(fd, big, 300000), 300000);
	close(fd);
	assert_int_equal(linkat(root, "from/deep/file", root, "from/hard", 0), 0);
	assert_int_equal(symlinkat("/out/of/it", root, "from/soft"), 0);
	assert_int_equal(mkfifoat(root, "from/fifo", 0600), 0);
	static const struct mount_options o;
	int tree = mount_new("tmpfs", NULL, &o, &e);
	int from = openat(root, "from", O_PATH | O_DIRECTORY);
	assert_int_equal(tmpcopy(from, tree, &e), 0);
	struct stat st, hard;
	assert_int_equal(fstat(tree, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(fstatat(tree, "deep/file", &st, 0), 0);
	assert_int_equal(fstatat(tree, "hard", &hard, 0), 0);
	assert_true(st.st_ino == hard.st_ino && st.st_size == 300000 && st.st_nlink == 2);
	assert_int_equal(fstatat(tree, "fifo", &st, 0), 0);
	assert_true(S_ISFIFO(st.st_mode));
	char target[32] = "";
	assert_true(readlinkat(tree, "soft", target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "/out/of/it");
	free(big);
	close(from);
	close(tree);
}

/* A second copy must not take the links of the first for its own. */
static void copies_are_apart(void **state)
{
	(void)state;
	struct err e;
	static const struct mount_options o;
	mkdirat(root, "pair", 0755);
	int fd = openat(root, "pair/a", O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, "pair", 4), 4);
	close(fd);
	assert_int_equal(linkat(root, "pair/a", root, "pair/b", 0), 0);
	for (int i = 0; i < 2; i++) {
		int tree = mount_new("tmpfs", NULL, &o, &e);
		int from = openat(root, "pair", O_PATH | O_DIRECTORY);
		assert_int_equal(tmpcopy(from, tree, &e), 0);
		struct stat st;
		assert_int_equal(fstatat(tree, "b", &st, 0), 0);
		assert_int_equal(st.st_nlink, 2);
		close(from);
		close(tree);
	}
}

static void sysctls_stay_in_proc(void **state)
{
	(void)state;
	struct err e;
	mkdirat(root, "sys", 0755);
	mkdirat(root, "sys/net", 0755);
	mkdirat(root, "sys/net/eth0.1", 0755);
	static const char *const files[] = { "sys/net/plain", "sys/net/eth0.1/forward" };
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		close(openat(root, files[i], O_WRONLY | O_CREAT, 0644));
	struct pair rows[] = { { "net.plain", "1" }, { "net/eth0.1/forward", "2" }, { "net.eth0/1.forward", "3" } };
	const struct pairs list = { .v = rows, .n = 3 };
	assert_int_equal(host_sysctls(root, &list, &e), 0);
	char *text;
	assert_int_equal(file_read(root, "sys/net/eth0.1/forward", 10, false, &text, NULL), 0);
	assert_string_equal(text, "3");
	free(text);
	symlinkat("/etc/passwd", root, "sys/link") == 0 ? (void)0 : fail();
	struct pair bad[] = { { "link", "x" } }, up[] = { { "../../../etc/passwd", "x" } }, gone[] = { { "net.gone", "x" } };
	const struct pairs lists[] = { { .v = bad, .n = 1 }, { .v = up, .n = 1 }, { .v = gone, .n = 1 } };
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		assert_true(host_sysctls(root, &lists[i], &e) < 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(subordinate_ids_are_read),
		cmocka_unit_test(kinds_are_checked),
		cmocka_unit_test(ids_are_mapped),
		cmocka_unit_test(user_namespaces_without_processes),
		cmocka_unit_test(devices_are_made_and_checked),
		cmocka_unit_test(a_terminal_is_checked),
		cmocka_unit_test(mounts_are_made_detached),
		cmocka_unit_test(masks_cover),
		cmocka_unit_test(copies_are_whole),
		cmocka_unit_test(copies_are_apart),
		cmocka_unit_test(sysctls_stay_in_proc),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
