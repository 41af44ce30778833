/* SPDX-License-Identifier: Apache-2.0 */
/* See hook.h. */
#include "runtime/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fd.h"
#include "util/proc.h"

/* SAID: what a message repeats of a hook's words, its last ones. LAST_READS: for a hook whose children go on writing. */
enum { STACK_BYTES = 64 << 10, SAID = 400, LAST_READS = 32, SECONDS_MAX = INT_MAX / 1000 };

/* A hook that runs. */
struct run {
	const struct hook_call *c;
	int in[2], out[2];      /* its standard input; its standard output and error */
	pid_t pid, parent;
	int pidfd;
	int launcher;           /* above the standard descriptors, as the pipes are */
	size_t sent;            /* of the document, both parts */
	char tail[32];          /* the second part */
	char said[3 * SAID];
	size_t len;
	struct err *e;
	bool is_lost;           /* it could not be executed; e is filled. The child writes it: memory is shared */
};

/* ---- the child, which has our memory until it executes the hook ---- */

static void reset_signals(void)
{
	/* The kernel's struct sigaction, all zero: SIG_DFL. The C library's function refuses the two signals that it has for
	 * itself, and its posix_spawn(3), which make(1) uses, leaves just these ignored. */
	static const unsigned char dfl[64];
	sigset_t none;
	/* Handlers go with execve(2), ignored signals do not. Those that cannot be set say so; it does not matter. */
	for (int i = 1; i < NSIG; i++)
		syscall(SYS_rt_sigaction, i, dfl, NULL, (size_t)NSIG / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int prepare(const struct run *x)
{
	/* The hook ends with us. We may be gone already: prctl(2), PR_SET_PDEATHSIG. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != x->parent || setsid() < 0)
		return err_sys(x->e, "session");
	/* Before the standard descriptors: a caller may have started us without, and then it is one of them. */
	if (x->c->cwd >= 0 && fchdir(x->c->cwd) < 0)
		return err_sys(x->e, "working directory");
	if (dup2(x->in[0], 0) < 0 || dup2(x->out[1], 1) < 0 || dup2(x->out[1], 2) < 0)
		return err_sys(x->e, "standard descriptors");
	umask(0022);
	reset_signals();
	return 0;
}

static int become(const struct run *x)
{
	static struct process_found found;
	const struct hook_call *c = x->c;
	if (c->is_tamed && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(x->e, "no_new_privs");
	if (c->process) {
		if ((size_t)snprintf(found.path, sizeof(found.path), "%s", c->hook->path) >= sizeof(found.path))
			return err_new(x->e, ENAMETOOLONG, "file name too long");
		return process_exec(c->process, &found, x->launcher, -1, x->e);
	}
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return err_sys(x->e, "close_range");
	const char *const only_path[] = { c->hook->path, NULL }, *const empty[] = { NULL };
	const char *const *own = (const char *const *)(uintptr_t)environ;
	const char *const *args = c->hook->args.n ? c->hook->args.v : only_path;
	/* Not given it is kist's own, as with runc and crun, on whose PATH hooks count; [] is none. */
	const char *const *env = c->hook->env.n ? c->hook->env.v : c->hook->env.v ? empty : own;
	execve(c->hook->path, (char *const *)(uintptr_t)args, (char *const *)(uintptr_t)env);
	return err_sys(x->e, "exec");
}

static int child(void *arg)
{
	struct run *x = arg;
	if (prepare(x) == 0)
		become(x);
	x->is_lost = true;
	_exit(127);
}

/* ---- we ---- */

/* What would be overwritten when the child takes its standard descriptors. */
static int move_up(int *fd)
{
	if (*fd < 0 || *fd > 2)
		return 0;
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
	if (moved >= 0)
		*fd = moved;
	return moved < 0 ? -1 : 0;
}

static int open_pipes(struct run *x, struct err *e)
{
	int low[4] = { -1, -1, -1, -1 };
	if (pipe2(x->in, O_CLOEXEC) < 0 || pipe2(x->out, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	int *const ends[4] = { &x->in[0], &x->in[1], &x->out[0], &x->out[1] };
	bool is_moved = move_up(&x->launcher) == 0;
	for (int i = 0; i < 4 && is_moved; i++) {
		low[i] = *ends[i] > 2 ? -1 : *ends[i];
		is_moved = move_up(ends[i]) == 0;
	}
	for (int i = 0; i < 4 && is_moved; i++)
		fd_close_at(&low[i]);
	if (!is_moved)
		return err_sys(e, "descriptors");
	if (fcntl(x->in[1], F_SETFL, O_NONBLOCK) < 0 || fcntl(x->out[0], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "pipe");
	return 0;
}

/* As vfork(2) does it, with a stack of its own: no page table is copied, however large we are. clone(2). */
static int start(struct run *x, struct err *e)
{
	static char stack[STACK_BYTES] __attribute__((aligned(64)));
	sigset_t all, before;
	/* No handler of ours may run in the child. */
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &before) < 0)
		return err_sys(e, "signals");
	x->pid = clone(child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, x, &x->pidfd);
	int num = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = num;
	if (x->pid < 0)
		return err_sys(e, "clone");
	fd_drop(&x->in[0]);
	fd_drop(&x->out[1]);
	return 0;
}

/* Sends what the pipe takes of the document. A hook that does not want it closes its end. */
static void send_state(struct run *x)
{
	size_t first = strlen(x->c->state);
	const char *rest = x->sent < first ? x->c->state + x->sent : x->tail + (x->sent - first);
	size_t len = strlen(rest);
	ssize_t n = write(x->in[1], rest, len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	x->sent += n > 0 ? (size_t)n : 0;
	if (n < 0 || x->sent == first + strlen(x->tail))
		fd_drop(&x->in[1]);
}

/* Takes what it has printed; the last words stay. False: there is nothing more for now. */
static bool hear(struct run *x)
{
	if (x->len > 2 * SAID) {
		memmove(x->said, x->said + x->len - SAID, SAID);
		x->len = SAID;
	}
	ssize_t n = read(x->out[0], x->said + x->len, sizeof(x->said) - x->len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0)
		fd_drop(&x->out[0]);
	else
		x->len += (size_t)n;
	return n > 0;
}

/* Readable as soon as a signal waits for us; -1: signals do what they do anyway. */
static int open_stop(void)
{
	sigset_t held, wanted;
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGHUP);
	sigaddset(&wanted, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, NULL, &held) < 0 || !sigismember(&held, SIGTERM))
		return -1;
	return signalfd(-1, &wanted, SFD_CLOEXEC);
}

/*
 * Until it has ended. -ETIMEDOUT: its time is over, -EINTR: it is not wanted any more. Children that it leaves behind may
 * hold its descriptors on.
 */
static int attend(struct run *x)
{
	enum { IN, OUT, END, STOP, FDS };
	const struct opt_i64 *timeout = &x->c->hook->timeout;
	bool is_limited = timeout->has && timeout->v < SECONDS_MAX;
	fd_auto int stop = x->c->is_stoppable ? open_stop() : -1;
	int64_t end_ms = is_limited ? clock_ms() + timeout->v * 1000 : 0;
	for (;;) {
		struct pollfd p[FDS] = {
			[IN] = { .fd = x->in[1], .events = POLLOUT },
			[OUT] = { .fd = x->out[0], .events = POLLIN },
			[END] = { .fd = x->pidfd, .events = POLLIN },
			[STOP] = { .fd = stop, .events = POLLIN },
		};
		int64_t left_ms = is_limited ? end_ms - clock_ms() : -1;
		int n = poll(p, FDS, is_limited && left_ms < 0 ? 0 : (int)left_ms);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0 && is_limited && clock_ms() >= end_ms)
			return -ETIMEDOUT;
		if (n <= 0)
			continue;
		if (p[END].revents)
			break;
		if (p[STOP].revents)
			return -EINTR;
		if (p[IN].revents)
			send_state(x);
		if (p[OUT].revents)
			hear(x);
	}
	for (int i = 0; i < LAST_READS && x->out[0] >= 0 && hear(x); i++)
		;
	return 0;
}

/* Its words on one line; err_at has no room for more than a part of them. */
static const char *said_line(struct run *x)
{
	size_t from = x->len > SAID ? x->len - SAID : 0;
	x->said[x->len < sizeof(x->said) ? x->len : sizeof(x->said) - 1] = '\0';
	for (char *p = x->said; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	for (size_t len = x->len; len > from && x->said[len - 1] == ' ';)
		x->said[--len] = '\0';
	return x->said + from;
}

static int explain(struct run *x, const siginfo_t *info, struct err *e)
{
	const char *words = said_line(x), *colon = *words ? ": " : "";
	if (info->si_code == CLD_EXITED)
		return err_new(e, ECANCELED, "exit status %d%s%s", info->si_status, colon, words);
	const char *name = sigabbrev_np(info->si_status);
	return err_new(e, ECANCELED, "killed by signal %d (%s)%s%s", info->si_status, name ? name : "?", colon, words);
}

/* It is ours and not reaped before the end of this: its number, which is also that of its group, is still its. */
static int settle(struct run *x, int r, struct err *e)
{
	siginfo_t info = { 0 };
	if (r == -ETIMEDOUT)
		err_new(e, ETIMEDOUT, "timed out after %lld s", (long long)x->c->hook->timeout.v);
	else if (r == -EINTR)
		err_new(e, EINTR, "stopped, because kist got a signal");
	else if (r < 0)
		err_ret(e, r, "wait");
	else if (waitid(P_PID, (id_t)x->pid, &info, WEXITED | WNOWAIT) < 0)
		r = err_sys(e, "wait");
	else if (x->is_lost)
		r = -e->num;
	else if (info.si_code != CLD_EXITED || info.si_status != 0)
		r = explain(x, &info, e);
	if (r < 0) {
		kill(-x->pid, SIGKILL);
		kill(x->pid, SIGKILL);
	}
	while (waitpid(x->pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

static int run(struct run *x, struct err *e)
{
	int r = open_pipes(x, e);
	if (r == 0)
		r = start(x, e);
	if (r == 0)
		r = settle(x, attend(x), e);
	fd_close_at(&x->pidfd);
	for (int i = 0; i < 2; i++) {
		fd_close_at(&x->in[i]);
		fd_close_at(&x->out[i]);
	}
	return r;
}

int hook_run(const struct hook_call *c, struct err *e)
{
	const struct sigaction ign = { .sa_handler = SIG_IGN }, dfl = { .sa_handler = SIG_DFL };
	struct sigaction pipe_before, child_before;
	struct run x = { .c = c, .in = { -1, -1 }, .out = { -1, -1 }, .pidfd = -1, .launcher = c->launcher,
			 .parent = getpid(), .e = e };
	snprintf(x.tail, sizeof(x.tail), ",\"pid\":%d}\n", (int)c->pid);
	/* A hook that does not read must not kill us. Where SIGCHLD is ignored there would be no status: wait(2), "Notes"; a
	 * SIGCHLD that waits for its handler must not be lost by setting another. */
	sigaction(SIGPIPE, &ign, &pipe_before);
	sigaction(SIGCHLD, NULL, &child_before);
	bool is_reaped_by_kernel = child_before.sa_handler == SIG_IGN || (child_before.sa_flags & SA_NOCLDWAIT);
	if (is_reaped_by_kernel)
		sigaction(SIGCHLD, &dfl, NULL);
	int r = run(&x, e);
	if (is_reaped_by_kernel)
		sigaction(SIGCHLD, &child_before, NULL);
	sigaction(SIGPIPE, &pipe_before, NULL);
	return r < 0 ? err_at(e, r, "hooks.%s[%zu] %s", c->kind, c->index, c->hook->path) : 0;
}
