/* SPDX-License-Identifier: Apache-2.0 */
/* See guard.h. */
#include "image/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/ingest.h"
#include "util/fd.h"

/* Signals by which people and managers end a command. */
static const int interrupts[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

enum { COUNT = sizeof(interrupts) / sizeof(interrupts[0]) };

/* What the child says at its end: the value is flat. */
struct report {
	int result;
	struct err err;
};

static volatile sig_atomic_t child;

/* A terminal sends its signals to both; what is sent to us alone goes on to the child. */
static void forward(int number)
{
	if (child > 0)
		kill((pid_t)child, number);
}

static void child_main(const struct store *s, int (*run)(const struct store *s, void *ctx, struct err *e), void *ctx,
		       int to, pid_t parent) __attribute__((noreturn));

static void child_main(const struct store *s, int (*run)(const struct store *s, void *ctx, struct err *e), void *ctx,
		       int to, pid_t parent)
{
	struct report report = { .err = { .num = 0 } };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	report.result = run(s, ctx, &report.err);
	if (report.result == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		report.result = err_sys(&report.err, "standard output");
	_exit(fd_write_all(to, &report, sizeof(report)) < 0);
}

static void handle(struct sigaction *old)
{
	struct sigaction act = { .sa_handler = forward, .sa_flags = SA_RESTART };
	sigemptyset(&act.sa_mask);
	for (int i = 0; i < COUNT; i++) {
		sigaction(interrupts[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN)
			sigaction(interrupts[i], &act, NULL);
	}
}

static void unhandle(const struct sigaction *old)
{
	for (int i = 0; i < COUNT; i++)
		sigaction(interrupts[i], &old[i], NULL);
}

/* What the next command does first: it removes what a dead one has left. */
static void clean(const struct store *s)
{
	ingest_auto struct ingest in = INGEST_NONE;
	struct err ignored;
	if (s->dir >= 0)
		ingest_open(s, &in, &ignored);
}

static void end_by(int number) __attribute__((noreturn));

static void end_by(int number)
{
	sigset_t set;
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
	_exit(128 + number);
}

int guard_run(const struct store *s, int (*run)(const struct store *s, void *ctx, struct err *e), void *ctx,
	      struct err *e)
{
	struct report report;
	struct sigaction old[COUNT];
	sigset_t set, before;
	int ends[2], status;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	fd_auto int reader = ends[0];
	fd_auto int writer = ends[1];
	pid_t self = getpid();
	/* A signal between fork and handler would be lost to one of the two. */
	sigemptyset(&set);
	for (int i = 0; i < COUNT; i++)
		sigaddset(&set, interrupts[i]);
	sigprocmask(SIG_BLOCK, &set, &before);
	pid_t pid = fork();
	if (pid < 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return err_sys(e, "fork");
	}
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		child_main(s, run, ctx, writer, self);
	}
	child = pid;
	handle(old);
	sigprocmask(SIG_SETMASK, &before, NULL);
	fd_drop(&writer);
	ssize_t n = fd_read_all(reader, &report, sizeof(report));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	child = 0;
	if (WIFSIGNALED(status)) {
		clean(s);
		unhandle(old);
		end_by(WTERMSIG(status));
	}
	unhandle(old);
	if (n != (ssize_t)sizeof(report))
		return err_new(e, EIO, "ended without a word");
	if (report.result < 0)
		*e = report.err;
	return report.result;
}
