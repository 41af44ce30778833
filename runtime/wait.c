/* SPDX-License-Identifier: Apache-2.0 */
/* See wait.h. */
#include "runtime/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/notify.h"
#include "runtime/tty.h"
#include "util/fd.h"
#include "util/proc.h"
#include "util/sys.h"

enum {
	SIGNALLED = 128,
	RELAY_BYTES = 16384,
	PATIENCE = 3,       /* SIGINTs and SIGTERMs until SIGKILL */
	CTRL_D = 4,
};

/* Faults of our own must end us. */
static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };

static void all_signals(sigset_t *set)
{
	sigfillset(set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(set, faults[i]);
}

void wait_block_signals(void)
{
	struct sigaction child = { .sa_handler = SIG_DFL };
	sigset_t set;

	/* A caller that ignores SIGCHLD would make the kernel reap our child without its status. wait(2), "Notes". */
	sigaction(SIGCHLD, &child, NULL);
	all_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int wait_collect(int pidfd, int *ret_status)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0)
		return -errno;
	if (info.si_pid == 0)
		return -EAGAIN;
	*ret_status = info.si_code == CLD_EXITED ? info.si_status : SIGNALLED + info.si_status;
	return 0;
}

/* Passes a signal on. What the kernel sends us for our own doings stays here. */
static void forward(int pidfd, int sig, int *patience)
{
	static const int own[] = { SIGCHLD, SIGPIPE, SIGTTIN, SIGTTOU, SIGURG, SIGIO };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (sig == own[i])
			return;
	if ((sig == SIGINT || sig == SIGTERM) && --*patience <= 0)
		sig = SIGKILL;
	proc_signal(pidfd, sig);
}

/* ---- without a terminal: nothing but signals can happen ---- */

static int wait_plain(int pidfd, int *ret_status, struct err *e)
{
	int patience = PATIENCE;
	sigset_t set;

	all_signals(&set);
	for (;;) {
		int sig = sigwaitinfo(&set, NULL);
		if (sig < 0 && errno != EINTR)
			return err_sys(e, "wait for the program");
		if (sig > 0)
			forward(pidfd, sig, &patience);
		int r = wait_collect(pidfd, ret_status);
		if (r != -EAGAIN)
			return r < 0 ? err_ret(e, r, "wait for the program") : 0;
	}
}

/* ---- with a terminal, or a service manager ---- */

struct relay {
	int master;
	bool is_input;        /* standard input is still read */
	bool is_our_tty;
	bool is_output;       /* standard output still takes bytes */
	char buf[RELAY_BYTES];/* input on its way to the program */
	size_t at, len;
};

/* Takes bytes of standard input while the program has taken the last ones. */
static void read_input(struct relay *r)
{
	ssize_t n = read(STDIN_FILENO, r->buf, sizeof(r->buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	r->at = 0;
	r->len = n > 0 ? (size_t)n : 0;
	if (n > 0)
		return;
	r->is_input = false;
	if (!r->is_our_tty) {
		r->buf[0] = CTRL_D;
		r->len = 1;
	}
}

static void write_input(struct relay *r)
{
	ssize_t n = write(r->master, r->buf + r->at, r->len - r->at);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	r->at = n < 0 ? r->len : r->at + (size_t)n;
	if (r->at == r->len)
		r->at = r->len = 0;
}

/* Moves output until there is none right now. False: the terminal is at its end. */
static bool move_output(struct relay *r)
{
	char out[RELAY_BYTES];

	for (;;) {
		ssize_t n = read(r->master, out, sizeof(out));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		if (r->is_output && fd_write_all(STDOUT_FILENO, out, (size_t)n) < 0)
			r->is_output = false;
		if ((size_t)n < sizeof(out))
			return true;
	}
}

static int take_signal(int sigfd, int pidfd, int master, int *patience)
{
	struct signalfd_siginfo info;

	if (read(sigfd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	if (info.ssi_signo == SIGWINCH)
		tty_resize(master);
	else
		forward(pidfd, (int)info.ssi_signo, patience);
	return (int)info.ssi_signo;
}

static int relay_until_end(struct relay *r, const struct wait_request *rq, int sigfd, int *ret_status, struct err *e)
{
	enum { IN, MASTER, SIGNALS, PROGRAM, NOTIFY, FDS };
	int patience = PATIENCE, pidfd = rq->pidfd;
	bool is_open = r->master >= 0;

	for (;;) {
		struct pollfd p[FDS] = {
			[IN] = { .fd = r->is_input && !r->len ? STDIN_FILENO : -1, .events = POLLIN },
			[MASTER] = { .fd = is_open ? r->master : -1,
				     .events = (short)(POLLIN | (r->len ? POLLOUT : 0)) },
			[SIGNALS] = { .fd = sigfd, .events = POLLIN },
			[PROGRAM] = { .fd = pidfd, .events = POLLIN },
			[NOTIFY] = { .fd = rq->notify ? rq->notify->socket : -1, .events = POLLIN },
		};
		if (poll(p, FDS, -1) < 0 && errno != EINTR)
			return err_sys(e, "relay of the terminal");
		if (p[SIGNALS].revents)
			take_signal(sigfd, pidfd, r->master, &patience);
		if (p[MASTER].revents & POLLOUT)
			write_input(r);
		if (p[MASTER].revents & (POLLIN | POLLHUP | POLLERR))
			is_open = move_output(r);
		if (p[IN].revents)
			read_input(r);
		if (p[NOTIFY].revents)
			notify_take(rq->notify);
		if (!p[PROGRAM].revents)
			continue;
		/* A read flushes what the terminal still holds (n_tty), so an empty read means that all is here. */
		while (is_open && (is_open = move_output(r)) && poll(&p[MASTER], 1, 0) > 0 &&
		       (p[MASTER].revents & POLLIN))
			continue;
		int n = wait_collect(pidfd, ret_status);
		if (n != -EAGAIN)
			return n < 0 ? err_ret(e, n, "wait for the program") : 0;
	}
}

static int wait_terminal(const struct wait_request *rq, int *ret_status, struct err *e)
{
	struct relay r = {
		.master = rq->master, .is_input = rq->is_input && rq->master >= 0, .is_our_tty = isatty(STDIN_FILENO),
		.is_output = true,
	};
	tty_auto struct tty ours = TTY_NONE;
	sigset_t set;

	all_signals(&set);
	fd_auto int sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigfd < 0 || (rq->master >= 0 && fcntl(rq->master, F_SETFL, O_RDWR | O_NONBLOCK) < 0))
		return err_sys(e, "relay of the terminal");
	if (rq->master < 0)
		return relay_until_end(&r, rq, sigfd, ret_status, e);
	int n = rq->is_input ? tty_raw(STDIN_FILENO, &ours, e) : 0;
	if (n < 0)
		return n;
	tty_resize(rq->master);
	return relay_until_end(&r, rq, sigfd, ret_status, e);
}

int wait_program(const struct wait_request *rq, int *ret_status, struct err *e)
{
	return rq->master >= 0 || rq->notify ? wait_terminal(rq, ret_status, e) : wait_plain(rq->pidfd, ret_status, e);
}
