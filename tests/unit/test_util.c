/* SPDX-License-Identifier: Apache-2.0 */
/* util/: errors, arenas, times, processes, small files, and paths beneath hostile trees by both of their ways. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/arena.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/fd.h"
#include "util/lock.h"
#include "util/mem.h"
#include "util/num.h"
#include "util/path.h"
#include "util/proc.h"
#include "util/sys.h"

/* Makes a link of the tree; a test without it would prove nothing. */
static void put_link(const char *target, int dir, const char *name)
{
	assert_int_equal(symlinkat(target, dir, name), 0);
}

/* ---- errors ---- */

static void err_grows_words(void **state)
{
	(void)state;
	struct err e = { 0 };
	assert_int_equal(err_new(&e, ENOENT, "file %s", "x"), -ENOENT);
	assert_string_equal(e.text, "file x");
	assert_int_equal(err_at(&e, -ENOENT, "layer %d", 3), -ENOENT);
	assert_string_equal(e.text, "layer 3: file x");
	errno = EACCES;
	assert_int_equal(err_sys(&e, "open"), -EACCES);
	assert_string_equal(e.text, "open: Permission denied");
	assert_int_equal(err_ret(&e, -ENOSPC, "write"), -ENOSPC);
	assert_int_equal(e.num, ENOSPC);
	err_clear(&e);
	assert_int_equal(e.num, 0);
	assert_string_equal(e.text, "");
}

static void err_keeps_within_its_room(void **state)
{
	(void)state;
	char *big = malloc(5000);
	memset(big, 'a', 4999);
	big[4999] = '\0';
	struct err e = { 0 };
	err_new(&e, EINVAL, "%s", big);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	for (int i = 0; i < 5; i++)
		err_at(&e, -EINVAL, "prefix");
	assert_memory_equal(e.text, "prefix: prefix: prefix: prefix: prefix: aaa", 43);
	assert_true(strlen(e.text) < ERR_TEXT_MAX);
	err_at(&e, -EINVAL, "%s", big);
	assert_true(strlen(e.text) < ERR_TEXT_MAX);
	free(big);
}

static void err_lets_no_control_characters_through(void **state)
{
	(void)state;
	struct err e = { 0 };
	err_new(&e, EINVAL, "a\033[31mb\nc\td\x7f");
	assert_string_equal(e.text, "a?[31mb c d?");
	err_at(&e, -EINVAL, "x\ry");
	assert_string_equal(e.text, "x?y: a?[31mb c d?");
	/* errno 0 is no success */
	assert_true(err_new(&e, 0, "broken rule") < 0);
}

/* ---- arenas ---- */

static void arena_gives_zeroed_aligned_memory(void **state)
{
	(void)state;
	struct arena a arena_auto = { 0 };
	for (size_t size = 0; size < 40000; size = size * 2 + 1) {
		unsigned char *p = arena_alloc(&a, size);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	char *s = arena_fmt(&a, "%s-%d", "word", 7);
	assert_string_equal(s, "word-7");
	assert_string_equal(arena_strn(&a, "abcdef", 3), "abc");
	arena_done(&a);
	assert_null(a.top);
	assert_string_equal(arena_str(&a, "again"), "again");
}

/* ---- times ---- */

static void clock_writes_what_it_reads(void **state)
{
	(void)state;
	static const struct {
		int64_t sec;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ 951782399, "2000-02-28T23:59:59.000000000Z" },
		{ 951782400, "2000-02-29T00:00:00.000000000Z" },
		{ 1709164800, "2024-02-29T00:00:00.000000000Z" },
		{ 4107542399, "2100-02-28T23:59:59.000000000Z" },
		{ 4107542400, "2100-03-01T00:00:00.000000000Z" },
		{ 1767225599, "2025-12-31T23:59:59.000000000Z" },
	};
	char text[CLOCK_TEXT_MAX];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct timespec t = { .tv_sec = rows[i].sec }, back;
		assert_string_equal(clock_format(t, text), rows[i].text);
		assert_int_equal(clock_parse(text, &back), 0);
		assert_int_equal(back.tv_sec, rows[i].sec);
	}
	struct timespec t;
	assert_int_equal(clock_parse("2000-02-29T01:30:00.5+01:30", &t), 0);
	assert_int_equal(t.tv_sec, 951782400);
	assert_int_equal(t.tv_nsec, 500000000);
	assert_int_equal(clock_parse("2000-02-28T22:30:00-01:30", &t), 0);
	assert_int_equal(t.tv_sec, 951782400);
	static const char *const bad[] = { "", "now", "2000-02-29", "2000-02-29T00:00:00", "2000-02-29T00:00:00+1",
					   "2000-02-29T00:00:00Zx", "2000-13-01T00:00:00Z" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (clock_parse(bad[i], &t) == 0)
			fail_msg("taken: %s", bad[i]);
}

