/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's group, from its place to a descriptor for CLONE_INTO_CGROUP. Callers: runtime (create, run, exec).
 * All of it runs in the parent. Paths that came from a config are resolved by openat2(2) beneath the mount.
 *
 *   cgroup_prepare   looks only: refuses what cannot work, learns which groups above exist
 *   (the caller writes path and keep_len to its state file)
 *   cgroup_create    mkdir, hand controllers down, open
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "cgroup/controllers.h"
#include "cgroup/place.h"
#include "cgroup/tree.h"
#include "util/err.h"

struct cgroup_group {
	const char *path;      /* as in struct cgroup_place; borrowed */
	size_t keep_len;       /* bytes of `path` that existed before us: removal leaves them alone (cgroup/remove.h) */
	size_t base_len;       /* bytes of `path` that are our own delegated group */
	bool is_chosen;        /* the name is kist's: a leftover under it is taken over */
	bool is_fresh;         /* after cgroup_create: we made it, so that all its files hold the kernel's defaults */
	int fd;                /* after cgroup_create: the directory, O_PATH; -1 before */
};

#define CGROUP_GROUP_NONE { .fd = -1 }

/*
 * Finds out whether the group can be made, without a change: needed controllers (-EOPNOTSUPP), a group that
 * exists and holds processes (-EBUSY) or is frozen (-EBUSY). For a chosen place without needs it makes no
 * system call. config-linux.md, "Cgroup ownership" and "Control groups".
 */
int cgroup_prepare(const struct cgroup_tree *tree, const struct cgroup_place *place, const struct cgroup_need *need,
		   struct cgroup_group *ret_group, struct err *e);

/*
 * Makes the group and those above it that are missing, enables the needed controllers, opens it. On failure
 * what was made is removed again. One mkdirat and one open when nothing is needed and only the leaf is
 * missing.
 */
int cgroup_create(const struct cgroup_tree *tree, struct cgroup_group *group, const struct cgroup_need *need,
		  struct err *e);

/* Opens an existing group as O_PATH. Returns a descriptor that the caller owns; -ENOENT: it is gone. */
int cgroup_open(const struct cgroup_tree *tree, const char *path, struct err *e);

/*
 * The path of a process' group from the visible root, with its slash; for exec, which follows the init. In
 * the arena.
 */
int cgroup_of_pid(pid_t pid, struct arena *a, const char **ret_path, struct err *e);

/*
 * Gives a group to a user: the directory and those of its files that the kernel lists as delegatable
 * (/sys/kernel/cgroup/delegate). For containers with a user namespace and a writable cgroup mount.
 * config-linux.md, "Cgroup ownership".
 */
int cgroup_chown(int group_fd, uid_t uid, gid_t gid, struct err *e);

void cgroup_group_done(struct cgroup_group *group);

#define cgroup_group_auto __attribute__((cleanup(cgroup_group_done)))
