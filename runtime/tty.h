/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own terminal while a container uses it: raw mode and size. Callers: runtime/wait, engine and cli in the
 * foreground. Sources: termios(3), ioctl_tty(2).
 *
 * Raw mode ends with the scope of `struct tty`. Whoever holds one has blocked the signals (runtime/wait.h), so that no
 * signal but SIGKILL can end the process without passing through that scope.
 */
#pragma once
#include <stdbool.h>
#include <termios.h>

#include "util/err.h"

/* A terminal of ours in raw mode. */
struct tty {
	int fd;                /* borrowed; -1: nothing to restore */
	struct termios saved;
};

#define TTY_NONE ((struct tty){ .fd = -1 })

/* Puts the terminal behind `fd` into raw mode. What is no terminal stays as it is, and `ret` restores nothing. */
int tty_raw(int fd, struct tty *ret, struct err *e);
void tty_restore(struct tty *t);

#define tty_auto __attribute__((cleanup(tty_restore)))

/* Rows and columns of the first terminal among our descriptors 0, 1 and 2; both 0: there is none. */
void tty_size(unsigned short *ret_rows, unsigned short *ret_columns);

/*
 * For output that goes to no terminal of ours: the terminal behind `master` no longer turns "\n" into "\r\n", as runc has
 * it. To be called before the program runs.
 */
void tty_plain_lines(int master);

/* Gives a master the size of our terminal, if we have one. The kernel sends SIGWINCH to the container. */
void tty_resize(int master);
