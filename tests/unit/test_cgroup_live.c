/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup/ against the kernel: groups made, filled, frozen, emptied and removed; device programs that deny; limits that
 * bite where the controllers are. Needs root. Works in a mount namespace of its own, with cgroup2 on /sys/fs/cgroup,
 * so that a hybrid host serves too; there, memory and pids must be refused by name instead.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup/attr.h"
#include "cgroup/devices_bpf.h"
#include "cgroup/events.h"
#include "cgroup/freeze.h"
#include "cgroup/group.h"
#include "cgroup/kill.h"
#include "cgroup/limits.h"
#include "cgroup/pids.h"
#include "cgroup/remove.h"
#include "cgroup/stat.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/sys.h"

#define SET(x) { .has = true, .v = (x) }

static struct cgroup_tree tree = CGROUP_TREE_NONE;
static const struct cgroup_need nothing;
static char scratch[] = "/tmp/kist-live.XXXXXX";
static char name_buf[128];

/* A group's name that no other run uses. */
static const char *name_of(const char *word)
{
	snprintf(name_buf, sizeof(name_buf), "kist-unit-%d-%s", (int)getpid(), word);
	return name_buf;
}

static const char *sub_of(const char *path, const char *sub)
{
	static char buf[256];
	snprintf(buf, sizeof(buf), "%s/%s", path, sub);
	return buf;
}

#define assert_ok(call) do { \
	struct err e_ = { 0 }; \
	int r_ = (call); \
	if (r_ < 0) \
		fail_msg("%s: %d %s", #call, r_, e_.text); \
} while (0)

static void make(const char *path, bool is_chosen, const struct cgroup_need *need, struct cgroup_group *ret)
{
	struct cgroup_place place = { .path = path, .is_chosen = is_chosen };
	assert_ok(cgroup_prepare(&tree, &place, need, ret, &e_));
	assert_ok(cgroup_create(&tree, ret, need, &e_));
	assert_true(ret->fd >= 0);
}

static bool exists(const char *path)
{
	return faccessat(tree.fd, path, F_OK, 0) == 0;
}

/* A process in a group from its first instruction on, which waits to be killed. */
static pid_t spawn_in(int group_fd)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)group_fd,
	};
	pid_t pid = sys_clone3(&args);
	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	return pid;
}

