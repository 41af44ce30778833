/* SPDX-License-Identifier: Apache-2.0 */
/* See template.h. */
#include "ns/template.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "util/fd.h"
#include "util/lock.h"
#include "util/sys.h"

#define PIN_DIR  ".template"
#define PIN_FILE ".template/launcher-1"

enum { CPU_TRIES = 8 };

static int open_pin(int rootdir)
{
	fd_auto int fd = openat(rootdir, PIN_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	/* After a reboot, or seen from another mount namespace, the file is there but nothing is pinned on it. */
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNS)
		return -ENOENT;
	return fd_take(&fd);
}

static int new_mount(const char *type, unsigned attr)
{
	fd_auto int fs = fsopen(type, FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, attr);
	return fd < 0 ? -errno : fd;
}

static int attach_new(const char *type, unsigned attr, const char *where)
{
	fd_auto int fd = new_mount(type, attr);
	if (fd < 0)
		return fd;
	return move_mount(fd, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/* Closed before it is executed, or execve(2) would say ETXTBSY. */
static int put_launcher(const struct template_file *f)
{
	fd_auto int fd = open(&TEMPLATE_LAUNCHER[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0555);
	return fd < 0 ? -errno : fd_write_all(fd, f->bytes, f->len);
}

/*
 * What is made the root must be that of the namespace, since whoever enters it later begins there. setns(2) into the
 * namespace in which a process is already leads it out of a chroot(2) that its caller may live in.
 */
static int leave_chroot(void)
{
	fd_auto int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return own < 0 || setns(own, CLONE_NEWNS) < 0 ? -errno : 0;
}

/* Builds the three mounts on top of the pin directory and makes them the root. Runs in the builder process. */
static int build(int pindir, const struct template_file *launcher)
{
	/* The working directory moves to the copied mount with us (unshare(2)); a descriptor would stay on the host's. */
	if (fchdir(pindir) < 0 || unshare(CLONE_NEWNS) < 0)
		return -errno;
	fd_auto int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = here < 0 ? -errno : leave_chroot();
	/* The copy must not send mounts back: mount(2), MS_PRIVATE. */
	if (r == 0 && (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || fchdir(here) < 0))
		r = -errno;
	if (r < 0)
		return r;
	fd_auto int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "16", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd_auto int top = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (top < 0 || move_mount(top, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	if (fchdir(top) < 0 || mkdir("proc", 0555) < 0 || mkdir("sys", 0555) < 0 || mkdir(&TEMPLATE_ROOT[1], 0755) < 0)
		return -errno;
	r = attach_new("proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, "proc");
	if (r == 0)
		r = attach_new("sysfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, "sys");
	if (r < 0)
		return r;
	r = put_launcher(launcher);
	if (r < 0)
		return r;
	/* pivot_root(2), NOTES: pivot_root(".", ".") stacks the old root below the new one. */
	if (sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	/* The superblock too: a descriptor that leaks from here can be written through by nobody. */
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0 ? -errno : 0;
}

static void choose_cpu(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Runs the builder, on processor `cpu` unless -1, and pins its namespace while it waits. */
static int build_and_pin(int rootdir, int pindir, int cpu, const struct template_file *launcher)
{
	int say[2], hold[2];
	if (pipe2(say, O_CLOEXEC) < 0)
		return -errno;
	fd_auto int say_in = say[0];
	fd_auto int say_out = say[1];
	if (pipe2(hold, O_CLOEXEC) < 0)
		return -errno;
	fd_auto int hold_in = hold[0];
	fd_auto int hold_out = hold[1];
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd_drop(&hold_out);
		if (cpu >= 0)
			choose_cpu(cpu);
		int r = build(pindir, launcher);
		char c;
		if (write(say_out, &r, sizeof(r)) == (ssize_t)sizeof(r) && r == 0 && read(hold_in, &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	fd_drop(&say_out);
	fd_drop(&hold_in);
	int r = -EIO;
	if (read(say_in, &r, sizeof(r)) != (ssize_t)sizeof(r))
		r = -EIO;
	if (r == 0) {
		char ns[40];
		snprintf(ns, sizeof(ns), "/proc/%d/ns/mnt", (int)pid);
		fd_auto int tree = open_tree(AT_FDCWD, ns, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (tree < 0 || move_mount(tree, "", rootdir, PIN_FILE, MOVE_MOUNT_F_EMPTY_PATH) < 0)
			r = -errno;
	}
	fd_drop(&hold_out);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

/*
 * A namespace can only be pinned from an older one (ELOOP). Linux 6.18 tells their age by numbers that each processor
 * draws from a batch of its own, so a namespace made on another processor may count as younger.
 */
static int build_on_some_cpu(int rootdir, int pindir, const struct template_file *launcher)
{
	cpu_set_t allowed;
	int r = build_and_pin(rootdir, pindir, -1, launcher);
	if (r != -ELOOP || sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return r;
	for (int cpu = 0, tries = 0; r == -ELOOP && cpu < CPU_SETSIZE && tries < CPU_TRIES; cpu++)
		if (CPU_ISSET(cpu, &allowed)) {
			tries++;
			r = build_and_pin(rootdir, pindir, cpu, launcher);
		}
	return r;
}

/*
 * Makes the directory of the pin, bound privately on itself: a namespace file can only be mounted where no peer of
 * another namespace would receive it (mount_namespaces(7)).
 */
static int make_pin_dir(int rootdir)
{
	if (mkdirat(rootdir, PIN_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd_auto int tree = open_tree(rootdir, PIN_DIR, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	struct mount_attr attr = { .propagation = MS_PRIVATE };
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ||
	    move_mount(tree, "", rootdir, PIN_DIR, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	/* A recursive bind of the host's root into a container must leave it out: it could not be attached there (ELOOP). A
	 * mount that is unbindable already could not be attached here, below a shared one. move_mount(2), EINVAL. */
	attr.propagation = MS_UNBINDABLE;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	fd_auto int dir = openat(rootdir, PIN_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd_auto int file = openat(dir, strrchr(PIN_FILE, '/') + 1, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (dir < 0 || file < 0)
		return -errno;
	return fd_take(&dir);
}

static int unpin(int rootdir)
{
	char base[32], path[64];
	const char *const names[] = { PIN_FILE, PIN_DIR };
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", fd_path(rootdir, base), names[i]);
		while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
			;
	}
	return 0;
}

int template_remove(int rootdir)
{
	unpin(rootdir);
	if (unlinkat(rootdir, PIN_FILE, 0) < 0 && errno != ENOENT)
		return -errno;
	return unlinkat(rootdir, PIN_DIR, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int template_open(int rootdir, const struct template_file *launcher, struct err *e)
{
	int fd = open_pin(rootdir);
	if (fd >= 0)
		return fd;
	fd_auto int lock = openat(rootdir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || lock_wait(lock, false) < 0)
		return err_sys(e, "mount namespace template: lock");
	fd = open_pin(rootdir);
	if (fd >= 0)
		return fd;
	unpin(rootdir);
	fd_auto int dir = make_pin_dir(rootdir);
	int r = dir < 0 ? dir : build_on_some_cpu(rootdir, dir, launcher);
	if (r == 0)
		r = open_pin(rootdir);
	if (r < 0) {
		template_remove(rootdir);
		return err_ret(e, r, "mount namespace template");
	}
	return r;
}

int template_enter(int fd, struct mount_hop *ret_hop, struct err *e)
{
	fd_auto int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	fd_auto int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd_auto int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (home < 0 || root < 0 || cwd < 0)
		return err_sys(e, "mount namespace template: own root");
	if (setns(fd, CLONE_NEWNS) < 0)
		return err_sys(e, "mount namespace template: setns");
	*ret_hop = (struct mount_hop){ fd_take(&home), fd_take(&root), fd_take(&cwd) };
	return 0;
}

int template_leave(struct mount_hop *hop, struct err *e)
{
	int r = 0;
	/* setns(2): the root becomes that of the namespace, which is not ours when the caller runs in a chroot. */
	if (setns(hop->home, CLONE_NEWNS) < 0 || fchdir(hop->root) < 0 || chroot(".") < 0 || fchdir(hop->cwd) < 0)
		r = err_sys(e, "mount namespace template: return to the host's");
	fd_drop(&hop->home);
	fd_drop(&hop->root);
	fd_drop(&hop->cwd);
	return r;
}
