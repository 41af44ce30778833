/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masked and read-only paths. A masked directory gets an empty read-only tmpfs, all of them the same one; a masked file
 * gets the host's /dev/null, which was opened and verified before the container's tree was looked at (CVE-2025-31133).
 * Source: runtime-spec config-linux.md "Masked Paths", "Readonly Paths".
 */
#pragma once
#include "util/err.h"
#include "util/jx.h"

/*
 * Masks each path beneath `root`; a path that is not there is passed over. `null_tree` is a detached copy of the
 * host's /dev/null (mask_open_null). `label` (or NULL) is linux.mountLabel. Runs in the child, before pivot.
 */
int mask_paths(int root, const struct strs *paths, int null_tree, const char *label, struct err *e);

/* Makes each path read-only, with all mounts below it; a path that is not there is passed over. Child, before pivot. */
int mask_readonly(int root, const struct strs *paths, struct err *e);

/* Opens a detached copy of the host's /dev/null after checking that it is character device 1:3. Runs in the parent. */
int mask_open_null(struct err *e);