/* Runs `act` in a group and gives its exit status. */
static int status_in(int group_fd, int (*act)(void *ctx), void *ctx)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)group_fd,
	};
	pid_t pid = sys_clone3(&args);
	if (pid == 0)
		_exit(act(ctx));
	assert_true(pid > 0);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void reap(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void make_and_remove(void **state)
{
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE, again = CGROUP_GROUP_NONE;
	const char *path = name_of("a");
	(void)state;
	assert_string_equal(tree.path, "/sys/fs/cgroup");
	make(path, true, &nothing, &g);
	assert_true(g.is_fresh && exists(path));
	/* A leftover under our own name is taken over. */
	make(path, true, &nothing, &again);
	assert_false(again.is_fresh);
	assert_ok(cgroup_remove(&tree, path, g.keep_len, 0, &e_));
	assert_false(exists(path));
	assert_ok(cgroup_remove(&tree, path, g.keep_len, 0, &e_));
	struct err e;
	assert_int_equal(cgroup_open(&tree, path, &e), -ENOENT);
	assert_int_equal(cgroup_open(&tree, "../x", &e), -EINVAL);
	assert_int_equal(cgroup_remove(&tree, "a/../b", 0, 0, &e), -EINVAL);
}

static void keeps_what_was_there(void **state)
{
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE, h = CGROUP_GROUP_NONE, i = CGROUP_GROUP_NONE;
	free_auto char *top = mem_str(name_of("top"));
	free_auto char *deep = mem_fmt("%s/b/c", top);
	(void)state;
	make(deep, false, &nothing, &g);
	assert_int_equal(g.keep_len, 0);
	assert_ok(cgroup_remove(&tree, deep, g.keep_len, 0, &e_));
	assert_false(exists(top));
	assert_int_equal(mkdirat(tree.fd, top, 0755), 0);
	make(deep, false, &nothing, &h);
	assert_int_equal(h.keep_len, strlen(top));
	/* A group that somebody else made is used, and stays. */
	make(deep, false, &nothing, &i);
	assert_int_equal(i.keep_len, strlen(deep));
	assert_ok(cgroup_remove(&tree, deep, i.keep_len, 0, &e_));
	assert_true(exists(deep));
	assert_ok(cgroup_remove(&tree, deep, h.keep_len, 0, &e_));
	assert_false(exists(sub_of(top, "b")));
	assert_true(exists(top));
	assert_int_equal(unlinkat(tree.fd, top, AT_REMOVEDIR), 0);
}

static void refuses_used_groups(void **state)
{
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE, other = CGROUP_GROUP_NONE;
	const char *path = name_of("used");
	struct cgroup_place place = { .path = path };
	struct err e;
	(void)state;
	make(path, true, &nothing, &g);
	pid_t pid = spawn_in(g.fd);
	assert_int_equal(cgroup_prepare(&tree, &place, &nothing, &other, &e), -EBUSY);
	assert_non_null(strstr(e.text, "holds processes"));
	place.is_chosen = true;
	assert_ok(cgroup_prepare(&tree, &place, &nothing, &other, &e_));
	assert_int_equal(cgroup_create(&tree, &other, &nothing, &e), -EBUSY);
	assert_true(exists(path));
	assert_int_equal(cgroup_kill(g.fd), 0);
	reap(pid);
	assert_ok(cgroup_freeze(g.fd, true, 5000, &e_));
	assert_int_equal(cgroup_create(&tree, &other, &nothing, &e), -EBUSY);
	assert_non_null(strstr(e.text, "frozen"));
	assert_ok(cgroup_freeze(g.fd, false, 5000, &e_));
	assert_ok(cgroup_remove(&tree, path, 0, 0, &e_));
}

static void kills_and_removes_all_below(void **state)
{
	enum { DEPTH = 60, PIDS = 5 };
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE;
	free_auto char *path = mem_str(name_of("kill"));
	pid_t pids[PIDS];
	struct err e;
	(void)state;
	make(path, true, &nothing, &g);
	int at = dup(g.fd);
	for (int i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(at, "n", 0755), 0);
		assert_int_equal(mkdirat(at, "m", 0755), 0);
		int next = openat(at, "n", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (i % (DEPTH / PIDS) == 0)
			pids[i / (DEPTH / PIDS)] = spawn_in(next);
		fd_close(at);
		at = next;
	}
	fd_close(at);
	free_auto pid_t *list = NULL, *own = NULL;
	size_t n;
	assert_int_equal(cgroup_pids(g.fd, true, &list, &n), 0);
	assert_int_equal(n, PIDS);
	assert_int_equal(cgroup_pids(g.fd, false, &own, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(cgroup_wait_empty(g.fd, 20), -ETIMEDOUT);
	assert_int_equal(cgroup_remove(&tree, path, 0, 20, &e), -EBUSY);
	snprintf(name_buf, sizeof(name_buf), "still holds %d processes: ", PIDS);
	assert_non_null(strstr(e.text, name_buf));
	assert_int_equal(cgroup_kill(g.fd), 0);
	assert_int_equal(cgroup_wait_empty(g.fd, 10000), 0);
	assert_ok(cgroup_remove(&tree, path, 0, 10000, &e_));
	assert_false(exists(path));
	assert_int_equal(cgroup_wait_empty(g.fd, 10), 0);
	for (size_t i = 0; i < PIDS; i++)
		reap(pids[i]);
}

/* The way of kernels without cgroup.kill: every process gets the signal, also one that was frozen before. */
static void signals_all(void **state)
{
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE;
	free_auto char *path = mem_str(name_of("signal"));
	bool is_frozen = false;
	(void)state;
	make(path, true, &nothing, &g);
	pid_t a = spawn_in(g.fd), b = spawn_in(g.fd);
	assert_int_equal(cgroup_signal(g.fd, 0), 2);
	assert_ok(cgroup_freeze(g.fd, true, 5000, &e_));
	assert_ok(cgroup_is_frozen(g.fd, &is_frozen, &e_));
	assert_true(is_frozen);
	assert_int_equal(cgroup_signal(g.fd, 0), 2);
	assert_ok(cgroup_is_frozen(g.fd, &is_frozen, &e_));
	assert_true(is_frozen);
	assert_int_equal(cgroup_signal(g.fd, SIGKILL), 2);
	assert_int_equal(cgroup_wait_empty(g.fd, 10000), 0);
	reap(a);
	reap(b);
	assert_ok(cgroup_remove(&tree, path, 0, 0, &e_));
}

/* A frozen process writes nothing; thawed, it goes on. */
static void freezes(void **state)
{
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE;
	free_auto char *path = mem_str(name_of("freeze"));
	int fds[2];
	(void)state;
	make(path, true, &nothing, &g);
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)g.fd };
	pid_t pid = sys_clone3(&args);
	if (pid == 0)
		for (;;) {
			char c = 'x';
			ssize_t n = write(fds[1], &c, 1);
			(void)n;
			poll(NULL, 0, 1);
		}
	char buf[4096];
	struct pollfd p = { .fd = fds[0], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_ok(cgroup_freeze(g.fd, true, 5000, &e_));
	while (read(fds[0], buf, sizeof(buf)) > 0)
		;
	assert_int_equal(poll(&p, 1, 50), 0);
	assert_ok(cgroup_freeze(g.fd, false, 5000, &e_));
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(cgroup_kill(g.fd), 0);
	reap(pid);
	close(fds[0]);
	close(fds[1]);
	assert_ok(cgroup_remove(&tree, path, 0, 5000, &e_));
}

/* Many make and remove groups below one that each removes when it is empty. */
static void makes_and_removes_in_parallel(void **state)
{
	enum { WORKERS = 4, ROUNDS = 40 };
	free_auto char *top = mem_str(name_of("par"));
	(void)state;
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid > 0)
			continue;
		for (int k = 0; k < ROUNDS; k++) {
			char path[200];
			struct err e = { 0 };
			snprintf(path, sizeof(path), "%s/x/w%d", top, i);
			struct cgroup_group g = { .path = path, .is_chosen = true, .fd = -1 };
			if (cgroup_create(&tree, &g, &nothing, &e) < 0 || cgroup_remove(&tree, path, 0, 0, &e) < 0) {
				fprintf(stderr, "# worker %d: %s\n", i, e.text);
				_exit(1);
			}
			cgroup_group_done(&g);
		}
		_exit(0);
	}
	int status, bad = 0;
	while (wait(&status) > 0)
		bad += status != 0;
	assert_int_equal(bad, 0);
	assert_false(exists(top));
}

