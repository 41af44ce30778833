/* SPDX-License-Identifier: Apache-2.0 */
/* See doctor.h. The table at the end has one row per check. */
#include "engine/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/controllers.h"
#include "cgroup/tree.h"
#include "util/helper.h"
#include "ns/enter.h"
#include "ns/mount.h"
#include "runtime/criu.h"
#include "runtime/rootless.h"
#include "spec/words.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/num.h"
#include "util/proc.h"
#include "util/sys.h"

enum { KERNEL_MAJOR = 5, KERNEL_MINOR = 14 };

struct check {
	struct arena *a;
	struct doctor_check *c;
};

static void found(struct check *k, const char *text)
{
	k->c->found = arena_str(k->a, text);
}

static void missing(struct check *k, enum doctor_state state, const char *text, const char *remedy)
{
	k->c->state = state;
	k->c->found = arena_str(k->a, text);
	k->c->remedy = remedy;
}

static void judge(struct check *k, bool is_there, enum doctor_state otherwise, const char *remedy)
{
	if (is_there)
		found(k, "yes");
	else
		missing(k, otherwise, arena_fmt(k->a, "no: %s", strerror(errno)), remedy);
}

/* Tries something in a child, whose mounts and namespaces go with it. errno is the child's. */
static bool in_child(int (*act)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(act() < 0 ? errno & 0xff : 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return false;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno == 0;
}

/* ---- kernel ---- */

static void check_kernel(struct check *k)
{
	struct utsname u;
	uint64_t v[2] = { 0 };

	if (uname(&u) < 0 || num_list(u.release, ".", v, 2) != 2)
		missing(k, DOCTOR_FAILED, "unknown", "");
	else if (v[0] < KERNEL_MAJOR || (v[0] == KERNEL_MAJOR && v[1] < KERNEL_MINOR))
		missing(k, DOCTOR_FAILED, u.release, "boot Linux 5.14 or later");
	else
		found(k, u.release);
}

/*
 * A call that exists answers wrong arguments with anything but ENOSYS. To root, EPERM is an old seccomp filter around us;
 * to others the calls that mount answer so before they look at arguments.
 */
static void check_calls(struct check *k)
{
	static const struct {
		const char *name;
		long number;
	} calls[] = {
		{ "clone3", SYS_clone3 },         { "openat2", SYS_openat2 },     { "pidfd_open", SYS_pidfd_open },
		{ "fsopen", SYS_fsopen },         { "open_tree", SYS_open_tree }, { "move_mount", SYS_move_mount },
		{ "mount_setattr", SYS_mount_setattr }, { "close_range", SYS_close_range },
		{ "pidfd_send_signal", SYS_pidfd_send_signal },
	};
	str_auto struct str out = STR_MAX(512);

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (syscall(calls[i].number, -1L, -1L, -1L, -1L, -1L, -1L) < 0 &&
		    (errno == ENOSYS || (errno == EPERM && geteuid() == 0)))
			str_fmt(&out, "%s%s", out.len ? ", " : "no ", calls[i].name);
	if (out.len)
		missing(k, DOCTOR_FAILED, out.p, "a newer kernel, or a seccomp filter around kist that knows these calls");
	else
		found(k, "all");
}

/* ---- cgroups ---- */

static void check_cgroup(struct check *k)
{
	struct cgroup_tree t cgroup_tree_auto = CGROUP_TREE_NONE;
	struct err e = { 0 };

	if (cgroup_tree_open(&t, &e) < 0)
		missing(k, DOCTOR_FAILED, e.text, "mount -t cgroup2 none /sys/fs/cgroup");
	else if (t.is_hybrid)
		missing(k, DOCTOR_MISSING, arena_fmt(k->a, "hybrid: cgroup2 on %s beside v1", t.path),
			"boot with systemd.unified_cgroup_hierarchy=1 and cgroup_no_v1=all to have all limits");
	else
		found(k, arena_fmt(k->a, "cgroup2 on %s", t.path));
}

static void check_controllers(struct check *k)
{
	static const char *const wanted[] = { "cpu", "cpuset", "io", "memory", "pids" };
	struct cgroup_tree t cgroup_tree_auto = CGROUP_TREE_NONE;
	char have[512] = " ", text[600];
	str_auto struct str out = STR_MAX(512);
	struct err e = { 0 };

	if (cgroup_tree_open(&t, &e) < 0 || cgroup_controllers(&t, have, sizeof(have)) < 0)
		have[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		char word[16];
		snprintf(text, sizeof(text), " %s ", have);
		snprintf(word, sizeof(word), " %s ", wanted[i]);
		if (!strstr(text, word))
			str_fmt(&out, "%s%s", out.len ? ", " : "no ", wanted[i]);
	}
	if (out.len)
		missing(k, DOCTOR_MISSING, out.p, "limits of these are refused; boot with cgroup_no_v1=all, or have them "
			"delegated");
	else
		found(k, have);
}

/* ---- namespaces and mounts ---- */

static int try_userns(void)
{
	return unshare(CLONE_NEWUSER);
}

static void check_namespaces(struct check *k)
{
	str_auto struct str out = STR_MAX(256);
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[40];
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (access(path, F_OK) < 0)
			str_fmt(&out, "%s%s", out.len ? ", " : "no ", names[i]);
	}
	if (out.len)
		missing(k, DOCTOR_MISSING, out.p, "a kernel built with these namespaces");
	else
		found(k, "all eight");
}

