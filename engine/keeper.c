/* SPDX-License-Identifier: Apache-2.0 */
/* See keeper.h. */
#include "engine/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/stat.h"
#include "engine/etc.h"
#include "engine/slim.h"
#include "image/erofsmount.h"
#include "runtime/control.h"
#include "runtime/wait.h"
#include "util/clock.h"
#include "util/fd.h"

enum { IDLE_MS = 100, SIGNALLED = 128 };

/* What the keeper holds while it waits. */
struct keeper {
	int out, err;           /* read ends, or the terminal's master and -1 */
	int input;              /* write end of the program's input, or -1 */
	int pidfd, cgroup;
	int root;               /* the state root */
	struct logfile log;
	struct record_dir *dir;
	bool is_rm;
};

/* ---- while it runs ---- */

/* Moves what is there to the log. False: the stream is at its end. */
static bool drain(struct keeper *k, int fd, enum log_stream stream)
{
	char bytes[LOG_PIECE_MAX];

	for (;;) {
		ssize_t n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		logfile_put(&k->log, stream, bytes, (size_t)n);
	}
}

static void drain_if(struct keeper *k, int *fd, const struct pollfd *p, enum log_stream stream)
{
	if (*fd >= 0 && p->revents && !drain(k, *fd, stream))
		fd_drop(fd);
}

static void keep(struct keeper *k, int *ret_status)
{
	enum { OUT, ERR, PROGRAM, FDS };
	int timeout_ms = IDLE_MS;

	for (;;) {
		struct pollfd p[FDS] = {
			[OUT] = { .fd = k->out, .events = POLLIN },
			[ERR] = { .fd = k->err, .events = POLLIN },
			[PROGRAM] = { .fd = k->pidfd, .events = POLLIN },
		};
		int n = poll(p, FDS, timeout_ms);
		if (n == 0) {
			slim_idle();
			timeout_ms = -1;
			continue;
		}
		timeout_ms = IDLE_MS;
		drain_if(k, &k->out, &p[OUT], LOG_STDOUT);
		drain_if(k, &k->err, &p[ERR], LOG_STDERR);
		if (!p[PROGRAM].revents || wait_collect(k->pidfd, ret_status) == -EAGAIN)
			continue;
		p[OUT].revents = p[ERR].revents = POLLIN;
		drain_if(k, &k->out, &p[OUT], LOG_STDOUT);
		drain_if(k, &k->err, &p[ERR], LOG_STDERR);
		return;
	}
}

/* ---- the end ---- */

static void finish(struct keeper *k, int status)
{
	char started[CLOCK_TEXT_MAX] = "", now[CLOCK_TEXT_MAX];
	struct ending before, x = { 0 };
	struct err e = { 0 };
	uint64_t kills = 0;

	record_look(k->dir, &before);
	if (before.started)
		snprintf(started, sizeof(started), "%s", before.started);
	if (k->cgroup >= 0)
		cgroup_oom_count(k->cgroup, &kills);
	x.started = started;
	x.finished = clock_text(now);
	x.exit_code = (struct opt_i32){ .has = true, .v = status };
	x.signal = (struct opt_i32){ .has = status > SIGNALLED, .v = status - SIGNALLED };
	x.is_oom = (struct opt_bool){ .has = true, .v = kills > 0 };
	x.log_dropped = (struct opt_u64){ .has = k->log.dropped > 0, .v = k->log.dropped };
	record_end(k->dir, &x, &e);
	ending_done(&before);
	fd_drop(&k->cgroup);
	logfile_done(&k->log);
	etc_sweep(k->root, k->dir->name);
	/* Nobody would try again later. What cannot be cleaned up stays in the list, for rm -f. */
	int r = container_delete(k->root, k->dir->name, true, &e);
	if (r < 0)
		r = container_delete(k->root, k->dir->name, true, &e);
	if (r == 0 && k->is_rm)
		record_remove(k->dir, &e);
}

/* ---- the beginning ---- */

/* The other ends of the container's stdio. */
struct ends {
	int in, out, err;
};

static int make_pipe(int ends[static 2], bool is_ours_first, struct err *e)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "keeper: pipe");
	return is_ours_first && fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? err_sys(e, "keeper: pipe") : 0;
}

