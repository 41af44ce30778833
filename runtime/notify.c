/* SPDX-License-Identifier: Apache-2.0 */
/* See notify.h. */
#include "runtime/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ns/mount.h"
#include "util/fd.h"
#include "util/mem.h"

enum { MESSAGE_MAX = 4096, BARRIER_TIMEOUT_MS = 5000 };

/* sd_notify(3), "Well-known assignments": what does not speak of processes or descriptors. */
static const char *const passed[] = {
	"READY=1", "RELOADING=1", "STOPPING=1", "MONOTONIC_USEC=", "STATUS=", "ERRNO=", "BUSERROR=", "WATCHDOG=",
	"EXTEND_TIMEOUT_USEC=",
};

static const char ready[] = "READY=1", barrier[] = "BARRIER=1";

int notify_make(const struct state_dir *dir, int *ret_tree, struct err *e)
{
	/* The program may be any user of the container. */
	if (mkdirat(dir->fd, "notify", 0755) < 0 || fchmodat(dir->fd, "notify", 0755, 0) < 0)
		return err_sys(e, "state directory: notify");
	fd_auto int tree = mount_clone(dir->fd, "notify", false, false, e);
	/* A socket takes messages on a read-only mount too; what else the program would put there, would fill the host's /run. */
	static const struct mount_options safe = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV,
	};
	int r = tree < 0 ? tree : mount_attributes(tree, &safe, e);
	if (r == 0)
		r = mount_set_propagation(tree, MS_PRIVATE, false, e);
	if (r < 0)
		return err_at(e, r, "NOTIFY_SOCKET");
	*ret_tree = fd_take(&tree);
	return 0;
}

/* The name goes through our own descriptor: see runtime/gate.c. */
int notify_open(struct notify *n, const struct state_dir *dir, struct err *e)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	if (faccessat(dir->fd, "notify", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/notify/" NOTIFY_NAME, dir->fd);
	n->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->socket < 0 || bind(n->socket, (const struct sockaddr *)&name, sizeof(name)) < 0 ||
	    fchmodat(dir->fd, "notify/" NOTIFY_NAME, 0666, 0) < 0)
		return err_sys(e, "socket of NOTIFY_SOCKET");
	return 0;
}

void notify_close(struct notify *n)
{
	fd_drop(&n->socket);
}

/* ---- messages ---- */

/* One descriptor is enough: that of a barrier. */
union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int))];
};

/* The room is aligned, so that the program can have us take a second one: none of them may stay with us. cmsg(3). */
static int fd_of(struct msghdr *m)
{
	int first = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
			int fd;
			memcpy(&fd, (char *)c + at, sizeof(fd));
			if (first < 0)
				first = fd;
			else
				fd_close(fd);
		}
	}
	return first;
}

/* To the service manager; one that does not listen any more is none of the program's business. */
static void send_host(const struct notify *n, const char *text, size_t len, int fd)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	size_t host = strlen(n->host);
	union control control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)text, .iov_len = len };
	memcpy(name.sun_path, n->host, host);
	if (name.sun_path[0] == '@')
		name.sun_path[0] = '\0';
	struct msghdr m = { .msg_name = &name, .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + host) };
	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	fd_auto int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s >= 0)
		sendmsg(s, &m, MSG_NOSIGNAL);
}

static bool is_passed(const char *line, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
		size_t n = strlen(passed[i]);
		if (len >= n && memcmp(line, passed[i], n) == 0 && (len == n || passed[i][n - 1] == '='))
			return true;
	}
	return false;
}

bool notify_take(struct notify *n)
{
	char text[MESSAGE_MAX + 1];
	union control control = { 0 };
	struct iovec iov = { .iov_base = text, .iov_len = MESSAGE_MAX };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(n->socket, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	fd_auto int fd = got < 0 ? -1 : fd_of(&m);
	str_auto struct str out = STR_MAX(2 * MESSAGE_MAX);
	bool is_ready = false;
	if (got <= 0)
		return false;
	text[got] = '\0';
	/* A barrier comes alone. The program waits until its descriptor is closed everywhere: when the host has read on. */
	if ((size_t)got >= sizeof(barrier) - 1 && strncmp(text, barrier, sizeof(barrier) - 1) == 0 && fd >= 0) {
		send_host(n, barrier, sizeof(barrier) - 1, fd);
		return false;
	}
	for (const char *line = text; *line; line += *line == '\n') {
		size_t len = strcspn(line, "\n");
		if (is_passed(line, len))
			str_fmt(&out, "%.*s\n", (int)len, line);
		is_ready = is_ready || (len == sizeof(ready) - 1 && memcmp(line, ready, len) == 0);
		line += len;
	}
	if (is_ready && n->main_pid)
		str_fmt(&out, "MAINPID=%d\n", (int)n->main_pid);
	if (out.len)
		send_host(n, out.p, out.len, -1);
	return is_ready;
}

/* Returns when the service manager has read all that we sent: it could not tell whose it was once we are gone. */
static void wait_barrier(const struct notify *n)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	fd_auto int in = ends[0], out = ends[1];
	send_host(n, barrier, sizeof(barrier) - 1, out);
	fd_drop(&out);
	struct pollfd p = { .fd = in };
	poll(&p, 1, BARRIER_TIMEOUT_MS);
}

int notify_wait(struct notify *n, int pidfd, struct err *e)
{
	struct pollfd p[] = { { .fd = n->socket, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	bool is_ready = false;
	while (!is_ready) {
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return err_sys(e, "wait for the program to be ready");
		if (p[0].revents & POLLIN)
			is_ready = notify_take(n);
		else if (p[1].revents)
			return 0;
	}
	wait_barrier(n);
	return 0;
}