static void gives_to_user(void **state)
{
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE;
	free_auto char *path = mem_str(name_of("chown"));
	struct stat st;
	(void)state;
	make(path, true, &nothing, &g);
	assert_ok(cgroup_chown(g.fd, 12345, 12346, &e_));
	static const char *const given[] = { "", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads" };
	for (size_t i = 0; i < ARRAY_LEN(given); i++) {
		assert_int_equal(fstatat(g.fd, given[i], &st, AT_EMPTY_PATH), 0);
		assert_int_equal(st.st_uid, 12345);
		assert_int_equal(st.st_gid, 12346);
	}
	assert_int_equal(fstatat(g.fd, "cgroup.max.depth", &st, 0), 0);
	assert_int_equal(st.st_uid, 0);
	assert_ok(cgroup_remove(&tree, path, 0, 0, &e_));
}

static bool has_controller(const char *name)
{
	char have[ATTR_MAX];
	assert_true(cgroup_controllers(&tree, have, sizeof(have)) >= 0);
	return attr_has_word(have, name);
}

/* A delegated group that holds processes hands its controllers down after they have moved to a leaf. */
static void moves_own_processes_to_a_leaf(void **state)
{
	free_auto char *base = mem_str(name_of("deleg"));
	free_auto char *path = mem_fmt("%s/kist-c", base);
	free_auto char *leaf = mem_fmt("%s/%s", base, CGROUP_SUPERVISOR);
	cgroup_group_auto struct cgroup_group b = CGROUP_GROUP_NONE, g = CGROUP_GROUP_NONE;
	char have[ATTR_MAX], before[ATTR_MAX];
	struct cgroup_need need = { 0 };
	struct err e;
	(void)state;
	assert_true(cgroup_controllers(&tree, have, sizeof(have)) >= 0);
	have[strcspn(have, " ")] = '\0';
	assert_true(*have);
	/* Of the domain controllers the first will do; cpuset and cpu may be threaded, which has other rules. */
	const char *controller = has_controller("memory") ? "memory" : has_controller("hugetlb") ? "hugetlb" : have;
	assert_true(attr_read(tree.fd, "cgroup.subtree_control", before, sizeof(before)) >= 0);
	assert_int_equal(cgroup_need_add(&need, controller, "test"), 0);
	make(base, true, &need, &b);
	pid_t pid = spawn_in(b.fd);
	struct cgroup_place place = { .path = path, .base_len = 0, .is_chosen = true };
	assert_ok(cgroup_prepare(&tree, &place, &need, &g, &e_));
	assert_int_equal(cgroup_create(&tree, &g, &need, &e), -EBUSY);
	assert_non_null(strstr(e.text, "holds processes itself"));
	assert_false(exists(path));
	place.base_len = strlen(base);
	assert_ok(cgroup_prepare(&tree, &place, &need, &g, &e_));
	assert_ok(cgroup_create(&tree, &g, &need, &e_));
	assert_true(attr_read(g.fd, "cgroup.controllers", have, sizeof(have)) >= 0);
	assert_true(attr_has_word(have, controller));
	arena_auto struct arena a = { 0 };
	const char *now;
	assert_ok(cgroup_of_pid(pid, &a, &now, &e_));
	assert_string_equal(now + 1, leaf);
	assert_ok(cgroup_remove(&tree, path, g.keep_len, 0, &e_));
	assert_true(exists(base));
	assert_int_equal(cgroup_kill(b.fd), 0);
	reap(pid);
	assert_ok(cgroup_remove(&tree, base, 0, 5000, &e_));
	if (!attr_has_word(before, controller)) {
		free_auto char *off = mem_fmt("-%s", controller);
		file_write(tree.fd, "cgroup.subtree_control", off);
	}
}

/* Our own group counts as delegated by systemd's mark, and as its parent's when it is the leaf below it. */
static void finds_own_base(void **state)
{
	free_auto char *base = mem_str(name_of("own"));
	cgroup_group_auto struct cgroup_group b = CGROUP_GROUP_NONE, s = CGROUP_GROUP_NONE;
	free_auto char *leaf = mem_fmt("%s/%s", base, CGROUP_SUPERVISOR);
	char dir[300], was[300];
	(void)state;
	arena_auto struct arena a = { 0 };
	const char *home;
	assert_ok(cgroup_of_pid(getpid(), &a, &home, &e_));
	snprintf(was, sizeof(was), "%s", home + 1);
	make(base, true, &nothing, &b);
	make(leaf, true, &nothing, &s);
	snprintf(dir, sizeof(dir), "%s/%s", tree.path, base);
	for (int marked = 0; marked < 2; marked++) {
		struct cgroup_own own = { 0 };
		struct cgroup_place place;
		if (marked)
			assert_int_equal(setxattr(dir, "trusted.delegate", "1", 1, 0), 0);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(cgroup_add(i ? s.fd : b.fd, getpid()), 0);
			assert_ok(cgroup_own_read(&tree, &a, &own, &e_));
			assert_ok(cgroup_locate(&tree, NULL, "c", &a, &place, &e_));
			if (marked)
				assert_string_equal(own.base + 1, base);
			else
				assert_null(own.base);
			assert_string_equal(place.path, marked ? arena_fmt(&a, "%s/kist-c", base) : "kist-c");
		}
	}
	fd_auto int back = openat(tree.fd, *was ? was : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(cgroup_add(back, getpid()), 0);
	assert_ok(cgroup_remove(&tree, base, 0, 1000, &e_));
}

/* ---- devices ---- */

struct opening {
	const char *node;
	int flags;
};

static int open_node(void *ctx)
{
	const struct opening *o = ctx;
	char path[100];
	snprintf(path, sizeof(path), "%s/%s", scratch, o->node);
	int fd = open(path, o->flags | O_CLOEXEC);
	return fd < 0 ? errno : 0;
}

static int make_node(void *ctx)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/new", scratch);
	int r = mknod(path, S_IFCHR | 0600, *(const dev_t *)ctx);
	return r < 0 ? errno : unlink(path);
}

