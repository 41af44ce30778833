/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See devices_bpf.h.
 *
 * Loading costs a start two to three microseconds for each instruction, so a program stays pinned in a bpf file system
 * under a hash of its instructions. What is found there is trusted for its contents, not for its place: the kernel is
 * asked for the instructions, and they must be those we would have loaded, byte for byte. (The program's tag would be
 * shorter to compare, but how the kernel computes it changed with Linux 6.18.) Where the kernel rewrites instructions
 * (net.core.bpf_jit_harden), they never compare equal, and nothing is pinned.
 */
#include "cgroup/devices_bpf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"

/* With this many programs pinned, new ones are not: device numbers that change with each start must not pile up. */
enum { PINS_MAX = 64, PATH_ROOM = 256, ATTACHED_MAX = 64 };

#define PROGRAM_NAME "kist_devices"

static const char *cache_dir = "/sys/fs/bpf/kist";

void devices_use_cache(const char *dir)
{
	cache_dir = dir;
}

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	int r = (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
	return r < 0 ? -errno : r;
}

static uint64_t ptr(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* FNV-1a: finds a name; whether it is the right program is compared in full. */
static void pin_path(const struct devices_program *p, char out[static PATH_ROOM])
{
	uint64_t h = 0xcbf29ce484222325;
	const unsigned char *bytes = (const unsigned char *)p->insns;
	for (size_t i = 0; i < p->n * sizeof(*p->insns); i++)
		h = (h ^ bytes[i]) * 0x100000001b3;
	snprintf(out, PATH_ROOM, "%s/devices-%016llx", cache_dir, (unsigned long long)h);
}

/* Whether a descriptor is a device program with exactly these instructions. */
static bool is_same(int fd, const struct devices_program *p)
{
	size_t size = p->n * sizeof(*p->insns);
	free_auto struct bpf_insn *found = mem_zero(p->n + 1, sizeof(*found));
	struct bpf_prog_info info = {
		.xlated_prog_len = (uint32_t)(size + sizeof(*found)), .xlated_prog_insns = ptr(found),
	};
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = ptr(&info);
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && info.type == BPF_PROG_TYPE_CGROUP_DEVICE &&
	       info.xlated_prog_len == size && info.xlated_prog_insns && memcmp(found, p->insns, size) == 0;
}

static int load(const struct devices_program *p)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = ptr(p->insns);
	attr.insn_cnt = (uint32_t)p->n;
	attr.license = ptr("Apache-2.0");
	attr.expected_attach_type = BPF_CGROUP_DEVICE;
	memcpy(attr.prog_name, PROGRAM_NAME, sizeof(PROGRAM_NAME));
	return bpf(BPF_PROG_LOAD, &attr);
}

static int get_pinned(const char *path, const struct devices_program *p)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.pathname = ptr(path);
	fd_auto int fd = bpf(BPF_OBJ_GET, &attr);
	return fd < 0 ? fd : is_same(fd, p) ? fd_take(&fd) : -EBADMSG;
}

static int count_pins(void)
{
	DIR *d = opendir(cache_dir);
	if (!d)
		return PINS_MAX;
	int n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Whether the cache's directory is there, ours alone, in a bpf file system, and not full; it is made when missing. */
static bool has_cache_dir(void)
{
	char up[PATH_ROOM];
	snprintf(up, sizeof(up), "%s", cache_dir);
	char *slash = strrchr(up, '/');
	if (!slash || slash == up)
		return false;
	*slash = '\0';
	struct statfs fs;
	if (statfs(up, &fs) < 0 || fs.f_type != BPF_FS_MAGIC)
		return false;
	if (mkdir(cache_dir, 0700) < 0 && errno != EEXIST)
		return false;
	struct stat st;
	if (lstat(cache_dir, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)
		return false;
	return count_pins() < PINS_MAX;
}

/* Keeps a program for later starts; that it cannot be kept is no failure. */
static void pin(const char *path, int fd, const struct devices_program *p)
{
	if (!has_cache_dir() || !is_same(fd, p))
		return;
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.pathname = ptr(path);
	attr.bpf_fd = (uint32_t)fd;
	bpf(BPF_OBJ_PIN, &attr);
}

int devices_load(const struct devices_program *program, struct err *e)
{
	char path[PATH_ROOM];
	if (cache_dir) {
		pin_path(program, path);
		int fd = get_pinned(path, program);
		if (fd >= 0)
			return fd;
	}
	int fd = load(program);
	if (fd == -EPERM)
		return err_new(e, EPERM, "loading the device rules into the kernel: Operation not permitted: needs "
			       "CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, in the initial user namespace");
	if (fd < 0)
		return err_ret(e, fd, "loading the device rules into the kernel: bpf program of %zu instructions",
			       program->n);
	if (cache_dir)
		pin(path, fd, program);
	return fd;
}

/* Whether a descriptor is a program that kist loaded, by its name. */
static bool is_kists(int fd)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = ptr(&info);
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && strcmp(info.name, PROGRAM_NAME) == 0;
}

/* Finds the program that kist attached to the group before. -ENOENT: there is none. */
static int find_attached(int group_fd)
{
	uint32_t ids[ATTACHED_MAX];
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)group_fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = ptr(ids);
	attr.query.prog_cnt = ATTACHED_MAX;
	int r = bpf(BPF_PROG_QUERY, &attr);
	if (r < 0)
		return r;
	for (uint32_t i = 0, n = attr.query.prog_cnt; i < n; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.prog_id = ids[i];
		fd_auto int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		if (fd >= 0 && is_kists(fd))
			return fd_take(&fd);
	}
	return -ENOENT;
}

int devices_attach(int group_fd, int program_fd, bool is_update, struct err *e)
{
	fd_auto int old = is_update ? find_attached(group_fd) : -ENOENT;
	if (old < 0 && old != -ENOENT)
		return err_ret(e, fd_take(&old), "looking for the group's device rules");
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)group_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (old >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)old;
	}
	int r = bpf(BPF_PROG_ATTACH, &attr);
	if (r == -EPERM)
		return err_new(e, EPERM, "attaching the device rules to the group: Operation not permitted: needs "
			       "CAP_BPF and CAP_NET_ADMIN, and no group above it that forbids programs below");
	return r < 0 ? err_ret(e, r, "attaching the device rules to the group") : 0;
}

int devices_apply(int group_fd, const struct devices_program *program, bool has_userns, bool is_update, struct err *e)
{
	if (program->is_open && !is_update)
		return 0;
	fd_auto int fd = devices_load(program, e);
	int r = fd < 0 ? fd_take(&fd) : devices_attach(group_fd, fd, is_update, e);
	if (r != -EPERM || !has_userns)
		return r;
	log_info("%s; the container's user namespace forbids to make devices anyway", e->text);
	err_clear(e);
	return 0;
}
