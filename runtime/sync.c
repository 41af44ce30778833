/* SPDX-License-Identifier: Apache-2.0 */
/* See sync.h. */
#include "runtime/sync.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int sync_pair(int ret_ends[static 2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) < 0)
		return err_sys(e, "socket pair");
	return 0;
}

static int send_wire(int end, struct sync_wire *w, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	bool has_text = w->type == SYNC_ERROR || w->type == SYNC_ABORT;
	struct iovec io = { w, offsetof(struct sync_wire, text) + (has_text ? strlen(w->text) + 1 : 0) };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control.room);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	ssize_t n;
	do
		n = sendmsg(end, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int sync_send(int end, enum sync_type type, int value, int fd)
{
	struct sync_wire w = { .type = (int)type, .value = value };
	return send_wire(end, &w, fd);
}

static int send_failure(int end, enum sync_type type, const struct err *err)
{
	struct sync_wire w = { .type = (int)type, .num = err->num, .exit = err->exit };
	memcpy(w.text, err->text, sizeof(w.text));
	w.text[sizeof(w.text) - 1] = '\0';
	int r = send_wire(end, &w, -1);
	/* The container's filter may forbid sendmsg(2), and hardly write(2). */
	size_t len = offsetof(struct sync_wire, text) + strlen(w.text) + 1;
	return r == 0 || r == -EPIPE || write(end, &w, len) != (ssize_t)len ? r : 0;
}

int sync_send_error(int end, const struct err *err)
{
	return send_failure(end, SYNC_ERROR, err);
}

int sync_send_abort(int end, const struct err *err)
{
	return send_failure(end, SYNC_ABORT, err);
}

int sync_receive(int end, struct sync_message *ret)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct sync_wire w = { .type = SYNC_EOF };
	struct iovec io = { &w, sizeof(w) };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control.room) };
	ssize_t n;
	do
		n = recvmsg(end, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	/* The peer's end with our message unread shows as a reset. unix(7). */
	bool is_lost = n < 0 && errno == ECONNRESET;
	if (n < 0 && !is_lost)
		return -errno;
	*ret = (struct sync_message){ .type = is_lost ? SYNC_LOST : SYNC_EOF, .fd = -1 };
	if (n <= 0)
		return 0;
	if ((size_t)n < offsetof(struct sync_wire, text))
		return -EPROTO;
	w.text[sizeof(w.text) - 1] = '\0';
	ret->type = (enum sync_type)w.type;
	ret->value = w.value;
	ret->err.num = w.num;
	ret->err.exit = w.exit;
	memcpy(ret->err.text, w.text, sizeof(w.text));
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&ret->fd, CMSG_DATA(c), sizeof(int));
	return 0;
}

int sync_receive_of(int end, int pidfd, struct sync_message *ret)
{
	struct pollfd p[] = { { .fd = end, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	int n;
	do
		n = poll(p, 2, -1);
	while (n < 0 && errno == EINTR);
	/* Its last word may have come between the looks at the one and at the other. */
	if (n > 0 && !p[0].revents)
		n = poll(p, 1, 0);
	if (n < 0)
		return -errno;
	*ret = (struct sync_message){ .type = SYNC_EOF, .fd = -1 };
	return n > 0 ? sync_receive(end, ret) : 0;
}