static int open_in(int group_fd, const char *node, int flags)
{
	return status_in(group_fd, open_node, &(struct opening){ node, flags });
}

static void build(struct arena *a, const struct spec_device_rule *rules, size_t n, bool with_defaults,
		  struct devices_program *ret)
{
	const struct spec_device_rules list = { .v = (struct spec_device_rule *)(uintptr_t)rules, .n = n };
	assert_ok(devices_build(&list, with_defaults, "", a, ret, &e_));
}

static const struct spec_device_rule deny = { SET(false), 0, { 0 }, { 0 }, "rwm" };

static void denies_devices(void **state)
{
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE;
	free_auto char *path = mem_str(name_of("dev"));
	struct devices_program p;
	dev_t any = makedev(1, 11);
	(void)state;
	arena_auto struct arena a = { 0 };
	make(path, true, &nothing, &g);
	assert_int_equal(open_in(g.fd, "kmsg", O_RDONLY), 0);
	build(&a, &deny, 1, true, &p);
	assert_ok(devices_apply(g.fd, &p, false, false, &e_));
	assert_int_equal(open_in(g.fd, "kmsg", O_RDONLY), EPERM);
	assert_int_equal(open_in(g.fd, "null", O_RDWR), 0);
	assert_int_equal(open_in(g.fd, "zero", O_RDONLY), 0);
	assert_int_equal(status_in(g.fd, make_node, &any), 0);
	/* An update takes the place of the first program; both together would deny more than either. */
	struct spec_device_rule rules[] = { deny, { SET(true), 'c', SET(1), SET(11), "r" } };
	build(&a, rules, 2, false, &p);
	assert_ok(devices_apply(g.fd, &p, false, true, &e_));
	assert_int_equal(open_in(g.fd, "kmsg", O_RDONLY), 0);
	assert_int_equal(open_in(g.fd, "kmsg", O_RDWR), EPERM);
	assert_int_equal(open_in(g.fd, "null", O_RDONLY), EPERM);
	assert_int_equal(status_in(g.fd, make_node, &any), EPERM);
	rules[1] = (struct spec_device_rule){ .allow = SET(true) };
	build(&a, rules, 2, false, &p);
	assert_true(p.is_open);
	assert_ok(devices_apply(g.fd, &p, false, true, &e_));
	assert_int_equal(open_in(g.fd, "kmsg", O_RDWR), 0);
	assert_ok(cgroup_remove(&tree, path, 0, 1000, &e_));
}