/* /dev/null or a pipe for input; pipes for output, which a terminal of the container's own takes the place of. */
static int make_stdio(const struct keeper_job *job, struct keeper *k, struct ends *child, struct err *e)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int r = job->is_input ? make_pipe(in, false, e) : 0;

	if (r == 0 && !job->is_input && (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
		r = err_sys(e, "/dev/null");
	if (r == 0)
		r = make_pipe(out, true, e);
	if (r == 0)
		r = make_pipe(err, true, e);
	*child = (struct ends){ in[0], out[1], err[1] };
	k->input = in[1];
	k->out = out[0];
	k->err = err[0];
	return r;
}

/* The terminal's master takes the place of the pipes. */
static void use_master(struct keeper *k, int own_master)
{
	if (own_master < 0)
		return;
	fcntl(own_master, F_SETFL, O_RDWR | O_NONBLOCK);
	fd_drop(&k->out);
	fd_drop(&k->err);
	fd_drop(&k->input);
	k->out = own_master;
}

static int begin(const struct keeper_job *job, struct keeper *k, struct err *e)
{
	struct container c container_auto = CONTAINER_NONE;
	struct create_request *rq = job->request;
	struct ends child = { -1, -1, -1 };
	int r = logfile_open(job->dir->fd, job->log_max_bytes, job->log_max_files, &k->log, e);

	if (r == 0)
		r = k->root = state_open_root(rq->state_root, true, e);
	if (r >= 0)
		r = make_stdio(job, k, &child, e);
	if (r < 0) {
		fd_drop(&rq->own_rootfs);
		return err_at(e, r, "run %s", rq->id);
	}
	rq->stdio[0] = child.in;
	rq->stdio[1] = child.out;
	rq->stdio[2] = child.err;
	rq->is_run = true;
	r = container_create(rq, &c, e);
	if (r == 0)
		r = record_begin(job->dir, e);
	if (r == 0)
		r = container_go(&c, e);
	fd_drop(&child.in);
	fd_drop(&child.out);
	fd_drop(&child.err);
	if (r < 0)
		return r;
	k->pidfd = fd_take(&c.pidfd);
	k->cgroup = fd_take(&c.cgroup);
	use_master(k, fd_take(&c.master));
	return 0;
}

static void keeper_main(const struct keeper_job *job, int report) __attribute__((noreturn));
static void keeper_main(const struct keeper_job *job, int report)
{
	struct keeper k = { .out = -1, .err = -1, .input = -1, .pidfd = -1, .cgroup = -1, .root = -1,
			    .log = { .fd = -1 }, .dir = job->dir, .is_rm = job->is_rm };
	struct err e = { 0 };
	int status = 0;

	setsid();
	wait_block_signals();
	prctl(PR_SET_NAME, "kist-keeper");
	int r = begin(job, &k, &e);
	if (fd_write_all(report, &e, sizeof(e)) < 0 || r < 0)
		_exit(1);
	int used[] = { k.out, k.err, k.input, k.pidfd, k.cgroup, k.root, k.log.fd, k.dir->containers, k.dir->fd,
		       k.dir->file, k.dir->meet, k.dir->mount };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		dup2(null, fd);
	fd_close_others(3, used, sizeof(used) / sizeof(used[0]));
	if (k.dir->meet >= 0)
		erofs_offer(k.dir->meet, k.dir->mount);
	/* Not to hold the caller's directory is a courtesy, and no reason to give up. */
	if (chdir("/") < 0)
		errno = 0;
	slim_title("kist-keeper", k.dir->name);
	slim_start();
	keep(&k, &status);
	finish(&k, status);
	_exit(0);
}

int keeper_start(const struct keeper_job *job, struct err *e)
{
	int ends[2];
	struct err answer;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		fd_drop(&job->request->own_rootfs);
		return err_sys(e, "run %s: keeper: pipe", job->request->id);
	}
	fd_auto int ours = ends[0], theirs = ends[1];
	pid_t pid = fork();
	if (pid == 0)
		keeper_main(job, theirs);
	fd_drop(&theirs);
	fd_drop(&job->request->own_rootfs);
	if (pid < 0)
		return err_sys(e, "run %s: keeper: fork", job->request->id);
	if (fd_read_all(ours, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
		return err_new(e, EPIPE, "container %s: its keeper was killed", job->dir->name);
	if (answer.num == 0)
		return 0;
	waitpid(pid, NULL, 0);
	*e = answer;
	return -answer.num;
}
