/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject [-t SECONDS] [-r REPORT] [-a] [-f ROLE:N:WHAT] COMMAND [ARG...]
 *
 * Runs a command under ptrace(2) and makes one of its system calls go wrong. Used by tests/faults/faults.py. Processes
 * and threads are roles, numbered in the order in which they were cloned: 0 is the command itself. N counts the system
 * calls of a role from 1. WHAT is `kill` (SIGKILL instead of the call) or an errno number (the call is not made, and
 * fails with it, close(2) apart, which does its work whatever it returns).
 *
 * Why not strace -e inject: its counter (6.1, Debian 12) is one per process and system call name, and the same for all
 * processes of -f. A fault meant for the third openat of a child thus hits its parent first, and a child alone cannot
 * be named. Here each call of each process is hit once, and a run costs less than strace's own start.
 *
 * REPORT gets one line per event: "call ROLE N NAME" for each call (with -a), "exec ROLE N PATH", "hit ROLE N NAME",
 * "hang ROLE WCHAN SYSCALL" for what has not ended within SECONDS (it is killed then), "end STATUS". Exit status: the
 * command's; 128+n for signal n. Whatever of its processes lives on when the command ends, lives on untraced.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/ptrace.h>

#ifndef __x86_64__
#error "registers are set as on x86-64"
#endif

enum { ROLES_MAX = 4096, KILL = -1, NEVER = -1 };

struct role {
	pid_t pid;
	unsigned n;        /* calls so far */
	bool is_live, is_hit;
};

struct run {
	struct role roles[ROLES_MAX];
	int count;
	int want_role, want_what;
	unsigned want_n;
	bool wants_all, is_begun;  /* is_begun: the command is executed; before that, it is this program */
	FILE *report;
};

static volatile sig_atomic_t is_late;

static void on_alarm(int sig)
{
	(void)sig;
	is_late = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* A process may show before its parent's clone event does. */
static int role_of(struct run *r, pid_t pid)
{
	for (int i = r->count - 1; i >= 0; i--)
		if (r->roles[i].pid == pid && r->roles[i].is_live)
			return i;
	if (r->count == ROLES_MAX) {
		errno = ENOSPC;
		die("processes");
	}
	r->roles[r->count] = (struct role){ .pid = pid, .is_live = true };
	return r->count++;
}

static const char *name_of(uint64_t nr, char buf[static 32])
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)nr);
	snprintf(buf, 32, "%s", name ? name : "?");
	free(name);
	return buf;
}

static void set_register(pid_t pid, size_t offset, uint64_t value)
{
	ptrace(PTRACE_POKEUSER, pid, offset, value);
}

static void on_entry(struct run *r, int i, uint64_t nr)
{
	struct role *role = &r->roles[i];
	char name[32];
	if (!r->is_begun)
		return;
	role->n++;
	if (r->wants_all)
		fprintf(r->report, "call %d %u %s\n", i, role->n, name_of(nr, name));
	if (i != r->want_role || role->n != r->want_n)
		return;
	/* Threads do not make the same calls each time: what cannot fail does not. See NOT_FAILING in faults.py. */
	if (r->want_what != KILL && (nr == SYS_futex || nr == SYS_getpid || nr == SYS_getppid || nr == SYS_gettid ||
				     nr == SYS_rt_sigprocmask))
		return;
	fprintf(r->report, "hit %d %u %s\n", i, role->n, name_of(nr, name));
	if (r->want_what == KILL) {
		kill(role->pid, SIGKILL);
		return;
	}
	role->is_hit = true;
	if (nr != SYS_close)
		set_register(role->pid, offsetof(struct user_regs_struct, orig_rax), (uint64_t)-1);
}

static void on_exit_stop(struct run *r, int i)
{
	struct role *role = &r->roles[i];
	if (!role->is_hit)
		return;
	role->is_hit = false;
	set_register(role->pid, offsetof(struct user_regs_struct, rax), (uint64_t)-(int64_t)r->want_what);
}