/* The next of a fixed row of numbers, below n. */
static uint32_t draw(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 10) % n;
}

/* The verifier takes what the builder makes, also of odd rules. */
static void kernel_takes_programs(void **state)
{
	static const char *const accesses[] = { "r", "w", "m", "rw", "rm", "wm", "rwm", NULL };
	uint32_t seed = 4711;
	(void)state;
	devices_use_cache(NULL);
	for (int round = 0; round < 150; round++) {
		struct spec_device_rule rules[10];
		size_t n = draw(&seed, ARRAY_LEN(rules) + 1);
		for (size_t i = 0; i < n; i++) {
			rules[i] = (struct spec_device_rule){ .type = "abc"[draw(&seed, 3)] };
			rules[i].allow = (struct opt_bool){ true, draw(&seed, 2) };
			rules[i].access = accesses[draw(&seed, 8)];
			rules[i].major = (struct opt_i64){ draw(&seed, 4), 5 };
			rules[i].minor = (struct opt_i64){ draw(&seed, 3), draw(&seed, 6) };
		}
		struct devices_program p;
		arena_auto struct arena a = { 0 };
		build(&a, rules, n, draw(&seed, 2), &p);
		fd_auto int fd = -1;
		assert_ok(fd = devices_load(&p, &e_));
	}
	devices_use_cache("/sys/fs/bpf/kist");
}

static uint32_t id_of(int fd)
{
	char path[64], *at;
	free_auto char *text = NULL;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	assert_int_equal(file_read(AT_FDCWD, path, 4096, false, &text, NULL), 0);
	at = strstr(text, "prog_id:");
	assert_non_null(at);
	return (uint32_t)strtoul(at + 8, NULL, 10);
}

/* The path of the one file in a directory. */
static void only_file(const char *dir, char *ret_path, size_t size)
{
	DIR *d = opendir(dir);
	int n = 0;
	assert_non_null(d);
	for (struct dirent *de; (de = readdir(d));) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(ret_path, size, "%s/%s", dir, de->d_name);
		n++;
	}
	closedir(d);
	assert_int_equal(n, 1);
}

