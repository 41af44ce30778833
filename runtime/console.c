/* SPDX-License-Identifier: Apache-2.0 */
/* See console.h. */
#include "runtime/console.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/fd.h"

static int connect_to(const char *what, const char *path, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	if (len >= sizeof(to.sun_path))
		return err_new(e, ENAMETOOLONG, "%s %s: longer than %zu bytes", what, path, sizeof(to.sun_path) - 1);
	memcpy(to.sun_path, path, len);
	fd_auto int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return err_sys(e, "%s %s", what, path);
	return fd_take(&fd);
}

static int send_to(int connection, const char *what, const char *word, int fd, struct err *e)
{
	char bytes[32];
	size_t len = strlen(word);
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec io = { bytes, len };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	memcpy(bytes, word, len);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(connection, &m, MSG_NOSIGNAL) < 0 ? err_sys(e, "%s", what) : 0;
}

int console_connect(const char *path, struct err *e)
{
	return connect_to("console socket", path, e);
}

int console_send(int connection, int master, struct err *e)
{
	/* runc's receivers read a name beside the descriptor; its length is all that they look at. */
	return send_to(connection, "console socket", "/dev/pts/ptmx", master, e);
}

int pidfd_socket_connect(const char *path, struct err *e)
{
	return connect_to("pidfd socket", path, e);
}

int pidfd_socket_send(int connection, int pidfd, const char *word, struct err *e)
{
	return send_to(connection, "pidfd socket", word, pidfd, e);
}
