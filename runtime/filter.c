/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See filter.h.
 *
 * From the moment in which a filter is there, any call that we make may be one that it hands to the listener, and
 * would wait for somebody who has not got the descriptor yet. So another thread, which the filter does not hold,
 * passes it on, and we tell it by memory alone, not by a call. It shares our descriptors, and execve(2) ends it with
 * the thread group: it leaves nothing that the program would have to wait for, as a process would.
 */
#include "runtime/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/sync.h"

enum { STACK_BYTES = 16384, NOT_YET = 1 << 30, SPINS = 20000000 };

struct passage {
	int report;
	int listener; /* NOT_YET; then the descriptor, or -errno of a filter that was not loaded */
	int passed;   /* NOT_YET; then 0, or -errno */
};

/* The other thread. It waits for no longer than the kernel needs for the filter. */
static int pass_on(void *arg)
{
	struct passage *p = arg;
	int fd;
	while ((fd = __atomic_load_n(&p->listener, __ATOMIC_ACQUIRE)) == NOT_YET)
		sched_yield();
	int r = fd < 0 ? 0 : sync_send(p->report, SYNC_LISTENER, 0, fd);
	/* Should the listener end, calls that wait for it must end too: nobody else may hold it. seccomp_unotify(2).
	 */
	if (fd >= 0)
		close(fd);
	__atomic_store_n(&p->passed, r, __ATOMIC_RELEASE);
	return 0;
}

static void spin_once(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * A call may be the one that is notified, so we wait without any: the other thread has one message to send. On a
 * single processor and with a real-time policy it could starve of that, and only there, after the better part of a
 * second, we step aside by a call: should it be notified, we are asleep in it, and the other thread runs all the
 * same.
 */
static int wait_passed(struct passage *p)
{
	int r;
	for (long n = 0; (r = __atomic_load_n(&p->passed, __ATOMIC_ACQUIRE)) == NOT_YET; n++)
		if (n < SPINS)
			spin_once();
		else
			sched_yield();
	return r;
}

static long load(const struct process_plan *p)
{
	struct sock_fprog prog = { .len = p->filter_length, .filter = (struct sock_filter *)(uintptr_t)p->filter };
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, p->filter_flags, &prog);
}

static int load_with_listener(const struct process_plan *p, int report, struct err *e)
{
	static char stack[STACK_BYTES] __attribute__((aligned(16)));
	static struct passage way;
	way = (struct passage){ .report = report, .listener = NOT_YET, .passed = NOT_YET };
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	if (clone(pass_on, stack + sizeof(stack), flags, &way) < 0)
		return err_sys(
			e, "linux.seccomp.listenerPath: a second thread for a moment (linux.resources.pids.limit, "
			   "RLIMIT_NPROC and SCHED_DEADLINE can be in its way)");
	long fd = load(p);
	int num = errno;
	__atomic_store_n(&way.listener, fd < 0 ? -num : (int)fd, __ATOMIC_RELEASE);
	if (fd < 0)
		return err_new(e, num, "linux.seccomp: load a filter of %u instructions: %s", p->filter_length,
			       strerror(num));
	int r = wait_passed(&way);
	return r < 0 ? err_ret(e, r, "linux.seccomp.listenerPath: pass the listener's descriptor on") : 0;
}

int filter_load(const struct process_plan *p, int report, struct err *e)
{
	if (!p->filter)
		return 0;
	if (p->filter_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
		return load_with_listener(p, report, e);
	if (load(p) < 0)
		return err_sys(e, "linux.seccomp: load a filter of %u instructions", p->filter_length);
	return 0;
}