static void keeps_loaded_programs(void **state)
{
	char bpffs[64], cache[80];
	struct devices_program p, q;
	(void)state;
	arena_auto struct arena a = { 0 };
	snprintf(bpffs, sizeof(bpffs), "%s/bpf", scratch);
	snprintf(cache, sizeof(cache), "%s/kist", bpffs);
	assert_int_equal(mkdir(bpffs, 0755), 0);
	assert_int_equal(mount("bpf", bpffs, "bpf", 0, NULL), 0);
	devices_use_cache(cache);
	build(&a, &deny, 1, true, &p);
	build(&a, &deny, 1, false, &q);
	fd_auto int one = devices_load(&p, &(struct err){ 0 }), two = devices_load(&p, &(struct err){ 0 });
	assert_true(one >= 0 && two >= 0);
	assert_int_equal(id_of(one), id_of(two));
	/* What is pinned under our name but is another program is not taken: give the place of `p` to `q`. */
	char at_p[300], at_q[300];
	only_file(cache, at_p, sizeof(at_p));
	assert_int_equal(unlink(at_p), 0);
	fd_auto int three = devices_load(&q, &(struct err){ 0 });
	assert_true(three >= 0);
	only_file(cache, at_q, sizeof(at_q));
	assert_int_equal(rename(at_q, at_p), 0);
	fd_auto int four = devices_load(&p, &(struct err){ 0 });
	assert_true(four >= 0);
	assert_int_not_equal(id_of(four), id_of(three));
	assert_int_not_equal(id_of(four), id_of(one));
	/* A directory that others may write is not used. */
	assert_int_equal(unlink(at_p), 0);
	assert_int_equal(rmdir(cache), 0);
	assert_int_equal(mkdir(cache, 0700), 0);
	assert_int_equal(chmod(cache, 0777), 0);
	fd_auto int five = devices_load(&p, &(struct err){ 0 });
	assert_true(five >= 0);
	assert_int_equal(rmdir(cache), 0);
	devices_use_cache("/sys/fs/bpf/kist");
	assert_int_equal(umount2(bpffs, MNT_DETACH), 0);
}

/* ---- limits ---- */

static int eat_memory(void *ctx)
{
	size_t len = *(const size_t *)ctx;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 1;
	memset(p, 1, len);
	return 0;
}

static int fork_many(void *ctx)
{
	int max = *(const int *)ctx, n = 0;
	for (; n < max; n++) {
		pid_t pid = fork();
		if (pid < 0)
			break;
		if (pid == 0)
			for (;;)
				pause();
	}
	return n;
}

static void plan(struct arena *a, const struct spec_resources *r, struct cgroup_limits *ret)
{
	assert_ok(limits_plan(r, "linux.resources.", a, ret, &e_));
}

/* Without the controller: refused before anything is made, by name and with what to do. */
static void assert_named(const struct cgroup_limits *l, const char *controller)
{
	struct cgroup_place place = { .path = name_of("named"), .is_chosen = true };
	struct cgroup_group g = CGROUP_GROUP_NONE;
	struct err e;
	assert_int_equal(cgroup_prepare(&tree, &place, &l->need, &g, &e), -EOPNOTSUPP);
	snprintf(name_buf, sizeof(name_buf), "controller \"%s\"", controller);
	assert_non_null(strstr(e.text, name_buf));
	assert_non_null(strstr(e.text, "linux.resources."));
	assert_null(strcasestr(e.text, "no such file"));
	assert_null(strcasestr(e.text, "not found"));
	assert_false(exists(place.path));
}

