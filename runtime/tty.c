/* SPDX-License-Identifier: Apache-2.0 */
/* See tty.h. */
#include "runtime/tty.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

int tty_raw(int fd, struct tty *ret, struct err *e)
{
	struct termios t;

	*ret = TTY_NONE;
	if (tcgetattr(fd, &t) < 0)
		return errno == ENOTTY || errno == EINVAL || errno == EBADF ? 0 : err_sys(e, "terminal: read its mode");
	ret->saved = t;
	cfmakeraw(&t);
	if (tcsetattr(fd, TCSADRAIN, &t) < 0)
		return err_sys(e, "terminal: raw mode");
	ret->fd = fd;
	return 0;
}

void tty_restore(struct tty *t)
{
	int saved = errno;

	if (t->fd >= 0)
		tcsetattr(t->fd, TCSADRAIN, &t->saved);
	t->fd = -1;
	errno = saved;
}

void tty_size(unsigned short *ret_rows, unsigned short *ret_columns)
{
	struct winsize size = { 0 };

	*ret_rows = *ret_columns = 0;
	for (int fd = 0; fd <= 2; fd++) {
		if (ioctl(fd, TIOCGWINSZ, &size) < 0)
			continue;
		*ret_rows = size.ws_row;
		*ret_columns = size.ws_col;
		return;
	}
}

void tty_resize(int master)
{
	struct winsize size = { 0 };

	tty_size(&size.ws_row, &size.ws_col);
	if (size.ws_row && size.ws_col)
		ioctl(master, TIOCSWINSZ, &size);
}

void tty_plain_lines(int master)
{
	struct termios t;
	if (isatty(STDOUT_FILENO) || tcgetattr(master, &t) < 0)
		return;
	t.c_oflag &= ~(tcflag_t)ONLCR;
	tcsetattr(master, TCSANOW, &t);
}