static void check_userns(struct check *k)
{
	judge(k, in_child(try_userns), DOCTOR_MISSING,
	      "sysctl user.max_user_namespaces=10000 (and kernel.unprivileged_userns_clone=1 for users)");
}

/* A tmpfs with three directories and an overlay of them, in a mount namespace that goes with this process. */
static int try_overlay_here(bool is_userns)
{
	static const char *const dirs[] = { "lower", "upper", "work" };
	const struct mount_options none = { .data = "" };
	struct err e = { 0 };
	int fds[ARRAY_LEN(dirs)];
	int tmp = mount_new("tmpfs", NULL, &none, &e);
	int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* Older kernels want the directories of an overlay in a mount that is attached. overlayfs.rst */
	if (tmp >= 0 && mount_attach(tmp, top, &e) < 0)
		tmp = -e.num;
	for (size_t i = 0; tmp >= 0 && i < ARRAY_LEN(dirs); i++) {
		if (mkdirat(tmp, dirs[i], 0755) < 0)
			return -errno;
		fds[i] = openat(tmp, dirs[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	int r = tmp < 0 ? tmp : mount_overlay(&fds[0], 1, fds[1], fds[2], is_userns ? OVERLAY_USERXATTR : 0, &e);
	errno = r < 0 ? -r : 0;
	return r < 0 ? -1 : 0;
}

static int try_overlay(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return try_overlay_here(false);
}

/* As root of a namespace that knows only us. user_namespaces(7) */
static int try_overlay_userns(void)
{
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "0 %u 1", geteuid());
	snprintf(gid, sizeof(gid), "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -1;
	int r = file_write(AT_FDCWD, "/proc/self/setgroups", "deny");
	if (r == 0)
		r = file_write(AT_FDCWD, "/proc/self/uid_map", uid);
	if (r == 0)
		r = file_write(AT_FDCWD, "/proc/self/gid_map", gid);
	errno = -r;
	return r < 0 ? -1 : try_overlay_here(true);
}

static void check_overlay(struct check *k)
{
	judge(k, in_child(try_overlay), DOCTOR_MISSING, "modprobe overlay (images need it; bundles do not), and run as root");
}

static void check_overlay_userns(struct check *k)
{
	judge(k, in_child(try_overlay_userns), DOCTOR_MISSING, "a kernel from 5.11 on, for images without root");
}

/* ---- security ---- */

static void check_seccomp(struct check *k)
{
	static const struct {
		const char *name;
		unsigned action;
	} actions[] = {
		{ "errno", SECCOMP_RET_ERRNO },   { "kill", SECCOMP_RET_KILL_PROCESS }, { "log", SECCOMP_RET_LOG },
		{ "trap", SECCOMP_RET_TRAP },     { "trace", SECCOMP_RET_TRACE },
		{ "notify", SECCOMP_RET_USER_NOTIF },
	};
	str_auto struct str out = STR_MAX(256);

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i].action) == 0)
			str_fmt(&out, "%s%s", out.len ? " " : "", actions[i].name);
	if (out.len)
		found(k, out.p);
	else
		missing(k, DOCTOR_FAILED, "no", "a kernel with CONFIG_SECCOMP_FILTER");
}

/* The smallest device program: it allows everything, and is never attached. */
static void check_bpf(struct check *k)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { 0 };

	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = ARRAY_LEN(code);
	attr.license = (uintptr_t)"Apache-2.0";
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	judge(k, fd >= 0, DOCTOR_MISSING, "a kernel with CONFIG_CGROUP_BPF, and CAP_BPF: device rules are refused without, and "
	      "passed over for users");
	fd_close(fd);
}