static void limits_memory(void **state)
{
	struct spec_memory m = { .limit = SET(16 << 20), .swap = SET(16 << 20), .reservation = SET(1 << 20) };
	struct spec_resources r = { .memory = &m };
	struct cgroup_limits l;
	struct cgroup_stat st;
	size_t little = 4 << 20, much = 64 << 20;
	uint64_t ooms = 0;
	(void)state;
	arena_auto struct arena a = { 0 };
	plan(&a, &r, &l);
	if (!has_controller("memory")) {
		assert_named(&l, "memory");
		return;
	}
	free_auto char *path = mem_str(name_of("mem"));
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE;
	make(path, true, &l.need, &g);
	assert_ok(limits_apply(g.fd, &l, g.is_fresh, &e_));
	assert_int_equal(status_in(g.fd, eat_memory, &little), 0);
	assert_int_equal(cgroup_oom_count(g.fd, &ooms), 0);
	assert_int_equal(ooms, 0);
	assert_int_equal(status_in(g.fd, eat_memory, &much), 128 + SIGKILL);
	assert_int_equal(cgroup_oom_count(g.fd, &ooms), 0);
	assert_int_equal(ooms, 1);
	assert_ok(cgroup_stat_read(g.fd, &a, &st, &e_));
	assert_int_equal(st.memory.limit.v, 16 << 20);
	assert_int_equal(st.memory.low.v, 1 << 20);
	assert_true(st.memory.peak.v > (size_t)8 << 20);
	/* An update back to no limit lifts it. */
	struct spec_memory none = { .limit = SET(-1) };
	plan(&a, &(struct spec_resources){ .memory = &none }, &l);
	assert_ok(limits_apply(g.fd, &l, false, &e_));
	assert_int_equal(status_in(g.fd, eat_memory, &much), 0);
	/* What the kernel refuses is told with the key, the file and the value. */
	struct pair bad[] = { { "memory.high", "-5" } };
	struct err e;
	plan(&a, &(struct spec_resources){ .unified = { bad, 1 } }, &l);
	assert_int_equal(limits_apply(g.fd, &l, true, &e), -EINVAL);
	assert_string_equal(e.text, "linux.resources.unified.memory.high: memory.high -5: Invalid argument");
	assert_ok(cgroup_remove(&tree, path, 0, 5000, &e_));
}

static void limits_pids(void **state)
{
	struct spec_pids pids = { SET(5) };
	struct cgroup_limits l;
	int many = 50;
	(void)state;
	arena_auto struct arena a = { 0 };
	plan(&a, &(struct spec_resources){ .pids = &pids }, &l);
	if (!has_controller("pids")) {
		assert_named(&l, "pids");
		return;
	}
	free_auto char *path = mem_str(name_of("pids"));
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE;
	make(path, true, &l.need, &g);
	assert_ok(limits_apply(g.fd, &l, g.is_fresh, &e_));
	assert_int_equal(status_in(g.fd, fork_many, &many), 4);
	assert_int_equal(cgroup_kill(g.fd), 0);
	assert_ok(cgroup_remove(&tree, path, 0, 10000, &e_));
}

static void limits_cpu(void **state)
{
	struct spec_cpu c = { .quota = SET(20000), .burst = SET(5000), .shares = SET(512), .cpus = "0" };
	struct cgroup_limits l;
	char text[64];
	(void)state;
	arena_auto struct arena a = { 0 };
	plan(&a, &(struct spec_resources){ .cpu = &c }, &l);
	if (!has_controller("cpu") || !has_controller("cpuset")) {
		assert_named(&l, has_controller("cpu") ? "cpuset" : "cpu");
		return;
	}
	free_auto char *path = mem_str(name_of("cpu"));
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE;
	make(path, true, &l.need, &g);
	assert_ok(limits_apply(g.fd, &l, g.is_fresh, &e_));
	assert_true(attr_read(g.fd, "cpu.max", text, sizeof(text)) > 0);
	assert_string_equal(text, "20000 100000");
	assert_true(attr_read(g.fd, "cpu.weight", text, sizeof(text)) > 0);
	assert_string_equal(text, "59");
	assert_true(attr_read(g.fd, "cpu.max.burst", text, sizeof(text)) > 0);
	assert_string_equal(text, "5000");
	assert_true(attr_read(g.fd, "cpuset.cpus.effective", text, sizeof(text)) > 0);
	assert_string_equal(text, "0");
	/* A new period keeps the quota; a lower quota than the burst goes with a lower burst. */
	struct spec_cpu period = { .period = SET(50000) };
	plan(&a, &(struct spec_resources){ .cpu = &period }, &l);
	assert_ok(limits_apply(g.fd, &l, false, &e_));
	assert_true(attr_read(g.fd, "cpu.max", text, sizeof(text)) > 0);
	assert_string_equal(text, "20000 50000");
	struct spec_cpu lower = { .quota = SET(4000), .burst = SET(1000) };
	plan(&a, &(struct spec_resources){ .cpu = &lower }, &l);
	assert_ok(limits_apply(g.fd, &l, false, &e_));
	struct spec_cpu higher = { .quota = SET(40000), .burst = SET(30000) };
	plan(&a, &(struct spec_resources){ .cpu = &higher }, &l);
	assert_ok(limits_apply(g.fd, &l, false, &e_));
	assert_true(attr_read(g.fd, "cpu.max.burst", text, sizeof(text)) > 0);
	assert_string_equal(text, "30000");
	assert_ok(cgroup_remove(&tree, path, 0, 5000, &e_));
}

