/* SPDX-License-Identifier: Apache-2.0 */
/* See restore_verify.h. */
#include "runtime/restore_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/pids.h"
#include "ns/kinds.h"
#include "util/fd.h"
#include "util/mem.h"

enum { STATUS_FILE_MAX = 65536 };

/* A number of /proc/PID/status, "CapBnd:\t0000000020000420"; all bits when it is not there, so that it is refused. */
static uint64_t field(const char *status, const char *name, int base)
{
	const char *p = status ? strstr(status, name) : NULL;
	return p ? strtoull(p + strlen(name), NULL, base) : UINT64_MAX;
}

static int check_caps(const struct plan *p, const char *status, pid_t pid, struct err *e)
{
	static const char *const sets[] = {"\nCapInh:", "\nCapPrm:", "\nCapEff:", "\nCapBnd:", "\nCapAmb:"};
	const struct caps *c = &p->process.caps;
	uint64_t allowed = c->bounding | c->effective | c->inheritable | c->permitted | c->ambient;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		uint64_t extra = field(status, sets[i], 16) & ~allowed;
		if (!extra)
			continue;
		str_auto struct str names = STR_MAX(2000);
		caps_print(&names, extra);
		return err_new(e, EPERM, "the images give process %d capabilities that config.json does not: %s",
			       (int)pid, names.p ? names.p : "");
	}
	return 0;
}

/* Names of one kind lead to the same file for all processes of a namespace. */
static int check_namespaces(const struct plan *p, int proc, pid_t pid, struct err *e)
{
	uint64_t wanted = p->new_ns | (p->need & NEED_CGROUPNS ? CLONE_NEWCGROUP : 0);
	for (size_t i = 0; i < ns_kinds_count; i++) {
		char theirs[32], ours[48];
		struct stat a, b;
		if (!(wanted & (uint64_t)ns_kinds[i].flag))
			continue;
		snprintf(theirs, sizeof(theirs), "ns/%s", ns_kinds[i].file);
		snprintf(ours, sizeof(ours), "/proc/self/ns/%s", ns_kinds[i].file);
		if (fstatat(proc, theirs, &a, 0) < 0 || stat(ours, &b) < 0)
			return err_sys(e, "process %d: %s namespace", (int)pid, ns_kinds[i].word);
		if (a.st_ino == b.st_ino && a.st_dev == b.st_dev)
			return err_new(e, EPERM,
				       "the images put process %d into the host's %s namespace, and linux.namespaces "
				       "asks for "
				       "a new one",
				       (int)pid, ns_kinds[i].word);
	}
	return 0;
}

/*
 * Opens /proc/PID and reads its status, which the caller frees. -ESRCH: there is nothing to look at. That is so for
 * criu too, which is in the group with --manage-cgroups-mode ignore: a child of ours, as the init is.
 */
static int open_process(pid_t pid, pid_t init, char **ret_status)
{
	char path[32];
	size_t len;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd_auto int proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = proc < 0 ? -errno : file_read(proc, "status", STATUS_FILE_MAX, false, ret_status, &len);
	if (r == -ENOENT || (r == 0 && pid != init && field(*ret_status, "\nPPid:", 10) == (uint64_t)getpid()))
		return -ESRCH;
	return r < 0 ? r : fd_take(&proc);
}

static int check_process(const struct plan *p, pid_t pid, pid_t init, struct err *e)
{
	free_auto char *status = NULL;
	fd_auto int proc = open_process(pid, init, &status);
	if (proc < 0)
		return proc == -ESRCH ? 0 : err_ret(e, proc, "process %d", (int)pid);
	int r = 0;
	if (p->need & NEED_PROCESS) {
		r = check_caps(p, status, pid, e);
		if (r == 0 && p->process.no_new_privileges && field(status, "\nNoNewPrivs:", 10) != 1)
			return err_new(e, EPERM, "the images leave process %d without process.noNewPrivileges",
				       (int)pid);
		if (r == 0 && p->process.filter && field(status, "\nSeccomp:", 10) != SECCOMP_MODE_FILTER)
			return err_new(e, EPERM, "the images leave process %d without linux.seccomp", (int)pid);
	}
	return r < 0 ? r : check_namespaces(p, proc, pid, e);
}

static void stop_process(pid_t pid, pid_t init)
{
	free_auto char *status = NULL;
	fd_auto int proc = open_process(pid, init, &status);
	/* criu holds it: the number is still its. */
	if (proc >= 0)
		kill(pid, SIGSTOP);
}

int restore_verify(const struct plan *p, int group, pid_t init, struct err *e)
{
	free_auto pid_t *pids = NULL;
	size_t n = 0;
	int r = group < 0 ? 0 : cgroup_pids(group, true, &pids, &n);
	if (r < 0)
		err_ret(e, r, "list the group");
	else
		r = check_process(p, init, init, e);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = check_process(p, pids[i], init, e);
	if (r == 0)
		return 0;
	stop_process(init, init);
	for (size_t i = 0; i < n; i++)
		stop_process(pids[i], init);
	return r;
}
