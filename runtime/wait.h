/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The foreground: waiting for a child of ours that has become a container's program, passing on signals and, if it has
 * a terminal, every byte between that and our stdio. Callers: engine, cli (exec). Sources: waitid(2) P_PIDFD,
 * sigwaitinfo(2), signalfd(2), pty(7).
 */
#pragma once
#include <stdbool.h>

#include "util/err.h"

/*
 * Blocks all signals that can be, so that none is lost or ends us before what we hold is cleaned up: they wait until
 * wait_program reads them. Once, before the child is made; it gets its signals back by process_reset_signals.
 */
void wait_block_signals(void);

struct notify;

struct wait_request {
	int pidfd;        /* our child */
	int master;       /* its terminal, or -1. Borrowed; becomes non-blocking */
	bool is_input;    /* terminal: our standard input goes to it */
	struct notify *notify;   /* what the program tells a service manager is passed on; NULL: nobody asks. Borrowed */
};

/*
 * Waits for the end of the program. Signals that come are sent to it; the third SIGINT or SIGTERM is sent as SIGKILL,
 * for a program that ignores them. With a terminal: our own is in raw mode meanwhile, sizes follow (SIGWINCH), the
 * program's output is complete when this returns, and the end of an input that is no terminal is told by ^D.
 * *ret_status: the exit status, or 128 + signal.
 */
int wait_program(const struct wait_request *rq, int *ret_status, struct err *e);

/* Collects the status of a child that has ended. -EAGAIN: it has not. */
int wait_collect(int pidfd, int *ret_status);