static void limits_hugetlb(void **state)
{
	struct spec_hugepage h = { "2MB", SET(4 << 20) };
	struct cgroup_limits l;
	uint64_t v = 0;
	(void)state;
	arena_auto struct arena a = { 0 };
	plan(&a, &(struct spec_resources){ .hugepage_limits = { &h, 1 } }, &l);
	if (!has_controller("hugetlb")) {
		assert_named(&l, "hugetlb");
		return;
	}
	char before[ATTR_MAX];
	free_auto char *path = mem_str(name_of("huge"));
	cgroup_group_auto struct cgroup_group g = CGROUP_GROUP_NONE;
	assert_true(attr_read(tree.fd, "cgroup.subtree_control", before, sizeof(before)) >= 0);
	make(path, true, &l.need, &g);
	assert_ok(limits_apply(g.fd, &l, g.is_fresh, &e_));
	assert_int_equal(attr_u64(g.fd, "hugetlb.2MB.rsvd.max", &v), 0);
	assert_int_equal(v, 4 << 20);
	assert_ok(cgroup_remove(&tree, path, 0, 0, &e_));
	if (!attr_has_word(before, "hugetlb"))
		file_write(tree.fd, "cgroup.subtree_control", "-hugetlb");
}

static void unknown_controller(void **state)
{
	struct pair v[] = { { "novel.max", "1" } };
	struct cgroup_limits l;
	(void)state;
	arena_auto struct arena a = { 0 };
	plan(&a, &(struct spec_resources){ .unified = { v, 1 } }, &l);
	assert_named(&l, "novel");
}

/* ---- surroundings ---- */

static void put_node(const char *name, unsigned major, unsigned minor)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	if (mknod(path, S_IFCHR | 0666, makedev(major, minor)) < 0)
		perror(path);
}

static int set_up(void **state)
{
	struct statfs fs;
	struct err e = { 0 };
	(void)state;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || !mkdtemp(scratch))
		return -1;
	if (statfs("/sys/fs/cgroup", &fs) < 0 || fs.f_type != 0x63677270) {
		umount2("/sys/fs/cgroup", MNT_DETACH);
		if (mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0)
			return -1;
	}
	if (mount("tmpfs", scratch, "tmpfs", 0, NULL) < 0)
		return -1;
	put_node("null", 1, 3);
	put_node("zero", 1, 5);
	put_node("kmsg", 1, 11);
	if (cgroup_tree_open(&tree, &e) < 0) {
		fprintf(stderr, "# %s\n", e.text);
		return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cgroup_tree_done(&tree);
	umount2(scratch, MNT_DETACH);
	return rmdir(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(make_and_remove),
		cmocka_unit_test(keeps_what_was_there),
		cmocka_unit_test(refuses_used_groups),
		cmocka_unit_test(kills_and_removes_all_below),
		cmocka_unit_test(signals_all),
		cmocka_unit_test(freezes),
		cmocka_unit_test(makes_and_removes_in_parallel),
		cmocka_unit_test(gives_to_user),
		cmocka_unit_test(moves_own_processes_to_a_leaf),
		cmocka_unit_test(finds_own_base),
		cmocka_unit_test(denies_devices),
		cmocka_unit_test(kernel_takes_programs),
		cmocka_unit_test(keeps_loaded_programs),
		cmocka_unit_test(limits_memory),
		cmocka_unit_test(limits_pids),
		cmocka_unit_test(limits_cpu),
		cmocka_unit_test(limits_hugetlb),
		cmocka_unit_test(unknown_controller),
	};
	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
