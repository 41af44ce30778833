/* SPDX-License-Identifier: Apache-2.0 */
/* See tty.h. */
#include "runtime/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/fd.h"

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

/* Paths longer than sun_path go through a directory descriptor. unix(7), "Pathname sockets". */
static int connect_to(const char *path, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char short_path[32];
	fd_auto int place = -1;
	fd_auto int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, "console socket %s", path);
	if (strlen(path) >= sizeof(addr.sun_path)) {
		place = open(path, O_PATH | O_CLOEXEC);
		if (place < 0)
			return err_sys(e, "console socket %s", path);
		path = fd_path(place, short_path);
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, "console socket %s", path);
	return fd_take(&fd);
}

int tty_send_master(const char *path, int master, struct err *e)
{
	char name[64] = "/dev/pts/ptmx";
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	fd_auto int fd = connect_to(path, e);

	if (fd < 0)
		return fd;
	if (ptsname_r(master, name, sizeof(name)) != 0)
		memcpy(name, "/dev/pts/ptmx", sizeof("/dev/pts/ptmx"));
	struct iovec iov = { .iov_base = name, .iov_len = strlen(name) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &master, sizeof(int));
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
		return err_sys(e, "console socket %s: send the terminal", path);
	return 0;
}
