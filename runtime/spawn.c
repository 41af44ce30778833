/* SPDX-License-Identifier: Apache-2.0 */
/* See spawn.h. */
#include "runtime/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ns/template.h"
#include "ns/userns.h"
#include "runtime/init_stage.h"
#include "runtime/sync.h"
#include "util/fd.h"
#include "util/proc.h"
#include "util/sys.h"

/* clone3(2): the errors of its arguments, in the words of what was asked for. */
static int clone_error(struct err *e)
{
	switch (errno) {
	case ENOSPC:
		return err_sys(e, "clone: a limit on namespaces is reached (/proc/sys/user/max_*_namespaces)");
	case EAGAIN:
		return err_sys(e, "clone: a limit on processes is reached (pids.max of the group, or RLIMIT_NPROC)");
	case EBUSY:
		return err_sys(e, "clone: the cgroup has controllers enabled for groups below it, so it cannot hold processes");
	default:
		return err_sys(e, "clone");
	}
}

/* The child in one step, from the template when there is one. */
static int clone_direct(const struct init_args *args, uint64_t flags, int cgroup, struct container *ret, struct err *e)
{
	struct mount_hop hop = { -1, -1, -1 };
	int template_ns = (flags & CLONE_NEWNS) ? args->opened->template_ns : -1;
	/* Unless a user namespace takes its rights away, the child enters the template itself (init.c, copy_template). */
	if (template_ns >= 0 && !(flags & CLONE_NEWUSER)) {
		flags &= ~(uint64_t)CLONE_NEWNS;
		template_ns = -1;
	}
	int r = template_ns >= 0 ? template_enter(template_ns, &hop, e) : 0;
	if (r < 0)
		return r;
	int pidfd = -1;
	struct clone_args c = {
		.flags = flags | CLONE_PIDFD, .exit_signal = SIGCHLD, .pidfd = (uint64_t)(uintptr_t)&pidfd,
		.cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
	};
	pid_t pid = sys_clone3(&c);
	if (pid == 0)
		init_run(args);
	r = pid < 0 ? clone_error(e) : 0;
	if (template_ns >= 0) {
		struct err back;
		int b = template_leave(&hop, &back);
		if (b < 0 && r == 0) {
			*e = back;
			r = b;
		}
	}
	ret->pid = pid > 0 ? pid : 0;
	ret->pidfd = pid > 0 ? pidfd : -1;
	return r;
}

int spawn_through(pid_t stage, int own_stage_pidfd, struct container *ret, struct err *e)
{
	fd_auto int stage_pidfd = own_stage_pidfd;
	struct sync_message m;
	int r = sync_receive_of(ret->sync, stage_pidfd, &m);
	if (r < 0)
		err_ret(e, r, "stage");
	else if (m.type == SYNC_ERROR)
		r = (*e = m.err, -e->num);
	else if (m.type != SYNC_CHILD)
		r = err_new(e, EPIPE, "stage: ended without a word of the process it clones");
	else
		ret->pid = m.value;
	if (r < 0)
		proc_signal(stage_pidfd, SIGKILL);
	while (waitpid(stage, NULL, 0) < 0 && errno == EINTR)
		;
	/* It is our own child and not reaped yet, so the number is still its. */
	if (r == 0 && (ret->pidfd = sys_pidfd_open(ret->pid, 0)) < 0)
		r = err_sys(e, "pidfd of the container's process");
	return r;
}

static int clone_staged(const struct init_args *args, uint64_t flags, int cgroup, struct container *ret, struct err *e)
{
	int pidfd = -1;
	struct clone_args c = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD, .pidfd = (uint64_t)(uintptr_t)&pidfd };
	pid_t stage = sys_clone3(&c);
	if (stage == 0)
		init_stage(args, flags, cgroup);
	return stage < 0 ? clone_error(e) : spawn_through(stage, pidfd, ret, e);
}

int spawn(const struct init_args *given, int cgroup, struct container *ret, struct err *e)
{
	int ends[2];
	int r = sync_pair(ends, e);
	if (r < 0)
		return r;
	ret->sync = ends[0];
	fd_auto int child_end = ends[1];
	struct init_args args = *given;
	args.sync = child_end;
	args.parent_end = ret->sync;
	const struct plan *p = args.plan;
	uint64_t flags = p->new_ns | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0);
	r = (p->need & NEED_STAGE) ? clone_staged(&args, flags, cgroup, ret, e)
				   : clone_direct(&args, flags, cgroup, ret, e);
	return r;
}

int spawn_map(const struct plan *p, struct container *c, struct err *e)
{
	int r = 0;
	if (!(p->need & (NEED_USERNS | NEED_STAGE | NEED_SCOPE)))
		return 0;
	if (p->need & NEED_USERNS)
		r = userns_write_maps(c->pid, p->uid_maps, p->gid_maps, geteuid() != 0, e);
	if (r < 0)
		return err_at(e, r, "linux.uidMappings, linux.gidMappings");
	r = sync_send(c->sync, SYNC_MAPPED, 0, -1);
	return r < 0 ? err_ret(e, r, "the container's process") : 0;
}

/* A temporary file beside it, then rename: conmon reads it right after create. */
static int write_beside(const char *path, const char *text, size_t len)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (n >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, n);
	dir[n] = '\0';
	fd_auto int fd = open(!slash ? "." : n ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : file_replace(fd, slash ? slash + 1 : path, text, len, 0644);
}

int spawn_pid_file(const char *path, struct container *c, struct err *e)
{
	char pid[16];
	int n = snprintf(pid, sizeof(pid), "%d", (int)c->pid);
	int r = write_beside(path, pid, (size_t)n);
	if (r < 0)
		return err_ret(e, r, "pid file %s", path);
	c->pid_file = path;
	return 0;
}
