/* SPDX-License-Identifier: Apache-2.0 */
/* See listener.h. */
#include "runtime/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "spec/load.h"
#include "util/fd.h"

/* ---- the message ---- */

struct process_state {
	const char *oci_version, *metadata;
	struct strs fds;
	struct opt_i32 pid;
	struct container_state *state;
};

struct container_state {
	const char *oci_version, *id, *status, *bundle;
	struct opt_i32 pid;
	struct pairs annotations;
};

static const struct jx_field container_rows[] = {
	JX_STR(struct container_state, oci_version, "ociVersion"),
	JX_STR(struct container_state, id, "id"),
	JX_STR(struct container_state, status, "status"),
	JX_I32(struct container_state, pid, "pid"),
	JX_STR(struct container_state, bundle, "bundle"),
	JX_PAIRS(struct container_state, annotations, "annotations"),
	JX_END,
};

static const struct jx_field process_rows[] = {
	JX_STR(struct process_state, oci_version, "ociVersion"),
	JX_STRS(struct process_state, fds, "fds"),
	JX_I32(struct process_state, pid, "pid"),
	JX_STR(struct process_state, metadata, "metadata"),
	JX_OBJ(struct process_state, state, "state", struct container_state, container_rows),
	JX_END,
};

static void print(const struct listener *l, const struct listener_process *p, struct str *out)
{
	const char *names[] = { "seccompFd", NULL };
	struct container_state c = {
		.oci_version = "1.3.0",
		.id = p->state->id,
		.bundle = p->state->bundle,
		.status = state_word(p->is_exec ? STATUS_RUNNING : STATUS_CREATING),
		.pid = { .has = true, .v = p->init },
		.annotations = p->state->annotations,
	};
	const struct process_state s = {
		.oci_version = "1.3.0",
		.fds = { .v = names, .n = 1 },
		.pid = { .has = true, .v = p->pid },
		.metadata = l->metadata,
		.state = &c,
	};
	jx_print(out, process_rows, &s, 0);
}

/* The descriptor goes with the first bytes; what the socket's buffer has no room for follows. unix(7), SCM_RIGHTS. */
static int send_all(int socket, const struct str *text, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec io = { text->p, text->len };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.room)
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	while (io.iov_len) {
		ssize_t n = sendmsg(socket, &m, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		io.iov_base = (char *)io.iov_base + n;
		io.iov_len -= (size_t)n;
		m.msg_control = NULL;
		m.msg_controllen = 0;
	}
	return 0;
}

static int hand_over(struct listener *l, const struct listener_process *p, int own_fd, struct err *e)
{
	fd_auto int fd = own_fd;
	if (fd < 0 || l->socket < 0)
		return err_new(e, EPROTO, "linux.seccomp.listenerPath: a listener was not expected");
	str_auto struct str text = STR_MAX(2 * JX_BYTES_MAX);
	print(l, p, &text);
	int r = send_all(l->socket, &text, fd);
	/* The process has a copy of the connection until it is the program, and the agent may wait for the end of it.
	 */
	shutdown(l->socket, SHUT_RDWR);
	fd_drop(&l->socket);
	return r < 0 ? err_ret(e, r, "linux.seccomp.listenerPath: send the container process state") : 0;
}

int listener_outcome(struct listener *l, const struct listener_process *p, int end, struct sync_message *ret,
		     struct err *e)
{
	int r = sync_receive(end, ret);
	while (r == 0 && ret->type == SYNC_LISTENER) {
		int sent = hand_over(l, p, ret->fd, e);
		if (sent < 0)
			return sent;
		r = sync_receive(end, ret);
	}
	return r < 0 ? err_ret(e, r, "the container's process") : 0;
}

/* ---- the connection ---- */

int listener_look(const struct spec_seccomp *s, struct err *e)
{
	struct stat st;
	if (stat(s->listener_path, &st) < 0)
		return err_sys(e, "linux.seccomp.listenerPath %s", s->listener_path);
	return S_ISSOCK(st.st_mode)
		       ? 0
		       : err_new(e, ENOTSOCK, "linux.seccomp.listenerPath %s: not a socket", s->listener_path);
}

/* A path may be longer than the 107 bytes of a socket's name: its directory's descriptor shortens it. unix(7). */
static int address_of(const char *path, struct sockaddr_un *ret, int *ret_dir)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	size_t len = strlen(path);
	if (len < sizeof(ret->sun_path)) {
		memcpy(ret->sun_path, path, len);
		return 0;
	}
	const char *slash = strrchr(path, '/');
	free_auto char *dir = mem_fmt("%.*s", (int)(slash - path) + 1, path);
	*ret_dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_dir < 0)
		return -errno;
	int n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d%s", *ret_dir, slash);
	return n < 0 || (size_t)n >= sizeof(ret->sun_path) ? -ENAMETOOLONG : 0;
}

int listener_open(const struct spec_seccomp *s, struct listener *ret, struct err *e)
{
	struct sockaddr_un to;
	fd_auto int dir = -1;
	int r = address_of(s->listener_path, &to, &dir);
	if (r < 0)
		return err_ret(e, r, "linux.seccomp.listenerPath %s", s->listener_path);
	fd_auto int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return err_sys(e, "linux.seccomp.listenerPath %s", s->listener_path);
	*ret = (struct listener){ .socket = fd_take(&fd), .metadata = s->listener_metadata };
	return 0;
}

int listener_open_of(const struct state_dir *dir, struct arena *a, struct listener *ret, struct err *e)
{
	struct spec spec_auto spec = { 0 };
	int r = spec_load_file(dir->fd, "config.json", &spec, e);
	if (r == 0 && (!spec.linux_ || !spec.linux_->seccomp || !spec.linux_->seccomp->listener_path))
		r = err_new(e, EINVAL, "state directory %s: config.json: linux.seccomp.listenerPath is missing",
			    dir->id);
	if (r == 0)
		r = listener_open(spec.linux_->seccomp, ret, e);
	if (r == 0 && ret->metadata)
		ret->metadata = arena_str(a, ret->metadata);
	return r;
}

void listener_done(struct listener *l)
{
	fd_drop(&l->socket);
}