/* ---- processes ---- */

static void proc_tells_a_process_from_another(void **state)
{
	(void)state;
	uint64_t start;
	char letter;
	assert_int_equal(proc_start_time(getpid(), &start, &letter), 0);
	assert_int_equal(letter, 'R');
	int fd = proc_open(getpid(), start);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(proc_open(getpid(), start + 1), -ESRCH);
	assert_int_equal(proc_open(0, start), -ESRCH);
	assert_int_equal(proc_open(-1, start), -ESRCH);
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc_start_time(pid, &start, &letter), 0);
	assert_int_equal(proc_open(pid, start), -ESRCH); /* a zombie */
	waitpid(pid, NULL, 0);
	assert_int_equal(proc_start_time(pid, &start, &letter), -ESRCH);
	assert_int_equal(proc_open(pid, start), -ESRCH);
}

/* A child that does nothing until it is killed, at the latest when the test ends: a check that fails leaves it alone. */
static void linger(void) __attribute__((noreturn));
static void linger(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void proc_reads_odd_command_names(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open("/proc/self/comm", O_WRONLY);
		if (write(fd, "a) R 1 2 (b", 11) != 11)
			_exit(1);
		linger();
	}
	uint64_t start = 0, own = 0;
	char letter = 0;
	for (int tries = 0; letter != 'S' && tries < 200; tries++) {
		usleep(50000);
		assert_int_equal(proc_start_time(pid, &start, &letter), 0);
	}
	assert_int_equal(proc_start_time(getpid(), &own, NULL), 0);
	assert_true(start >= own && start < own + 100000);
	assert_int_equal(letter, 'S');
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void proc_waits_with_a_limit(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		linger();
	int fd = sys_pidfd_open(pid, 0);
	assert_int_equal(proc_wait_end(fd, 20), -ETIMEDOUT);
	assert_int_equal(proc_signal(fd, SIGKILL), 0);
	assert_int_equal(proc_wait_end(fd, -1), 0);
	waitpid(pid, NULL, 0);
	assert_int_equal(proc_signal(fd, SIGKILL), -ESRCH);
	close(fd);
	char boot[37];
	assert_int_equal(proc_boot_id(boot), 0);
	assert_int_equal(strlen(boot), 36);
}

/* ---- a tree to be hostile in ---- */

static char top[] = "/tmp/kist-util.XXXXXX";
static int root = -1;

static void put(const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int make_tree(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	int up = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	root = up;
	put("secret", "secret");
	if (mkdirat(up, "root", 0755) < 0)
		return -1;
	root = openat(up, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(up);
	mkdirat(root, "dir", 0755);
	mkdirat(root, "dir/sub", 0755);
	put("dir/file", "inside");
	put("secret", "inside");
	static const char *const links[][2] = {
		{ "dir", "link" }, { "../secret", "up" }, { "/secret", "absolute" }, { "../../../../../../secret", "far" },
		{ "/dir/file", "file-link" }, { "loop-b", "loop-a" }, { "loop-a", "loop-b" }, { "/nowhere", "dangling" },
		{ "../../../new/run/x/conf", "dir/to-run" }, { "to-run", "dir/to-to-run" },
		{ "/proc/self/root", "magic" }, { ".", "here" }, { "/", "slash" }, { "../../dir", "dir/sub/out" },
	};
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i][0], root, links[i][1]) < 0)
			return -1;
	return mkfifoat(root, "fifo", 0600);
}

