/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a process without privileges becomes root of a user namespace of its own: unshare(2), and maps that it may write
 * itself (its own id) or that newuidmap(1) and newgidmap(1) write. Runs in the parent, before anything else was done.
 */
#pragma once
#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

/* Finds newuidmap or newgidmap in PATH and the usual folders of programs. In the arena; NULL: it is not installed. */
const char *enter_find_tool(const char *name, struct arena *a);

/*
 * Goes into a new user namespace and a new mount namespace that belongs to it. Without tools the maps are one line each,
 * of the own ids, and groups can then not be set (setgroups(2) is denied). With `uid_tool` and `gid_tool` the maps are any
 * that /etc/subuid and /etc/subgid allow. What forbids it is said with its remedy.
 */
int enter_new(const struct spec_id_maps *uids, const struct spec_id_maps *gids, const char *uid_tool,
	      const char *gid_tool, struct err *e);

/* Goes into the user namespace `fd`. setns(2). */
int enter_given(int fd, struct err *e);

/* Gives a root of a user namespace that is still in the mount namespace of others one of its own. */
int enter_own_mounts(struct err *e);

/* True when setgroups(2) is denied for good in our user namespace. user_namespaces(7). */
bool enter_is_setgroups_denied(void);

/* The maps of our own user namespace, as its maker sees them: "inside outside size" lines of /proc/self/uid_map. */
int enter_read_map(const char *file, struct arena *a, struct spec_id_maps *ret, struct err *e);
