/* SPDX-License-Identifier: Apache-2.0 */
/* See gate.h. */
#include "runtime/gate.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/sync.h"
#include "util/fd.h"
#include "util/mem.h"

/* A state root may be longer than the 107 bytes of a socket's name: the name goes through our own descriptor. */
static struct sockaddr_un gate_name(const struct state_dir *dir)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/gate", dir->fd);
	return name;
}

int gate_make(const struct state_dir *dir, struct err *e)
{
	struct sockaddr_un name = gate_name(dir);
	fd_auto int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 8) < 0)
		return err_sys(e, "gate");
	return fd_take(&fd);
}

/* ---- the process that waits ---- */

/* The exit status of a process that a signal has ended, for whoever waits for us. */
static void end_by(int sig)
{
	_exit(128 + sig);
}

/*
 * The first process of a pid namespace is spared every signal whose default would end it (pid_namespaces(7)), but who
 * sends one to a waiting container wants its end. execve(2) sets handlers back to the default.
 */
static void obey_signals(void)
{
	static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM };
	const struct sigaction end = { .sa_handler = end_by };
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		sigaction(deadly[i], &end, NULL);
}

int gate_wait(int gate)
{
	struct sync_message m = { .type = SYNC_EOF };
	fd_auto int end = -1;
	obey_signals();
	do
		end = accept4(gate, NULL, NULL, SOCK_CLOEXEC);
	while (end < 0 && errno == EINTR);
	if (end < 0)
		return -errno;
	int r = sync_receive(end, &m);
	return r < 0 ? r : m.type == SYNC_GO ? fd_take(&end) : -EPIPE;
}

/* ---- start ---- */

int gate_pass(const struct state_dir *dir, struct listener *l, const struct listener_process *p, bool *ret_is_abort,
	      struct err *e)
{
	*ret_is_abort = false;
	struct sockaddr_un name = gate_name(dir);
	fd_auto int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0)
		return err_sys(e, "gate");
	/* From here on it is not "created" any more: killed now, we leave a process that ends when our end closes. */
	if (unlinkat(dir->fd, "gate", 0) < 0)
		return err_sys(e, "gate");
	int r = sync_send(fd, SYNC_GO, 0, -1);
	struct sync_message m;
	if (r < 0)
		return err_ret(e, r, "gate");
	r = listener_outcome(l, p, fd, &m, e);
	if (r < 0)
		return r;
	if (m.type == SYNC_LOST)
		return err_new(e, EPIPE, "the container's process ended before it could go on");
	if (m.type != SYNC_ERROR && m.type != SYNC_ABORT)
		return 0;
	*ret_is_abort = m.type == SYNC_ABORT;
	*e = m.err;
	return -e->num;
}
