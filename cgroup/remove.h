/* SPDX-License-Identifier: Apache-2.0 */
/* Removal of a container's group. Callers: runtime (delete, undo of create). */
#pragma once
#include <stddef.h>
#include "cgroup/tree.h"
#include "util/err.h"

/*
 * Removes the group `path` (no leading slash) with all groups below it, deepest first, and then the groups
 * above it that were made with it: those longer than the first `keep_len` bytes of `path`, as far as they are
 * empty. With keep_len = strlen(path) nothing is removed but what is below. Waits at most timeout_ms for its
 * processes to end (kill them before). Success when it is gone already. -EBUSY: the message lists what still
 * runs there. One system call per directory when nothing is left in it.
 */
int cgroup_remove(const struct cgroup_tree *tree, const char *path, size_t keep_len, int timeout_ms, struct err *e);

/* Removes empty groups above `path` as cgroup_remove does; never fails. */
void cgroup_remove_parents(const struct cgroup_tree *tree, const char *path, size_t keep_len);
