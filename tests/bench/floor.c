/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor: the least that a container can cost. It does in bare system calls, one after the other, all that the
 * default OCI config asks for and nothing else: no config is read, no rule is looked up, no library is called
 * but libc. `make bench` compares kist and its peers with it; nothing else uses it.
 *
 *   floor run ROOTFS STATE_DIR ID CMD [ARG...]   a container, from the first mkdir to the last rmdir
 *   floor exec PID CGROUP CMD [ARG...]           one more process in the container of PID
 *
 * /sys/fs/cgroup must be a cgroup2 file system. Build it against the libc that kist is built against:
 *   cc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O2 -static -o floor floor.c
 * The exit status is that of CMD, 128+n for signal n, 125 when a step of floor's own went wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define ATTR_SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV)
#define CLONE_TREE (OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
#define KEPT_CAPS (1U << CAP_AUDIT_WRITE | 1U << CAP_KILL | 1U << CAP_NET_BIND_SERVICE)

static char *const child_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"TERM=xterm",
	NULL,
};

struct fs_mount {
	const char *fstype, *source, *target;
	const char *options[4][2];	/* key and value; a NULL value is a flag */
	unsigned int attrs;
	bool makes_target;		/* the target lies on a file system that was mounted a moment ago */
};

/* The mounts of `runc spec`, in its order; sysfs and the cgroup tree are read-only. */
static const struct fs_mount fs_mounts[] = {
	{ .fstype = "proc", .source = "proc", .target = "proc" },
	{ .fstype = "tmpfs", .source = "tmpfs", .target = "dev",
	  .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME,
	  .options = { { "mode", "755" }, { "size", "65536k" } } },
	{ .fstype = "devpts", .source = "devpts", .target = "dev/pts", .makes_target = true,
	  .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	  .options = { { "newinstance", NULL }, { "ptmxmode", "0666" }, { "mode", "0620" },
		       { "gid", "5" } } },
	{ .fstype = "tmpfs", .source = "shm", .target = "dev/shm", .makes_target = true, .attrs = ATTR_SAFE,
	  .options = { { "mode", "1777" }, { "size", "65536k" } } },
	{ .fstype = "mqueue", .source = "mqueue", .target = "dev/mqueue", .makes_target = true,
	  .attrs = ATTR_SAFE },
	{ .fstype = "sysfs", .source = "sysfs", .target = "sys", .attrs = ATTR_SAFE | MOUNT_ATTR_RDONLY },
	{ .fstype = "cgroup2", .source = "cgroup", .target = "sys/fs/cgroup",
	  .attrs = ATTR_SAFE | MOUNT_ATTR_RDONLY },
};

static const struct {
	const char *path;
	unsigned int major, minor;
} nodes[] = {
	{ "dev/null", 1, 3 }, { "dev/zero", 1, 5 }, { "dev/full", 1, 7 }, { "dev/random", 1, 8 },
	{ "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
};

static const char *const links[][2] = {
	{ "pts/ptmx", "dev/ptmx" },	       { "/proc/self/fd", "dev/fd" },
	{ "/proc/self/fd/0", "dev/stdin" },    { "/proc/self/fd/1", "dev/stdout" },
	{ "/proc/self/fd/2", "dev/stderr" },
};

static const char *const masked_paths[] = {
	"proc/acpi",	    "proc/asound",	"proc/kcore",	    "proc/keys",    "proc/latency_stats",
	"proc/timer_list",  "proc/timer_stats", "proc/sched_debug", "sys/firmware", "proc/scsi",
};

static const char *const readonly_paths[] = {
	"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
};

/*
 * What a container may do with devices when its config denies all: make any node, use the default ones.
 * The program is run with r1 = context; it keeps r2 = type, r3 = access, r4 = major, r5 = minor.
 */
#define LOAD(reg, field) { .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (reg), .src_reg = BPF_REG_1, \
			   .off = offsetof(struct bpf_cgroup_dev_ctx, field) }
#define ALU(op, reg, number) { .code = BPF_ALU | (op) | BPF_K, .dst_reg = (reg), .imm = (int)(number) }
#define COPY(dst, src) { .code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = (dst), .src_reg = (src) }
#define UNLESS(reg, number, skip) { .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (reg), \
				    .imm = (number), .off = (skip) }
#define ANSWER(number) ALU(BPF_MOV, BPF_REG_0, (number)), { .code = BPF_JMP | BPF_EXIT }
#define ALLOW_MKNOD(type) \
	UNLESS(BPF_REG_2, (type), 5), COPY(BPF_REG_1, BPF_REG_3), \
	ALU(BPF_AND, BPF_REG_1, ~BPF_DEVCG_ACC_MKNOD), UNLESS(BPF_REG_1, 0, 2), ANSWER(1)
