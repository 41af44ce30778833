/* SPDX-License-Identifier: Apache-2.0 */
/* The component walk behind util/path where openat2(2) is not to be had. Not for other callers. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/*
 * Opens `path` beneath `root`, one O_NOFOLLOW component at a time; symlinks are read and resolved from the root
 * (`is_strict`: refused with -ELOOP, as are ".." and other mounts with -EXDEV). Returns a descriptor or -errno.
 */
int walk_open(int root, const char *path, bool is_strict, int flags, mode_t mode);
