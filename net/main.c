/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist-net: moves network devices into a container for kist, which executes it as
 *
 *     kist-net FD (HOST NAME)...
 *
 * FD is the container's network namespace. Standard input is a socket: kist hears over it how the move went (a struct
 * err), and says one byte once the container is made. Its end without that byte, be it that the container could not be
 * made or that kist was killed, takes every device back, and a second struct err tells how that went.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/move.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/num.h"

static int answer(const struct err *e)
{
	return fd_write_all(STDIN_FILENO, e, sizeof(*e));
}

/* A signal to the whole foreground must not end us between two steps: kist's end tells us all that we must know. */
static void ignore_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		signal(signals[i], SIG_IGN);
}

/* Waits for kist's word. */
static bool is_kept(void)
{
	char byte;
	return fd_read_all(STDIN_FILENO, &byte, 1) == 1;
}

static int serve(struct sides *s, struct move *v, size_t n)
{
	struct err e = { 0 };
	int r = moves_check(s, v, n, &e);
	if (r == 0)
		r = moves_do(s, v, n, &e);
	int told = answer(&e);
	if (r < 0 || (told == 0 && is_kept()))
		return r < 0;
	err_clear(&e);
	moves_undo(s, v, n, &e);
	answer(&e);
	return 1;
}

int main(int argc, char **argv)
{
	struct sides s;
	struct err e = { 0 };
	uint64_t fd;
	if (argc < 4 || argc % 2 != 0 || num_list(argv[1], "", &fd, 1) != 1) {
		fprintf(stderr, "kist-net is executed by kist, for linux.netDevices\n");
		return 2;
	}
	ignore_signals();
	if (sides_open((int)fd, &s, &e) < 0) {
		answer(&e);
		return 1;
	}
	size_t n = ((size_t)argc - 2) / 2;
	struct move *v = mem_zero(n, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		v[i].host = argv[2 + 2 * i];
		v[i].name = argv[3 + 2 * i];
	}
	int status = serve(&s, v, n);
	moves_done(v, n);
	free(v);
	sides_close(&s);
	return status;
}