static int try_keyring(void)
{
	return sys_join_session_keyring(NULL) < 0 ? -1 : 0;
}

static void check_keyrings(struct check *k)
{
	judge(k, in_child(try_keyring), DOCTOR_MISSING, "a kernel with CONFIG_KEYS, or run with --no-new-keyring");
}

static void check_capabilities(struct check *k)
{
	str_auto struct str out = STR_MAX(2048);
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long long mask = 0;

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "CapEff:", 7) == 0)
			mask = strtoull(line + 7, NULL, 16);
	if (f)
		fclose(f);
	for (const struct jx_word *w = spec_capability_words; w->name; w++)
		if (prctl(PR_CAPBSET_READ, w->value, 0, 0, 0) >= 0 && !(mask >> w->value & 1))
			str_fmt(&out, "%s%s", out.len ? ", " : "no ", w->name);
	if (out.len)
		missing(k, DOCTOR_MISSING, out.p, "run as root with all capabilities: what is missing here cannot be granted");
	else
		found(k, "all");
}

static uint64_t count_ids(struct check *k, const char *file, struct err *e)
{
	struct spec_id_maps maps = { 0 };
	uint64_t n = 0;

	if (enter_read_map(file, k->a, &maps, e) < 0)
		return 0;
	for (size_t i = 0; i < maps.n; i++)
		n += maps.v[i].size.v;
	return n;
}

/* For a user, the command has gone into the namespace that containers get, unless that failed. */
static void check_ids(struct check *k)
{
	struct err e = { 0 };

	if (geteuid() != 0) {
		int r = rootless_enter(NULL, &e);
		missing(k, DOCTOR_FAILED, r < 0 ? e.text : "none", "containers of users need it");
		return;
	}
	uint64_t uids = count_ids(k, "/proc/self/uid_map", &e), gids = count_ids(k, "/proc/self/gid_map", &e);
	if (uids > 1 && gids > 1)
		found(k, !proc_is_in_userns() ? "all" :
			 arena_fmt(k->a, "%" PRIu64 " of users, %" PRIu64 " of groups", uids, gids));
	else
		missing(k, DOCTOR_MISSING, "only the own id", "install uidmap; usermod --add-subuids 100000-165535 --add-subgids "
			"100000-165535 USER");
}

static void check_helper(struct check *k)
{
	struct err e = { 0 };
	free_auto char *path = helper_find(k->c->name, &e);

	if (path)
		found(k, path);
	else
		missing(k, DOCTOR_MISSING, e.text, "make install puts it there; KIST_LIBEXEC names another place");
}

/* Whether it can do its work on this kernel, `criu check` says: that leaves a file in /run. */
static void check_criu(struct check *k)
{
	struct err e = { 0 };
	free_auto char *path = NULL;

	if (criu_find(&path, &e) == 0)
		found(k, path);
	else
		missing(k, DOCTOR_MISSING, e.text, "checkpoint and restore need it: install criu, and use them as root");
}

/* ---- the table ---- */

static const struct {
	const char *name;
	void (*check)(struct check *k);
} checks[] = {
	{ "kernel", check_kernel },
	{ "system calls", check_calls },
	{ "cgroup tree", check_cgroup },
	{ "cgroup controllers", check_controllers },
	{ "namespaces", check_namespaces },
	{ "user namespaces", check_userns },
	{ "overlay", check_overlay },
	{ "overlay in a user namespace", check_overlay_userns },
	{ "seccomp actions", check_seccomp },
	{ "device programs (eBPF)", check_bpf },
	{ "keyrings", check_keyrings },
	{ "capabilities", check_capabilities },
	{ "kist-image", check_helper },
	{ "kist-registry", check_helper },
	{ "kist-net", check_helper },
	{ "kist-systemd", check_helper },
	{ "criu", check_criu },
	{ "ids", check_ids },   /* the last: the checks before are repeated in the namespace, or have been made */
};

const char *doctor_word(enum doctor_state state)
{
	static const char *const words[] = {
		[DOCTOR_OK] = "ok", [DOCTOR_MISSING] = "missing", [DOCTOR_FAILED] = "failed",
	};
	return words[state];
}

void doctor(struct arena *a, struct doctor_check **ret_checks, size_t *ret_count)
{
	struct doctor_check *list = arena_array(a, ARRAY_LEN(checks), sizeof(*list));

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct check k = { .a = a, .c = &list[i] };
		list[i] = (struct doctor_check){ .name = checks[i].name, .found = "", .remedy = "" };
		checks[i].check(&k);
	}
	*ret_checks = list;
	*ret_count = ARRAY_LEN(checks);
}
