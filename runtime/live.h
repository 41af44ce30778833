/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts that are put into a running container, and taken out again: what lies on the host is made ready there, then a
 * helper process goes into the container's mount namespace and attaches it beneath the root as run does (mounts.h). What
 * was added is kept in `mounts.json` of the state directory; nothing else is ever taken out. Caller: cli. Parent.
 */
#pragma once
#include "util/err.h"

/*
 * Adds the mounts of `file`, an array of mounts as config.json has it, in its order: all of them, or none. A relative
 * bind source starts at the container's bundle. `root` is from state_open_root.
 */
int container_mounts_add(int root, const char *id, const char *file, struct err *e);

/*
 * Takes out what was added at the destinations of `file`, the last one first: all of them, or none. Looks at nothing
 * but the destinations. -ENOENT: nothing was added there; -EBUSY: something else is mounted there now.
 */
int container_mounts_remove(int root, const char *id, const char *file, struct err *e);
