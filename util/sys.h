/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls and constants that Debian 12's libc (2.36) does not wrap. Each wrapper returns what the call returns,
 * with errno, as libc would. What a kernel lacks shows at run time as ENOSYS or EINVAL: nothing is decided here.
 */
#pragma once
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define sys_pidfd_open pidfd_open
#define sys_pidfd_send_signal(fd, sig) pidfd_send_signal((fd), (sig), NULL, 0)

/* openat2(2) */
static inline int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };
	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

/* clone3(2) without CLONE_VM: returns twice, as fork(2) does. */
static inline pid_t sys_clone3(struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

/* pivot_root(2) */
static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* keyctl(2) KEYCTL_JOIN_SESSION_KEYRING with a name of its own, or NULL for an anonymous keyring. */
static inline long sys_join_session_keyring(const char *name)
{
	return syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, name, 0, 0, 0);
}