static int remove_tree(void **state)
{
	(void)state;
	close(root);
	return file_remove_tree(AT_FDCWD, top);
}

/* Runs a test by openat2 and by the component walk. */
static void both(void (*test)(void))
{
	test();
	path_use_walk(true);
	test();
	path_use_walk(false);
}

/* What is read from path, or the error as text. */
static const char *content(const char *path, enum path_rule rule)
{
	static char text[64];
	int fd = path_open(root, path, rule, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0) {
		snprintf(text, sizeof(text), "%s", strerrorname_np(-fd));
		return text;
	}
	ssize_t n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	return n < 0 ? strerrorname_np(errno) : text;
}

static void check_in_root(void)
{
	static const char *const rows[][2] = {
		{ "dir/file", "inside" }, { "/dir/file", "inside" }, { "//dir///file", "inside" }, { "./dir/./file", "inside" },
		{ "link/file", "inside" }, { "file-link", "inside" }, { "up", "inside" }, { "absolute", "inside" },
		{ "far", "inside" }, { "../secret", "inside" }, { "../../../../secret", "inside" }, { "dir/../secret", "inside" },
		{ "dir/sub/out/file", "inside" }, { "here/here/slash/dir/file", "inside" }, { "link/../secret", "inside" },
		{ "loop-a", "ELOOP" }, { "dangling", "ENOENT" }, { "nothing", "ENOENT" }, { "dir/file/x", "ENOTDIR" },
		{ "dir/file/", "ENOTDIR" }, { "dir", "EISDIR" }, { "", "EISDIR" }, { "/", "EISDIR" }, { "secret/..", "ENOTDIR" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(content(rows[i][0], PATH_IN_ROOT), rows[i][1]) != 0)
			fail_msg("%s: %s, not %s", rows[i][0], content(rows[i][0], PATH_IN_ROOT), rows[i][1]);
	char long_name[400];
	memset(long_name, 'x', 399);
	long_name[399] = '\0';
	assert_string_equal(content(long_name, PATH_IN_ROOT), "ENAMETOOLONG");
}

static void paths_stay_in_the_root(void **state)
{
	(void)state;
	both(check_in_root);
}

static void check_beneath(void)
{
	static const char *const rows[][2] = {
		{ "dir/file", "inside" }, { "/dir/file", "inside" }, { "link/file", "ELOOP" }, { "up", "ELOOP" },
		{ "file-link", "ELOOP" }, { "here/secret", "ELOOP" }, { "../secret", "EXDEV" }, { "dir/../../secret", "EXDEV" },
		{ "nothing", "ENOENT" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(content(rows[i][0], PATH_BENEATH), rows[i][1]) != 0)
			fail_msg("%s: %s, not %s", rows[i][0], content(rows[i][0], PATH_BENEATH), rows[i][1]);
}

static void paths_beneath_follow_nothing(void **state)
{
	(void)state;
	both(check_beneath);
}

static void check_proc(void)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(proc >= 0);
	static const char *const magic[] = { "self/root/etc", "self/cwd", "self/exe", "self/fd/0" };
	for (size_t i = 0; i < ARRAY_LEN(magic); i++) {
		int fd = path_open(proc, magic[i], PATH_IN_ROOT, O_PATH, 0);
		/* The walk cannot tell a magic link from a plain one: it takes its text, which counts from the root. */
		if (fd >= 0) {
			struct stat st, real;
			assert_int_equal(fstat(fd, &st), 0);
			char path[64];
			snprintf(path, sizeof(path), "/proc/%s", magic[i]);
			if (stat(path, &real) == 0)
				assert_false(st.st_dev == real.st_dev && st.st_ino == real.st_ino);
			close(fd);
		}
	}
	close(proc);
}

static void paths_follow_no_magic_links(void **state)
{
	(void)state;
	both(check_proc);
}

static void check_make(void)
{
	file_remove_tree(root, "new");
	file_remove_tree(root, "dir/sub/made");
	int fd = path_make_dirs(root, "/new/a/b/", 0700);
	assert_true(fd >= 0);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(fd);
	/* through a link of the tree, inside of it */
	fd = path_make_dirs(root, "dir/sub/out/sub/made", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(faccessat(root, "dir/sub/made", F_OK, 0), 0);
	/* through links to nothing, whose target is made inside */
	fd = path_make_dirs(root, "dangling/x", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(faccessat(root, "nowhere/x", F_OK, 0), 0);
	file_remove_tree(root, "nowhere");
	assert_int_equal(path_make_dirs(root, "loop-a", 0755), -ELOOP);
	assert_int_equal(path_make_dirs(root, "dir/file", 0755), -ENOTDIR);
	assert_int_equal(path_make_dirs(root, "dir/file/x", 0755), -ENOTDIR);
	assert_int_equal(path_make_dirs(root, "nope/../../x", 0755), -EINVAL);
	fd = path_make_target(root, "new/deep/file", false);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_size == 0);
	close(fd);
	fd = path_make_target(root, "dir/file", false);
	assert_true(fd >= 0);
	close(fd);
	assert_string_equal(content("dir/file", PATH_IN_ROOT), "inside");
	assert_int_equal(path_make_target(root, "dir", false), -EISDIR);
	fd = path_make_target(root, "dangling", false);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(faccessat(AT_FDCWD, "/nowhere", F_OK, 0), -1);
	assert_int_equal(fstatat(root, "nowhere", &st, 0), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(path_make_dirs(root, "dangling/x", 0755), -ENOTDIR);
	unlinkat(root, "nowhere", 0);
	fd = path_make_target(root, "dir/to-to-run", false);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fstatat(root, "new/run/x/conf", &st, 0), 0);
	assert_true(S_ISREG(st.st_mode));
	file_remove_tree(root, "new");
	fd = path_make_target(root, "dir/to-run", true);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fstatat(root, "new/run/x/conf", &st, 0), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(path_make_target(root, "loop-a", false), -ELOOP);
	file_remove_tree(root, "new");
}

static void paths_are_made_inside(void **state)
{
	(void)state;
	both(check_make);
}

static void check_parent(void)
{
	const char *name;
	int fd = path_open_parent(root, "/dir/sub/x", PATH_IN_ROOT, false, &name);
	assert_true(fd >= 0);
	assert_string_equal(name, "x");
	close(fd);
	fd = path_open_parent(root, "plain", PATH_IN_ROOT, false, &name);
	assert_true(fd >= 0);
	assert_string_equal(name, "plain");
	close(fd);
	static const char *const bad[] = { "", "/", "dir/", ".", "..", "dir/.", "dir/.." };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(path_open_parent(root, bad[i], PATH_IN_ROOT, true, &name), -EINVAL);
	assert_int_equal(path_open_parent(root, "none/x", PATH_IN_ROOT, false, &name), -ENOENT);
}

static void parents_are_found(void **state)
{
	(void)state;
	both(check_parent);
}

/* A process that swaps a directory and a link out of the root all the time must not get a single byte out. */
static void check_race(void)
{
	mkdirat(root, "race", 0755);
	mkdirat(root, "race/a", 0755);
	put("race/a/secret", "inside");
	put_link("../../../..", root, "race/b");
	put_link(top, root, "race/c");
	pid_t pid = fork();
	if (pid == 0)
		for (;;) {
			syscall(SYS_renameat2, root, "race/a", root, "race/b", 2);
			syscall(SYS_renameat2, root, "race/a", root, "race/c", 2);
		}
	for (int i = 0; i < 3000; i++) {
		int fd = path_open(root, "race/a/../a/secret", PATH_IN_ROOT, O_RDONLY, 0);
		char text[8] = "";
		if (fd >= 0 && read(fd, text, 7) >= 0)
			assert_string_equal(text, "inside");
		fd_close(fd);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	file_remove_tree(root, "race");
}

static void paths_cannot_be_raced(void **state)
{
	(void)state;
	both(check_race);
}

/* A kernel without openat2, and a filter of ours that does not know it. seccomp(2). */
static void paths_work_without_openat2(void **state)
{
	(void)state;
	static const int nums[] = { ENOSYS, EPERM };
	for (size_t i = 0; i < ARRAY_LEN(nums); i++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct sock_filter code[] = {
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
				BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)nums[i]),
				BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
			};
			struct sock_fprog prog = { ARRAY_LEN(code), code };
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, 2, &prog) < 0)
				_exit(2);
			_exit(strcmp(content("far", PATH_IN_ROOT), "inside") != 0 ||
			      strcmp(content("far", PATH_BENEATH), "ELOOP") != 0);
		}
		int status;
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
	}
}

