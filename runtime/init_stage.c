/* SPDX-License-Identifier: Apache-2.0 */
/* See init_stage.h. */
#include "runtime/init_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ns/host.h"
#include "runtime/sync.h"
#include "util/fd.h"
#include "util/sys.h"

static int stage_join(const struct init_args *a, struct err *e)
{
	const struct plan *p = a->plan;
	/* While we are privileged: everything but the user namespace, which would take our rights over the others. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < p->join_count; i++) {
			if ((p->joins[i].kind == CLONE_NEWUSER) != (pass == 1) || a->opened->joins[i] < 0)
				continue;
			if (pass == 1 && a->opened->template_ns >= 0 && setns(a->opened->template_ns, CLONE_NEWNS) < 0)
				return err_sys(e, "mount namespace template");
			if (setns(a->opened->joins[i], p->joins[i].kind) < 0)
				return err_sys(e, "linux.namespaces: join %s", p->joins[i].path);
		}
	return 0;
}

static int stage_time(const struct plan *p, struct err *e)
{
	if (!p->has_new_time)
		return 0;
	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(e, "new time namespace");
	fd_auto int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return proc < 0 ? err_sys(e, "/proc") : host_time_offsets(proc, &p->spec->linux_->time_offsets, e);
}

void init_stage(const struct init_args *a, uint64_t flags, int cgroup)
{
	struct err e = { 0 };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* In a joined pid namespace the child has neighbours: none may look into it before it is the program. prctl(2). */
	if (geteuid() == 0)
		prctl(PR_SET_DUMPABLE, 0);
	int r = stage_time(a->plan, &e);
	if (r == 0)
		r = stage_join(a, &e);
	if (r == 0 && plan_join_of(a->plan, CLONE_NEWUSER) < 0 && a->opened->template_ns >= 0 &&
	    setns(a->opened->template_ns, CLONE_NEWNS) < 0)
		r = err_sys(&e, "mount namespace template");
	if (r == 0) {
		struct clone_args args = { .flags = flags | CLONE_PARENT, .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0 };
		pid_t pid = sys_clone3(&args);
		if (pid == 0)
			init_run(a);
		r = pid < 0 ? err_sys(&e, "clone") : sync_send(a->sync, SYNC_CHILD, pid, -1);
	}
	if (r < 0)
		sync_send_error(a->sync, &e);
	_exit(r < 0);
}