static void on_exec(struct run *r, int i)
{
	char link[40], path[256];
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)r->roles[i].pid);
	ssize_t len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	r->is_begun = true;
	fprintf(r->report, "exec %d %u %s\n", i, r->roles[i].n, path);
}

/* One stop of a tracee; then it goes on. */
static void on_stop(struct run *r, pid_t pid, int status)
{
	int i = role_of(r, pid), sig = WSTOPSIG(status), event = status >> 16, give = 0;
	struct __ptrace_syscall_info info = { 0 };
	if (sig == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0) {
			if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
				on_entry(r, i, info.entry.nr);
			else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
				on_exit_stop(r, i);
		}
	} else if (event == PTRACE_EVENT_EXEC) {
		on_exec(r, i);
	} else if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) {
		unsigned long child = 0;
		if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &child) == 0)
			role_of(r, (pid_t)child);
	} else if (event == 0) {
		give = sig;
	}
	ptrace(PTRACE_SYSCALL, pid, 0, give);
}

static void read_line(pid_t pid, const char *file, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static void on_hang(struct run *r)
{
	char where[128], call[256];
	for (int i = 0; i < r->count; i++) {
		if (!r->roles[i].is_live)
			continue;
		read_line(r->roles[i].pid, "wchan", where, sizeof(where));
		read_line(r->roles[i].pid, "syscall", call, sizeof(call));
		fprintf(r->report, "hang %d %s %s\n", i, where, call);
	}
	for (int i = 0; i < r->count; i++)
		if (r->roles[i].is_live)
			kill(r->roles[i].pid, SIGKILL);
}

static int trace(struct run *r)
{
	bool is_told = false;
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		if (is_late && !is_told) {
			is_told = true;
			on_hang(r);
		}
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			die("wait");
		if (WIFSTOPPED(status)) {
			on_stop(r, pid, status);
			continue;
		}
		int i = role_of(r, pid);
		r->roles[i].is_live = false;
		if (i > 0)
			continue;
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		fprintf(r->report, "end %d\n", code);
		return code;
	}
}

static pid_t begin(char **argv)
{
	int go[2];
	char c;
	if (pipe2(go, O_CLOEXEC) < 0)
		die("pipe");
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &c, 1) < 0)
			_exit(125);
		execvp(argv[0], argv);
		die(argv[0]);
	}
	close(go[0]);
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
		       PTRACE_O_TRACEVFORK;
	if (ptrace(PTRACE_SEIZE, pid, 0, options) < 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
		die("ptrace");
	close(go[1]);
	return pid;
}

int main(int argc, char **argv)
{
	static struct run r = { .want_role = NEVER };
	struct sigaction act = { .sa_handler = on_alarm };
	int opt, seconds = 10;
	const char *report = "/dev/null";
	while ((opt = getopt(argc, argv, "+t:r:af:")) != -1) {
		char what[16];
		if (opt == 't')
			seconds = atoi(optarg);
		else if (opt == 'r')
			report = optarg;
		else if (opt == 'a')
			r.wants_all = true;
		else if (opt != 'f' || sscanf(optarg, "%d:%u:%15s", &r.want_role, &r.want_n, what) != 3)
			return 125;
		else
			r.want_what = strcmp(what, "kill") == 0 ? KILL : atoi(what);
	}
	if (optind >= argc)
		return 125;
	r.report = fopen(report, "we");
	if (!r.report)
		die(report);
	sigaction(SIGALRM, &act, NULL);
	/* Again and again: the first may come just before a wait. */
	struct itimerspec when = { .it_value.tv_sec = seconds, .it_interval.tv_nsec = 100000000 };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	timer_t timer;
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) < 0 || timer_settime(timer, 0, &when, NULL) < 0)
		die("timer");
	role_of(&r, begin(argv + optind));
	int code = trace(&r);
	fclose(r.report);
	return code;
}
