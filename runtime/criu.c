/* SPDX-License-Identifier: Apache-2.0 */
/* See criu.h: finding criu, one request, its notifications, its answer, and the words of its log. */
#include "runtime/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/process.h"
#include "runtime/sync.h"
#include "util/fd.h"
#include "util/pb.h"
#include "util/proc.h"
#include "util/sys.h"

/* enum criu_req_type: what both sides call a notification. */
enum { TYPE_NOTIFY = 6 };
enum { MESSAGE_MAX = 1 << 20, ANSWER_MAX = 65536, LOG_MAX = 64 << 20, LOG_ERRORS = 3 };

int criu_find(char **ret_program, struct err *e)
{
	const char *path = getenv("PATH");
	if (geteuid() != 0 || proc_is_in_userns())
		return err_new(e, EPERM, "criu can only be used by root of the host");
	for (const char *dir = path; dir && *dir; dir = strchr(dir, ':') ? strchr(dir, ':') + 1 : NULL) {
		int len = (int)strcspn(dir, ":");
		free_auto char *file = mem_fmt("%.*s/criu", len ? len : 1, len ? dir : ".");
		struct stat st;
		if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0) {
			*ret_program = ptr_take(file);
			return 0;
		}
	}
	return err_new(e, ENOENT, "criu is not in PATH: checkpoint and restore need it (package criu)");
}

/* ---- the process ---- */

static int keep_open(int fd)
{
	int flags = fcntl(fd, F_GETFD);
	return flags < 0 ? -errno : fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) < 0 ? -errno : 0;
}

/*
 * A mount namespace of criu's own, and the caller's mounts in it. criu mounts below its work directory, so that the
 * directories are to be those of this namespace: they are opened again, before anything hides them.
 */
static int enter_own_mounts(const struct criu_call *call, const struct criu_dirs *dirs, int report, struct err *e)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(e, "criu: mount namespace");
	fd_auto int images = open(dirs->image_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd_auto int work = open(dirs->work_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (images < 0 || work < 0)
		return err_sys(e, "criu: directory %s", images < 0 ? dirs->image_path : dirs->work_path);
	int r = call->before(call->ctx, &images, e);
	if (r < 0)
		return r;
	r = sync_send(report, SYNC_READY, 0, images);
	if (r == 0)
		r = sync_send(report, SYNC_READY, 0, work);
	return r < 0 ? err_ret(e, r, "criu: its directories") : 0;
}

static void become_criu(const char *program, const struct criu_call *call, const struct criu_dirs *dirs, int sock,
			int report)
{
	struct err e = { 0 };
	char number[16];
	snprintf(number, sizeof(number), "%d", sock);
	const char *const argv[] = { program, "swrk", number, NULL };
	process_reset_signals();
	int r = call->before ? enter_own_mounts(call, dirs, report, &e) : 0;
	if (r == 0 && (r = keep_open(sock)) < 0)
		err_ret(&e, r, "criu: its socket");
	for (size_t i = 0; r == 0 && i < call->inherit_count; i++)
		if (call->inherit[i] >= 0 && (r = keep_open(call->inherit[i])) < 0)
			err_ret(&e, r, "criu: descriptor %d", call->inherit[i]);
	if (r == 0) {
		execv(program, (char *const *)(uintptr_t)argv);
		err_sys(&e, "%s", program);
	}
	sync_send_error(report, &e);
	_exit(1);
}

/* Until the new process is criu: its directories take the place of ours, under the same numbers. */
static int hear_report(int report, const struct criu_dirs *dirs, struct err *e)
{
	const int places[] = { dirs->images, dirs->work };
	size_t count = 0;
	for (;;) {
		struct sync_message m;
		int r = sync_receive(report, &m);
		if (r < 0)
			return err_ret(e, r, "criu: start");
		fd_auto int fd = m.fd;
		if (m.type == SYNC_ERROR) {
			*e = m.err;
			return -e->num;
		}
		if (m.type != SYNC_READY)
			return 0;
		if (fd >= 0 && count < ARRAY_LEN(places) && dup3(fd, places[count++], O_CLOEXEC) < 0)
			return err_sys(e, "criu: start");
	}
}

/* Starts criu. Returns our end of its socket, which the caller owns; what went wrong before execve comes back. */
static int start(const char *program, const struct criu_call *call, const struct criu_dirs *dirs, pid_t *ret_pid,
		 struct err *e)
{
	int ends[2], report[2];
	/* One message is one datagram: criu reads a request with a single recv. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, "criu: socket");
	fd_auto int ours = ends[0];
	fd_auto int theirs = ends[1];
	int r = sync_pair(report, e);
	if (r < 0)
		return r;
	fd_auto int in = report[0];
	fd_auto int out = report[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "criu: fork");
	if (pid == 0)
		become_criu(program, call, dirs, theirs, out);
	fd_drop(&out);
	r = hear_report(in, dirs, e);
	if (r < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return r;
	}
	*ret_pid = pid;
	return fd_take(&ours);
}

/* ---- the conversation ---- */

struct answer {
	unsigned type;
	bool is_success;
	pid_t pid;	 /* of a restored root task, or of a notification */
	char script[32]; /* a notification's */
	char words[256]; /* cr_errmsg */
	int num;	 /* cr_errno */
	int fd;		 /* that came along; -1 */
};

static void copy_text(const struct pb_field *f, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)f->len, f->bytes ? (const char *)f->bytes : "");
}

