/* SPDX-License-Identifier: Apache-2.0 */
/* See netdev.h. */
#include "runtime/netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/process.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/sys.h"

/* kist-net FD (HOST NAME)...; the numbers of descriptors do not change over exec. */
static char **words_of(int ns, const struct spec_net_devices *devices, char number[static 16])
{
	char **words = mem_zero(devices->n * 2 + 3, sizeof(*words));
	size_t n = 0;
	snprintf(number, 16, "%d", ns);
	words[n++] = (char *)(uintptr_t) "kist-net";
	words[n++] = number;
	for (size_t i = 0; i < devices->n; i++) {
		const struct spec_net_device *d = &devices->v[i];
		words[n++] = (char *)(uintptr_t)d->key;
		words[n++] = (char *)(uintptr_t)(d->name ? d->name : d->key);
	}
	return words;
}

static void become_helper(const char *program, char **words, int ns, int end)
{
	struct err e = { 0 };
	process_reset_signals();
	if (dup2(end, STDIN_FILENO) < 0 || fcntl(ns, F_SETFD, 0) < 0)
		_exit(126);
	execv(program, words);
	err_sys(&e, "%s", program);
	fd_write_all(STDIN_FILENO, &e, sizeof(e));
	_exit(126);
}

static void reap(struct netdev *n)
{
	fd_drop(&n->end);
	while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The helper's account. */
static int hear(int end, struct err *e)
{
	struct err told;
	ssize_t n = fd_read_all(end, &told, sizeof(told));
	if (n != (ssize_t)sizeof(told))
		return err_new(e, EPIPE, "kist-net: ended without a word");
	told.text[sizeof(told.text) - 1] = '\0';
	if (told.num == 0)
		return 0;
	*e = told;
	e->exit = 0;
	return -e->num;
}

int netdev_move(const char *program, int ns, const struct spec_net_devices *devices, struct netdev *ret, struct err *e)
{
	int ends[2];
	char number[16];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, "linux.netDevices: socket pair");
	fd_auto int ours = ends[0], theirs = ends[1];
	char **words = words_of(ns, devices, number);
	struct clone_args args = { .exit_signal = SIGCHLD };
	struct netdev n = { .pid = sys_clone3(&args) };
	if (n.pid == 0)
		become_helper(program, words, ns, theirs);
	free(words);
	if (n.pid < 0)
		return err_sys(e, "linux.netDevices: clone");
	n.end = fd_take(&ours);
	fd_drop(&theirs);
	int r = hear(n.end, e);
	if (r < 0) {
		reap(&n);
		return r;
	}
	*ret = n;
	return 0;
}

void netdev_keep(struct netdev *n)
{
	if (n->end < 0)
		return;
	/* A helper that somebody has killed takes nothing back either. */
	while (send(n->end, "", 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
	reap(n);
}

void netdev_undo(struct netdev *n)
{
	struct err e = { 0 };
	if (n->end < 0)
		return;
	if (shutdown(n->end, SHUT_WR) == 0 && hear(n->end, &e) < 0)
		log_warn("network devices: %s", e.text);
	reap(n);
}