#define ALLOW_CHAR(major, minor) \
	UNLESS(BPF_REG_2, BPF_DEVCG_DEV_CHAR, 4), UNLESS(BPF_REG_4, (major), 3), \
	UNLESS(BPF_REG_5, (minor), 2), ANSWER(1)
static const struct bpf_insn device_program[] = {
	LOAD(BPF_REG_2, access_type),
	COPY(BPF_REG_3, BPF_REG_2),
	ALU(BPF_AND, BPF_REG_2, 0xffff),
	ALU(BPF_RSH, BPF_REG_3, 16),
	LOAD(BPF_REG_4, major),
	LOAD(BPF_REG_5, minor),
	ALLOW_MKNOD(BPF_DEVCG_DEV_CHAR),
	ALLOW_MKNOD(BPF_DEVCG_DEV_BLOCK),
	ALLOW_CHAR(1, 3), ALLOW_CHAR(1, 5), ALLOW_CHAR(1, 7), ALLOW_CHAR(1, 8), ALLOW_CHAR(1, 9),
	ALLOW_CHAR(5, 0), ALLOW_CHAR(5, 1), ALLOW_CHAR(5, 2),
	UNLESS(BPF_REG_2, BPF_DEVCG_DEV_CHAR, 3), UNLESS(BPF_REG_4, 136, 2), ANSWER(1),
	ANSWER(0),
};

/* Ends the process unless a system call went well; returns what the call returned. */
static int must(long result, const char *what)
{
	if (result >= 0)
		return (int)result;
	dprintf(STDERR_FILENO, "floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static void attach_device_program(int cgroup_fd)
{
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insns = (uintptr_t)device_program,
				.insn_cnt = ARRAY_LEN(device_program), .license = (uintptr_t)"Apache-2.0" };
	int prog_fd = must(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)), "load device program");
	union bpf_attr attach = { .target_fd = (uint32_t)cgroup_fd, .attach_bpf_fd = (uint32_t)prog_fd,
				  .attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI };

	must(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)), "attach device program");
	close(prog_fd);
}

/* Makes a detached mount of a new file system; returns its descriptor. */
static int make_mount(const struct fs_mount *m)
{
	int fs_fd = must(fsopen(m->fstype, FSOPEN_CLOEXEC), m->fstype), mount_fd;

	must(fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", m->source, 0), m->target);
	for (size_t i = 0; i < ARRAY_LEN(m->options) && m->options[i][0]; i++)
		must(fsconfig(fs_fd, m->options[i][1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			      m->options[i][0], m->options[i][1], 0), m->options[i][0]);
	must(fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), m->target);
	mount_fd = must(fsmount(fs_fd, FSMOUNT_CLOEXEC, m->attrs), m->target);
	close(fs_fd);
	return mount_fd;
}

/* The target is a path beneath the working directory, the future root. */
static void place_mount(int mount_fd, const char *target)
{
	must(move_mount(mount_fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH), target);
	close(mount_fd);
}

static void enter_rootfs(const char *rootfs)
{
	struct mount_attr slave = { .propagation = MS_SLAVE };
	int root_fd;

	must(mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &slave, sizeof(slave)), "propagation of /");
	root_fd = must(open_tree(AT_FDCWD, rootfs, CLONE_TREE | AT_RECURSIVE), rootfs);
	must(move_mount(root_fd, "", AT_FDCWD, rootfs, MOVE_MOUNT_F_EMPTY_PATH), rootfs);
	must(fchdir(root_fd), rootfs);
	close(root_fd);
}

static void make_mounts_and_devices(void)
{
	umask(0);
	for (size_t i = 0; i < ARRAY_LEN(fs_mounts); i++) {
		if (fs_mounts[i].makes_target)
			must(mkdir(fs_mounts[i].target, 0755), fs_mounts[i].target);
		place_mount(make_mount(&fs_mounts[i]), fs_mounts[i].target);
	}
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		must(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)),
		     nodes[i].path);
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		must(symlink(links[i][0], links[i][1]), links[i][1]);
	umask(022);
}

/* A file is covered by /dev/null, a directory by an empty read-only tmpfs; what is not there by nothing. */
static void mask(const char *path)
{
	static const struct fs_mount empty = { .fstype = "tmpfs", .source = "tmpfs", .target = "mask",
					       .attrs = ATTR_SAFE | MOUNT_ATTR_RDONLY };
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		place_mount(make_mount(&empty), path);
	else
		place_mount(must(open_tree(AT_FDCWD, "dev/null", CLONE_TREE), path), path);
}

static void make_readonly(const char *path)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	int fd = open_tree(AT_FDCWD, path, CLONE_TREE | AT_RECURSIVE);

	if (fd < 0)
		return;
	must(mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &readonly, sizeof(readonly)), path);
	place_mount(fd, path);
}

static void pivot(void)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };

	must(mount_setattr(AT_FDCWD, ".", 0, &readonly, sizeof(readonly)), "read-only root");
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount of the old root");
	must(chdir("/"), "chdir");
}

