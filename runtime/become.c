/* SPDX-License-Identifier: Apache-2.0 */
/* The child's half of process.h: no allocation, no JSON, only the plan. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ns/dev.h"
#include "runtime/filter.h"
#include "runtime/process.h"
#include "util/fd.h"
#include "util/num.h"
#include "util/sys.h"

void process_reset_signals(void)
{
	/* signal(7): ignored signals stay ignored over exec; a caller's SIGPIPE or SIGHUP must not reach the program. */
	static const int usual[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD };
	const struct sigaction dfl = { .sa_handler = SIG_DFL };
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		sigaction(usual[i], &dfl, NULL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static const char *const rlimit_names[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = "RLIMIT_CPU", [RLIMIT_FSIZE] = "RLIMIT_FSIZE", [RLIMIT_DATA] = "RLIMIT_DATA",
	[RLIMIT_STACK] = "RLIMIT_STACK", [RLIMIT_CORE] = "RLIMIT_CORE", [RLIMIT_RSS] = "RLIMIT_RSS",
	[RLIMIT_NPROC] = "RLIMIT_NPROC", [RLIMIT_NOFILE] = "RLIMIT_NOFILE", [RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
	[RLIMIT_AS] = "RLIMIT_AS", [RLIMIT_LOCKS] = "RLIMIT_LOCKS", [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
	[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE", [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
	[RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};

static int set_rlimits(const struct process_plan *p, struct err *e)
{
	for (size_t i = 0; i < p->rlimit_count; i++) {
		const struct process_rlimit *l = &p->rlimits[i];
		if (setrlimit((__rlimit_resource_t)l->type, &l->limit) == 0)
			continue;
		struct rlimit now;
		if (errno != EPERM || getrlimit((__rlimit_resource_t)l->type, &now) < 0)
			return err_sys(e, "process.rlimits[%zu] %s", i, rlimit_names[l->type]);
		return err_new(e, EPERM, "process.rlimits[%zu] %s: hard limit %llu asked, %llu allowed here (raising it "
			       "needs CAP_SYS_RESOURCE, which kist does not have)", i, rlimit_names[l->type],
			       (unsigned long long)l->limit.rlim_max, (unsigned long long)now.rlim_max);
	}
	return 0;
}

static int set_ids(const struct process_plan *p, struct err *e)
{
	if (!p->keeps_groups && setgroups(p->group_count, p->groups) < 0)
		return err_sys(e, "process.user.additionalGids");
	if (setresgid(p->gid, p->gid, p->gid) < 0)
		return err_sys(e, "process.user.gid %u", p->gid);
	if (setresuid(p->uid, p->uid, p->uid) < 0)
		return err_sys(e, "process.user.uid %u", p->uid);
	return 0;
}

/* Outside the root, getcwd(2) gives "(unreachable)/...": a working directory that leads there is refused. */
static int check_cwd(const char *cwd, struct err *e)
{
	char now[4096];
	if (syscall(SYS_getcwd, now, sizeof(now)) < 0)
		return err_sys(e, "process.cwd %s", cwd);
	if (now[0] != '/')
		return err_new(e, EPERM, "process.cwd %s: leads outside the container's root", cwd);
	return 0;
}

/* The home directory of a user, from the container's own /etc/passwd; "/" when it is not told there. */
static void find_home(uid_t uid, char *out, size_t size)
{
	snprintf(out, size, "HOME=/");
	fd_auto int fd = sys_openat2(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0,
				     RESOLVE_NO_MAGICLINKS);
	if (fd < 0 && errno == ENOSYS)
		fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	static char text[65536];
	ssize_t n = fd_read_all(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		/* name:password:uid:gid:comment:home:shell */
		const char *field[6] = { 0 };
		char *p = line;
		size_t k = 0;
		for (; k < 6 && p; k++) {
			field[k] = p;
			p = strpbrk(p, ":\n");
			p = p && *p == ':' ? p + 1 : NULL;
		}
		uint64_t id;
		const char *number = field[2];
		if (k < 6 || !num_take(&number, &id) || *number != ':' || id != uid)
			continue;
		size_t len = strcspn(field[5], ":\n");
		if (len && field[5][0] == '/' && len + 6 <= size)
			snprintf(out, size, "HOME=%.*s", (int)len, field[5]);
		return;
	}
}

static int not_runnable(struct err *e, const char *name, int num)
{
	int r;
	if (num == ENOENT && !strchr(name, '/'))
		r = err_new(e, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
	else if (num == ENOENT)
		r = err_new(e, ENOENT, "exec: \"%s\": no such file or directory", name);
	else if (num == EISDIR)
		r = err_new(e, EISDIR, "exec: \"%s\": is a directory", name);
	else if (num == EACCES)
		r = err_new(e, EACCES, "exec: \"%s\": permission denied", name);
	else
		r = err_new(e, num, "exec: \"%s\": %s", name, strerror(num));
	e->exit = num == ENOENT || num == ENOTDIR ? 127 : 126;
	return r;
}

/* The interpreter of a script, execve(2): "#!path argument". False: no script, or one that cannot be read. */
static bool read_interpreter(const char *path, char out[static 256])
{
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, out, 255);
	if (n < 3 || out[0] != '#' || out[1] != '!')
		return false;
	out[n] = '\0';
	char *start = out + 2 + strspn(out + 2, " \t");
	start[strcspn(start, " \t\n")] = '\0';
	memmove(out, start, strlen(start) + 1);
	return *out;
}

/*
 * Whether a program is kist's own, by way of /proc/self/exe: run in a container, it could be held open there, and be
 * written to once it has ended (CVE-2019-5736). The kernel follows interpreters five times.
 */
static bool is_own_program(const struct process_plan *p, const char *path, const struct stat *given)
{
	struct stat st = *given;
	char script[2][256];
	for (int depth = 0;; depth++) {
		if (st.st_dev == p->own_dev && st.st_ino == p->own_ino)
			return true;
		if (depth > 5 || !S_ISREG(st.st_mode) || !read_interpreter(path, script[depth % 2]))
			return false;
		path = script[depth % 2];
		if (stat(path, &st) < 0)
			return false;
	}
}

/* 0, or the errno that execve(2) would give for this file. */
static int try_program(const struct process_plan *p, const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return errno;
	if (!p->launch && is_own_program(p, path, &st))
		return EACCES;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : S_ISREG(st.st_mode) ? 0 : EACCES;
}

/* execvp(3): a name without a slash is looked for in each directory of PATH; EACCES is remembered, the search goes on. */
static int find_program(const struct process_plan *p, struct process_found *found, struct err *e)
{
	const char *name = p->args[0];
	if (!*name)
		return not_runnable(e, name, ENOENT);
	if (strchr(name, '/')) {
		if (strlen(name) >= sizeof(found->path))
			return not_runnable(e, name, ENAMETOOLONG);
		snprintf(found->path, sizeof(found->path), "%s", name);
		int num = try_program(p, name);
		return num ? not_runnable(e, name, num) : 0;
	}
	int last = ENOENT;
	for (const char *dir = p->path; dir; dir = strchr(dir, ':') ? strchr(dir, ':') + 1 : NULL) {
		int len = (int)strcspn(dir, ":");
		int n = snprintf(found->path, sizeof(found->path), "%.*s/%s", len ? len : 1, len ? dir : ".", name);
		if (n < 0 || (size_t)n >= sizeof(found->path))
			continue;
		int num = try_program(p, found->path);
		if (num == 0)
			return 0;
		if (num == EACCES)
			last = EACCES;
	}
	return not_runnable(e, name, last);
}

int process_terminal(const struct process_plan *p, int root, int *ret_master, int *ret_slave, struct err *e)
{
	int r = dev_terminal(root, ret_master, ret_slave, e);
	if (r < 0)
		return r;
	struct winsize size = { .ws_row = p->rows, .ws_col = p->columns };
	if (size.ws_row && size.ws_col && ioctl(*ret_master, TIOCSWINSZ, &size) < 0)
		return err_sys(e, "process.consoleSize");
	return fchown(*ret_slave, p->uid, (gid_t)-1) < 0 ? err_sys(e, "terminal: owner") : 0;
}

/* Pipes are chowned, so that the program can reopen them as /dev/stdout; files of the caller are left alone. */
static int own_pipe(const struct process_plan *p, int fd, struct err *e)
{
	struct stat st;
	if (!p->uid || fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return 0;
	if (fchown(fd, p->uid, (gid_t)-1) < 0 && errno != EPERM && errno != EROFS)
		return err_sys(e, "standard descriptor %d: owner", fd);
	return 0;
}

int process_stdio(const struct process_plan *p, int slave, const int stdio[static 3], struct err *e)
{
	for (int i = 0; i < 3; i++) {
		int from = slave >= 0 ? slave : stdio[i];
		if (from >= 0 && from != i && dup2(from, i) < 0)
			return err_sys(e, "standard descriptor %d", i);
		int r = slave < 0 ? own_pipe(p, i, e) : 0;
		if (r < 0)
			return r;
	}
	if (slave >= 0 && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		return err_sys(e, "controlling terminal");
	return 0;
}

/* Without no_new_privs a filter takes CAP_SYS_ADMIN. seccomp(2). */
static bool is_filter_privileged(const struct process_plan *p)
{
	return p->filter && !p->no_new_privileges;
}

/*
 * The filter is loaded last of all, so that it judges the program and not what kist still has to do before it; until
 * then CAP_SYS_ADMIN stays where that needs it.
 */
static int set_caps(const struct process_plan *p, struct err *e)
{
	if (!is_filter_privileged(p))
		return caps_apply(&p->caps, e);
	struct caps meanwhile = p->caps;
	meanwhile.permitted |= 1ULL << CAP_SYS_ADMIN;
	meanwhile.effective |= 1ULL << CAP_SYS_ADMIN;
	meanwhile.ambient = 0;
	return caps_apply(&meanwhile, e);
}

int process_become(const struct process_plan *p, struct process_found *found, struct err *e)
{
	int r = set_rlimits(p, e);
	if (r == 0 && (p->attrs.need & ATTRS_BY_CHILD))
		r = attrs_take(&p->attrs, e);
	/* A directory that only root may enter, or only the user: both get their chance. Source: config.md "cwd". */
	bool is_there = r == 0 && (strcmp(p->cwd, "/") == 0 || chdir(p->cwd) == 0);
	if (r == 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		r = err_sys(e, "keep capabilities");
	if (r == 0)
		r = caps_drop_bounding(&p->caps, e);
	if (r == 0)
		r = set_ids(p, e);
	if (r == 0)
		r = set_caps(p, e);
	if (r == 0 && p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_sys(e, "process.noNewPrivileges");
	if (r == 0 && !is_there && chdir(p->cwd) < 0)
		r = err_sys(e, "process.cwd %s", p->cwd);
	if (r == 0 && strcmp(p->cwd, "/") != 0)
		r = check_cwd(p->cwd, e);
	if (r < 0)
		return r;
	umask(p->umask);
	if (p->listen_pid)
		snprintf(p->listen_pid, sizeof("LISTEN_PID=") + 10, "LISTEN_PID=%d", (int)getpid());
	if (!p->has_home) {
		static char home[4102];
		find_home(p->uid, home, sizeof(home));
		p->env[p->env_count] = home;
	}
	return find_program(p, found, e);
}

int process_exec(const struct process_plan *p, const struct process_found *found, int launcher, int report,
		 struct err *e)
{
	/* What a caller leaked into kist must not go on into the container. close_range(2). */
	if (close_range(3 + p->preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC) < 0 && errno != ENOSYS)
		return err_sys(e, "close_range");
	static char name[32];
	bool is_reported = p->launch && launcher >= 0 && p->is_launch_reported;
	/* The launcher closes it on exec again. */
	if (is_reported && fcntl(report, F_SETFD, 0) < 0)
		return err_sys(e, "launcher: report");
	if (is_reported)
		snprintf(name, sizeof(name), "kist-launcher:%d", report);
	int r = filter_load(p, report, e);
	if (r == 0 && is_filter_privileged(p))
		r = caps_apply(&p->caps, e);
	if (r < 0)
		return r;
	if (p->launch && launcher >= 0) {
		p->launch[0] = is_reported ? name : p->launch[0];
		p->launch[1] = found->path;
		syscall(SYS_execveat, launcher, "", p->launch, p->env, AT_EMPTY_PATH);
		return not_runnable(e, p->args[0], errno);
	}
	execve(found->path, (char *const *)(uintptr_t)p->args, (char *const *)(uintptr_t)p->env);
	return not_runnable(e, p->args[0], errno);
}