/* criu_notify { script = 1; pid = 2 }, criu_restore_resp { pid = 1 } */
static void read_inner(const struct pb_field *outer, bool is_notify, struct answer *ret)
{
	struct pb_in in = { outer->bytes, outer->bytes + outer->len };
	struct pb_field f;
	while (outer->bytes && pb_next(&in, &f) == 1) {
		if (is_notify && f.number == 1)
			copy_text(&f, ret->script, sizeof(ret->script));
		else if (f.number == (is_notify ? 2U : 1U))
			ret->pid = (pid_t)f.value;
	}
}

static int read_answer(const void *bytes, size_t len, struct answer *ret)
{
	struct pb_in in = { bytes, (const unsigned char *)bytes + len };
	struct pb_field f;
	int r;
	while ((r = pb_next(&in, &f)) == 1) {
		switch (f.number) {
		case 1:
			ret->type = (unsigned)f.value;
			break;
		case 2:
			ret->is_success = f.value;
			break;
		case 4:
		case 5:
			read_inner(&f, f.number == 5, ret);
			break;
		case 7:
			ret->num = (int)f.value;
			break;
		case 9:
			copy_text(&f, ret->words, sizeof(ret->words));
			break;
		default:
			break;
		}
	}
	return r;
}

/* 1: an answer, 0: criu has ended without one. */
static int receive(int sock, struct answer *ret, struct err *e)
{
	static char bytes[ANSWER_MAX];
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	*ret = (struct answer){ .fd = -1 };
	ssize_t n;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != ECONNRESET)
		return err_sys(e, "criu: its answer");
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&ret->fd, CMSG_DATA(c), sizeof(int));
	if (n <= 0)
		return 0;
	if ((msg.msg_flags & MSG_TRUNC) || read_answer(bytes, (size_t)n, ret) < 0) {
		fd_drop(&ret->fd);
		return err_new(e, EBADMSG, "criu: its answer cannot be read");
	}
	return 1;
}

static int send_bytes(int sock, const struct str *s, struct err *e)
{
	if (s->is_full)
		return err_new(e, E2BIG, "criu: the request is too long");
	return send(sock, s->p, s->len, MSG_NOSIGNAL) < 0 ? err_sys(e, "criu: send the request") : 0;
}

static int reply(int sock, bool is_success, struct err *e)
{
	str_auto struct str s = STR_MAX(64);
	pb_number(&s, 1, TYPE_NOTIFY);
	pb_number(&s, 3, is_success);
	return send_bytes(sock, &s, e);
}

/* Until the last answer. `failed` keeps what a notification's receiver said: it is the cause of what criu says then.
 */