/* ---- small files ---- */

static void files_are_read_whole_or_not(void **state)
{
	(void)state;
	char *bytes = NULL;
	size_t len;
	assert_int_equal(file_read(root, "dir/file", 100, false, &bytes, &len), 0);
	assert_int_equal(len, 6);
	assert_string_equal(bytes, "inside");
	free(bytes);
	assert_int_equal(file_read(root, "dir/file", 6, false, &bytes, &len), 0);
	free(bytes);
	assert_int_equal(file_read(root, "dir/file", 5, false, &bytes, &len), -EFBIG);
	assert_int_equal(file_read(root, "fifo", 100, false, &bytes, &len), -EINVAL);
	assert_int_equal(file_read(root, "dir", 100, false, &bytes, &len), -EISDIR);
	assert_int_equal(file_read(root, "here", 100, false, &bytes, &len), -ELOOP);
	assert_int_equal(file_read(root, "none", 100, false, &bytes, &len), -ENOENT);
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", 1 << 20, false, &bytes, &len), 0);
	assert_true(len > 100 && strlen(bytes) == len);
	free(bytes);
	assert_int_equal(file_read(AT_FDCWD, "/dev/zero", 100, true, &bytes, &len), -EINVAL);
}

static void files_are_replaced_at_once(void **state)
{
	(void)state;
	assert_int_equal(file_replace(root, "state", "one", 3, 0600), 0);
	struct stat st;
	assert_int_equal(fstatat(root, "state", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_replace_sync(root, "state", "two!", 4, 0600), 0);
	assert_string_equal(content("state", PATH_BENEATH), "two!");
	/* what lies there under the temporary name, somebody else's maybe, gets nothing of it */
	assert_int_equal(file_replace(root, ".state.new", "theirs", 6, 0666), 0);
	assert_int_equal(file_replace_sync(root, "state", "secret", 6, 0600), -EEXIST);
	assert_string_equal(content(".state.new", PATH_BENEATH), "theirs");
	assert_string_equal(content("state", PATH_BENEATH), "two!");
	assert_int_equal(unlinkat(root, ".state.new", 0), 0);
	/* what is a link is replaced, not written through */
	assert_int_equal(file_replace(root, "up", "x", 1, 0600), 0);
	assert_int_equal(fstatat(root, "up", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(unlinkat(root, "up", 0), 0);
	assert_int_equal(symlinkat("../secret", root, "up"), 0);
	assert_int_equal(file_replace(root, "dir", "x", 1, 0600), -EISDIR);
	assert_int_equal(file_write(root, "state", "abc"), 0);
	assert_int_equal(file_write(root, "absent", "abc"), -ENOENT);
	assert_int_equal(file_write(root, "here", "abc"), -ELOOP);
	unlinkat(root, "state", 0);
}

static void trees_are_removed_without_following(void **state)
{
	(void)state;
	mkdirat(root, "gone", 0755);
	mkdirat(root, "gone/a", 0755);
	put("gone/a/file", "x");
	put_link("../dir", root, "gone/link");
	put_link(top, root, "gone/out");
	mkfifoat(root, "gone/fifo", 0600);
	assert_int_equal(file_remove_tree(root, "gone"), 0);
	assert_int_equal(faccessat(root, "gone", F_OK, 0), -1);
	assert_string_equal(content("dir/file", PATH_IN_ROOT), "inside");
	assert_int_equal(file_remove_tree(root, "gone"), -ENOENT);
	put_link("dir", root, "to-dir");
	assert_int_equal(file_remove_tree(root, "to-dir"), 0);
	assert_int_equal(faccessat(root, "dir/file", F_OK, 0), 0);
}

static void descriptors_are_shed(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 10; i < 30; i++)
			dup2(0, i);
		int keep[] = { 20, -1, 12 }, low[] = { 3 };
		fd_close_others(5, keep, 3);
		for (int i = 5; i < 40; i++)
			if ((fcntl(i, F_GETFD) >= 0) != (i == 12 || i == 20))
				_exit(1);
		fd_close_others(5, low, 1); /* 3 is below and stays as it is */
		for (int i = 5; i < 40; i++)
			if (fcntl(i, F_GETFD) >= 0)
				_exit(2);
		_exit(fcntl(0, F_GETFD) >= 0 ? 0 : 3);
	}
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void locks_exclude(void **state)
{
	(void)state;
	int a = openat(root, ".", O_RDONLY | O_DIRECTORY), b = openat(root, ".", O_RDONLY | O_DIRECTORY);
	assert_int_equal(lock_wait(a, false), 0);
	assert_int_equal(lock_try(b, false), -EWOULDBLOCK);
	assert_int_equal(lock_try(b, true), -EWOULDBLOCK);
	close(a);
	assert_int_equal(lock_try(b, true), 0);
	a = openat(root, ".", O_RDONLY | O_DIRECTORY);
	assert_int_equal(lock_try(a, true), 0);
	close(a);
	close(b);
}

static void number_ranges(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "a", "-1", ",1", "3-", "3-a", "18446744073709551616" };
	const char *p = "0-3,7,12";
	uint64_t first, last;
	assert_true(num_range(&p, &first, &last) && first == 0 && last == 3);
	assert_true(num_range(&p, &first, &last) && first == 7 && last == 7);
	assert_true(num_range(&p, &first, &last) && first == 12 && last == 12);
	assert_string_equal(p, "");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *at = bad[i];
		assert_false(num_range(&at, &first, &last));
		assert_ptr_equal(at, bad[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_grows_words),
		cmocka_unit_test(err_keeps_within_its_room),
		cmocka_unit_test(err_lets_no_control_characters_through),
		cmocka_unit_test(arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(clock_writes_what_it_reads),
		cmocka_unit_test(proc_tells_a_process_from_another),
		cmocka_unit_test(proc_reads_odd_command_names),
		cmocka_unit_test(proc_waits_with_a_limit),
		cmocka_unit_test(paths_stay_in_the_root),
		cmocka_unit_test(paths_beneath_follow_nothing),
		cmocka_unit_test(paths_follow_no_magic_links),
		cmocka_unit_test(paths_are_made_inside),
		cmocka_unit_test(parents_are_found),
		cmocka_unit_test(paths_cannot_be_raced),
		cmocka_unit_test(paths_work_without_openat2),
		cmocka_unit_test(files_are_read_whole_or_not),
		cmocka_unit_test(files_are_replaced_at_once),
		cmocka_unit_test(trees_are_removed_without_following),
		cmocka_unit_test(descriptors_are_shed),
		cmocka_unit_test(locks_exclude),
		cmocka_unit_test(number_ranges),
	};
	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