static void bring_lo_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");

	must(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
	close(fd);
}

static void drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { { .effective = KEPT_CAPS, .permitted = KEPT_CAPS } };

	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap >= 32 || !(KEPT_CAPS & 1U << cap))
			must(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0), "bounding set");
	must(setgroups(0, NULL), "setgroups");
	must(syscall(SYS_setresgid, 0, 0, 0), "setresgid");
	must(syscall(SYS_setresuid, 0, 0, 0), "setresuid");
	must(syscall(SYS_capset, &header, sets), "capset");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

static _Noreturn void run_program(char **argv)
{
	struct rlimit nofile = { .rlim_cur = 1024, .rlim_max = 1024 };

	must(setrlimit(RLIMIT_NOFILE, &nofile), "rlimit");
	drop_privileges();
	must(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC), "close_range");
	execve(argv[0], argv, child_env);
	must(-1, argv[0]);
	_exit(127);
}

static _Noreturn void container_init(const char *rootfs, const char *id, char **argv)
{
	/* clone3 would root this namespace in the parent's cgroup */
	must(unshare(CLONE_NEWCGROUP), "cgroup namespace");
	must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, id, 0, 0, 0), "keyring");
	must(sethostname("bench", 5), "hostname");
	bring_lo_up();
	enter_rootfs(rootfs);
	make_mounts_and_devices();
	for (size_t i = 0; i < ARRAY_LEN(readonly_paths); i++)
		make_readonly(readonly_paths[i]);
	for (size_t i = 0; i < ARRAY_LEN(masked_paths); i++)
		mask(masked_paths[i]);
	pivot();
	run_program(argv);
}

/* Forks into a cgroup and into new namespaces; returns 0 in the child, the pid and a pidfd in the parent. */
static int fork_into(int cgroup_fd, uint64_t namespaces, int *ret_pidfd)
{
	struct clone_args args = { .flags = namespaces | CLONE_PIDFD | CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD, .pidfd = (uintptr_t)ret_pidfd,
				   .cgroup = (unsigned int)cgroup_fd };

	return must(syscall(SYS_clone3, &args, sizeof(args)), "clone3");
}

static int wait_for(int pidfd)
{
	siginfo_t info;

	must(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), "waitid");
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

static void write_state(int dir_fd, const char *id, const char *rootfs, int pid)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd = must(openat(dir_fd, "state.json", flags, 0600), "state.json");

	must(dprintf(fd, "{\"ociVersion\":\"1.3.0\",\"id\":\"%s\",\"status\":\"running\",\"pid\":%d,"
			 "\"bundle\":\"%s\"}\n", id, pid, rootfs), "state.json");
	close(fd);
}

static int floor_run(const char *rootfs, const char *state_dir, const char *id, char **argv)
{
	const uint64_t namespaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;
	char state[4096], cgroup[4096];
	int state_fd, cgroup_fd, pidfd = -1, pid, status;

	snprintf(state, sizeof(state), "%s/%s", state_dir, id);
	snprintf(cgroup, sizeof(cgroup), "/sys/fs/cgroup/%s", id);
	must(mkdir(state, 0700), state);
	state_fd = must(open(state, O_PATH | O_DIRECTORY | O_CLOEXEC), state);
	must(mkdir(cgroup, 0755), cgroup);
	cgroup_fd = must(open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), cgroup);
	attach_device_program(cgroup_fd);
	pid = fork_into(cgroup_fd, namespaces, &pidfd);
	if (pid == 0)
		container_init(rootfs, id, argv);
	write_state(state_fd, id, rootfs, pid);
	status = wait_for(pidfd);
	must(rmdir(cgroup), cgroup);
	must(unlinkat(state_fd, "state.json", 0), "state.json");
	must(rmdir(state), state);
	return status;
}

static int floor_exec(const char *pid, const char *cgroup, char **argv)
{
	const int namespaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS |
			       CLONE_NEWCGROUP;
	int target_fd = must(pidfd_open(atoi(pid), 0), pid), pidfd = -1;
	int cgroup_fd = must(open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), cgroup);

	must(setns(target_fd, namespaces), "setns");
	if (fork_into(cgroup_fd, 0, &pidfd) == 0)
		run_program(argv);
	return wait_for(pidfd);
}

int main(int argc, char **argv)
{
	if (argc > 5 && strcmp(argv[1], "run") == 0)
		return floor_run(argv[2], argv[3], argv[4], argv + 5);
	if (argc > 4 && strcmp(argv[1], "exec") == 0)
		return floor_exec(argv[2], argv[3], argv + 4);
	dprintf(STDERR_FILENO, "usage: floor run ROOTFS STATE_DIR ID CMD [ARG...]\n"
			       "       floor exec PID CGROUP CMD [ARG...]\n");
	return 2;
}
