/* SPDX-License-Identifier: Apache-2.0 */
/* See enter.h. Sources: user_namespaces(7), newuidmap(1), unshare(2). */
#include "ns/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ns/subid.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/num.h"

enum { SETTING_MAX = 64, MAP_MAX = 64 << 10, TOOL_ROWS = SUBID_RANGES_MAX + 1 };

/* ---- what may forbid it ---- */

/* A number below /proc/sys, or `otherwise` where this kernel has no such setting. */
static uint64_t setting(const char *path, uint64_t otherwise)
{
	free_auto char *text = NULL;
	uint64_t value;
	if (file_read(AT_FDCWD, path, SETTING_MAX, false, &text, NULL) < 0)
		return otherwise;
	const char *p = text;
	return num_take(&p, &value) ? value : otherwise;
}

static int explain_unshare(int num, struct err *e)
{
	if (setting("/proc/sys/user/max_user_namespaces", 1) == 0)
		return err_new(e, num,
			       "user namespace: none is allowed on this host: as root, sysctl -w "
			       "user.max_user_namespaces=15000");
	if (setting("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
		return err_new(e, num,
			       "user namespace: only root may make one on this host: as root, sysctl -w "
			       "kernel.unprivileged_userns_clone=1");
	if (num == ENOSPC)
		return err_new(e, num,
			       "user namespace: the limit user.max_user_namespaces is reached, or 32 are nested");
	if (num == EPERM)
		return err_new(e, num,
			       "user namespace: not permitted: kist runs in a chroot, or a seccomp filter or a "
			       "security module forbids it");
	errno = num;
	return err_sys(e, "user namespace");
}

/* What an AppArmor without a profile for us leaves is a user namespace without any right in it. */
static int explain_powerless(int num, struct err *e)
{
	if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1)
		return err_new(e, num,
			       "user namespace: AppArmor takes its rights away: as root, sysctl -w "
			       "kernel.apparmor_restrict_unprivileged_userns=0, or load a profile for kist with "
			       "\"userns,\"");
	errno = num;
	return err_sys(e, "user namespace: mount namespace of its own");
}

/* ---- the maps ---- */

/* /proc that root has mounted, and not what somebody might have put over it. */
static int open_proc_self(struct err *e)
{
	fd_auto int fd = openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(e, "/proc/self");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return err_new(e, ENODEV, "/proc: not a proc file system");
	return fd_take(&fd);
}

static int write_own(int proc, const char *file, const struct spec_id_map *m, struct err *e)
{
	char line[64];
	snprintf(line, sizeof(line), "%u %u 1\n", m->container_id.v, m->host_id.v);
	int r = file_write(proc, file, line);
	return r < 0 ? err_ret(e, r, "user namespace: %s", file) : 0;
}

/* In this order: without privileges gid_map is refused until setgroups is denied. user_namespaces(7). */
static int map_own(const struct spec_id_maps *uids, const struct spec_id_maps *gids, struct err *e)
{
	fd_auto int proc = open_proc_self(e);
	if (proc < 0)
		return fd_take(&proc);
	int r = file_write(proc, "setgroups", "deny");
	if (r < 0)
		return err_ret(e, r, "user namespace: setgroups");
	r = write_own(proc, "gid_map", &gids->v[0], e);
	return r < 0 ? r : write_own(proc, "uid_map", &uids->v[0], e);
}

const char *enter_find_tool(const char *name, struct arena *a)
{
	const char *path = getenv("PATH");
	const char *all =
		arena_fmt(a, "%s%s/usr/bin:/usr/local/bin:/bin", path ? path : "", path && *path ? ":" : "");
	for (const char *dir = all; *dir; dir += *dir == ':') {
		size_t len = strcspn(dir, ":");
		const char *file = arena_fmt(a, "%.*s/%s", (int)len, dir, name);
		if (*dir == '/' && access(file, X_OK) == 0)
			return file;
		dir += len;
	}
	return NULL;
}

/* A tool that waits until its standard input ends: by then we are in the namespace. */
struct tool {
	const char *path, *name;
	const struct spec_id_maps *maps;
	pid_t pid;
};

static void become_tool(const struct tool *t, pid_t target, int go, int words)
{
	char c, numbers[3 * (TOOL_ROWS) + 1][12];
	const char *argv[3 * (TOOL_ROWS) + 3];
	size_t n = 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(numbers[0], sizeof(numbers[0]), "%d", (int)target);
	argv[n++] = t->name;
	argv[n++] = numbers[0];
	for (size_t i = 0; i < t->maps->n; i++) {
		const uint32_t v[3] = { t->maps->v[i].container_id.v, t->maps->v[i].host_id.v, t->maps->v[i].size.v };
		for (size_t k = 0; k < 3; k++, n++) {
			snprintf(numbers[n - 1], sizeof(numbers[0]), "%u", v[k]);
			argv[n] = numbers[n - 1];
		}
	}
	argv[n] = NULL;
	if (read(go, &c, 1) != 1 || dup2(words, STDOUT_FILENO) < 0 || dup2(words, STDERR_FILENO) < 0)
		_exit(125);
	execv(t->path, (char *const *)(uintptr_t)argv);
	dprintf(STDERR_FILENO, "%s", strerror(errno));
	_exit(125);
}

static int start_tool(struct tool *t, int go[static 2], int words[static 2], struct err *e)
{
	pid_t target = getpid();
	t->pid = fork();
	if (t->pid < 0)
		return err_sys(e, "%s: fork", t->name);
	if (t->pid > 0)
		return 0;
	close(go[1]);
	close(words[0]);
	become_tool(t, target, go[0], words[1]);
	return 0;
}

static int end_tool(struct tool *t)
{
	int status = -1;
	while (t->pid > 0 && waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
		;
	t->pid = 0;
	return status;
}

static int explain_tool(const struct tool *t, int words, struct err *e)
{
	char text[512];
	struct stat st;
	ssize_t n = fd_read_all(words, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	bool is_plain = stat(t->path, &st) == 0 && !(st.st_mode & S_ISUID);
	/* Debian gives it the set-user-ID bit, Fedora capabilities of the file; both are nothing to a process that
	 * has no_new_privs, and on a mount with nosuid. */
	bool is_refused =
		strstr(text, "not permitted") || strstr(text, "open of uid_map") || strstr(text, "write to ");
	const char *why = "";
	if (is_refused && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		why = " (kist was started with no_new_privs, so that it can gain no rights)";
	else if (is_refused && is_plain)
		why = " (it is not set-user-ID root: reinstall the package uidmap, unless its file has capabilities)";
	else if (is_refused)
		why = " (does it lie on a file system mounted with nosuid?)";
	return err_new(e, EPERM, "user namespace: %s: %s%s", t->path, *text ? text : "failed without a word", why);
}

/* Both at once, and both started before we are in the namespace, where they would gain nothing. */
static int map_by_tools(struct tool tools[static 2], int (*act)(struct err *e), struct err *e)
{
	int go[2], words[2];
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	fd_auto int go_in = go[0], go_out = go[1];
	if (pipe2(words, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	fd_auto int words_in = words[0], words_out = words[1];
	int r = start_tool(&tools[0], go, words, e);
	if (r == 0)
		r = start_tool(&tools[1], go, words, e);
	if (r == 0)
		r = act(e);
	if (r == 0 && write(go_out, "gg", 2) != 2)
		r = err_sys(e, "pipe");
	fd_drop(&go_out);
	fd_drop(&go_in);
	fd_drop(&words_out);
	for (size_t i = 0; i < 2; i++)
		if (end_tool(&tools[i]) != 0 && r == 0)
			r = explain_tool(&tools[i], words_in, e);
	return r;
}

static int unshare_both(struct err *e)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ? explain_unshare(errno, e) : 0;
}

int enter_new(const struct spec_id_maps *uids, const struct spec_id_maps *gids, const char *uid_tool,
	      const char *gid_tool, struct err *e)
{
	struct tool tools[2] = { { uid_tool, "newuidmap", uids, 0 }, { gid_tool, "newgidmap", gids, 0 } };
	int r;
	if (uid_tool)
		r = map_by_tools(tools, unshare_both, e);
	else if ((r = unshare_both(e)) == 0)
		r = map_own(uids, gids, e);
	if (r < 0)
		return r;
	return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ? explain_powerless(errno, e) : 0;
}

int enter_given(int fd, struct err *e)
{
	return setns(fd, CLONE_NEWUSER) < 0 ? err_sys(e, "user namespace: join") : 0;
}

int enter_own_mounts(struct err *e)
{
	struct stat owner, own;
	fd_auto int mnt = openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	fd_auto int of = mnt < 0 ? -1 : ioctl(mnt, NS_GET_USERNS);
	/* EPERM: it belongs to a namespace that we are not in and cannot see. ioctl_nsfs(2). */
	if (mnt < 0 || (of < 0 && errno != EPERM) || stat("/proc/self/ns/user", &own) < 0)
		return err_sys(e, "own mount namespace");
	if (of >= 0 && fstat(of, &owner) == 0 && owner.st_ino == own.st_ino && owner.st_dev == own.st_dev)
		return 0;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return explain_powerless(errno, e);
	return 0;
}

bool enter_is_setgroups_denied(void)
{
	free_auto char *text = NULL;
	return file_read(AT_FDCWD, "/proc/self/setgroups", SETTING_MAX, false, &text, NULL) == 0 &&
	       strncmp(text, "deny", 4) == 0;
}

int enter_read_map(const char *file, struct arena *a, struct spec_id_maps *ret, struct err *e)
{
	free_auto char *text = NULL;
	uint64_t v[3];
	size_t lines = 0;
	int r = file_read(AT_FDCWD, file, MAP_MAX, false, &text, NULL);
	if (r < 0)
		return err_ret(e, r, "%s", file);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	*ret = (struct spec_id_maps){ .v = arena_array(a, lines + 1, sizeof(*ret->v)) };
	for (const char *p = text; ret->n < lines && num_list(p, " ", v, 3) == 3; p = strchr(p, '\n') + 1)
		ret->v[ret->n++] = (struct spec_id_map){
			{ true, (uint32_t)v[0] },
			{ true, (uint32_t)v[1] },
			{ true, (uint32_t)v[2] },
		};
	return 0;
}