static int converse(int sock, const struct criu_call *call, struct answer *ret, struct err *failed, struct err *e)
{
	str_auto struct str request = STR_MAX(MESSAGE_MAX);
	pb_number(&request, 1, (int64_t)call->verb);
	pb_bytes(&request, 2, call->opts->p, call->opts->len);
	int r = send_bytes(sock, &request, e);
	while (r == 0 && (r = receive(sock, ret, e)) == 1 && ret->type == TYPE_NOTIFY) {
		r = 0;
		if (call->notify && !failed->num)
			r = call->notify(call->ctx, ret->script, ret->pid, fd_take(&ret->fd), failed);
		fd_drop(&ret->fd);
		r = reply(sock, r == 0 && !failed->num, e);
	}
	fd_drop(&ret->fd);
	return r < 0 ? r : r == 0 ? err_new(e, EPIPE, "criu ended without an answer") : 0;
}

/* ---- what went wrong ---- */

/* "(00.435584)      1: Error (criu/files-reg.c:2093): File x has bad size" -> "File x has bad size" */
static const char *error_words(const char *line, const char *end)
{
	static const char mark[] = "Error (";
	const char *p = memmem(line, (size_t)(end - line), mark, sizeof(mark) - 1);
	const char *colon = p ? memmem(p, (size_t)(end - p), "): ", 3) : NULL;
	return colon ? colon + 3 : NULL;
}

/* The last errors of the log, oldest first, without those that only say that criu failed. */
static void add_log(struct str *out, const struct criu_dirs *dirs)
{
	free_auto char *text = NULL;
	size_t len = 0;
	if (file_read(dirs->work, dirs->log_name, LOG_MAX, false, &text, &len) < 0)
		return;
	const char *found[LOG_ERRORS];
	size_t count = 0;
	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		const char *words = error_words(line, end);
		if (!words || strncmp(words, "Dumping FAILED", 14) == 0 ||
		    strncmp(words, "Restoring FAILED", 16) == 0)
			continue;
		found[count++ % LOG_ERRORS] = words;
	}
	size_t from = count > LOG_ERRORS ? count - LOG_ERRORS : 0;
	for (size_t i = from; i < count; i++) {
		const char *words = found[i % LOG_ERRORS];
		str_fmt(out, "%s%.*s", i > from ? "; " : ": ", (int)(strchrnul(words, '\n') - words), words);
	}
}

static int explain(const struct criu_call *call, const struct criu_dirs *dirs, const struct answer *a, struct err *e)
{
	str_auto struct str words = STR_MAX(600);
	add_log(&words, dirs);
	if (!words.len && a->words[0])
		str_fmt(&words, ": %s", a->words);
	const char *log = faccessat(dirs->work, dirs->log_name, F_OK, 0) == 0 ? dirs->log_name : "";
	return err_new(e, EIO, "criu %s%s (log: %s/%s)",
		       call->verb == CRIU_RESTORE ? "cannot restore" : "cannot dump",
		       words.p	? words.p
		       : a->num ? strerror(a->num)
				: "",
		       dirs->work_path, log);
}

int criu_call(const char *program, const struct criu_call *call, const struct criu_dirs *dirs, pid_t *ret_pid,
	      struct err *e)
{
	struct answer a = { .fd = -1 };
	struct err failed = { 0 };
	pid_t pid = 0;
	if (call->opts->is_full)
		return err_new(e, E2BIG, "criu: the request is too long");
	/* An old log would be taken for this call's. */
	unlinkat(dirs->work, dirs->log_name, 0);
	fd_auto int sock = start(program, call, dirs, &pid, e);
	if (sock < 0)
		return sock;
	int r = converse(sock, call, &a, &failed, e);
	fd_drop(&sock);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (failed.num) {
		*e = failed;
		return -e->num;
	}
	if (r == -EPIPE || (r == 0 && !a.is_success))
		return explain(call, dirs, &a, e);
	if (r == 0 && ret_pid)
		*ret_pid = a.pid;
	return r;
}
