/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device programs in the kernel: loading, a cache of loaded ones, attaching to a group. Runs in the parent, which needs
 * CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN). RLIMIT_MEMLOCK is left alone: since Linux 5.11 programs are charged to
 * the memory controller. Callers: runtime (create, update), `doctor`. Sources: bpf(2); BPF_CGROUP_DEVICE.
 */
#pragma once
#include "cgroup/devices.h"
#include "util/err.h"

/*
 * Gives a descriptor of the loaded program, which the caller owns. A program that was loaded before is taken from
 * /sys/fs/bpf/kist when a bpf file system is mounted on /sys/fs/bpf, and a new one is kept there for the next start.
 * -EPERM: the message names the capabilities.
 */
int devices_load(const struct devices_program *program, struct err *e);

/*
 * Attaches a program to a group, beside those of the groups above it, all of which must allow an access. `is_update`:
 * in the place of the one that kist attached before. -EPERM: no right to, or a group above forbids further programs.
 */
int devices_attach(int group_fd, int program_fd, bool is_update, struct err *e);

/*
 * Loads and attaches. An open program is not attached to a new group. Without the right to load programs, a container
 * with a user namespace of its own goes on with a note in the log: the kernel lets it make no device node
 * (user_namespaces(7)), and the nodes bound into it are those its user may open. Any other gets -EPERM.
 */
int devices_apply(int group_fd, const struct devices_program *program, bool has_userns, bool is_update, struct err *e);

/* Uses another directory in the place of /sys/fs/bpf/kist; NULL: no cache at all. For tests and the benchmark. */
void devices_use_cache(const char *dir);
