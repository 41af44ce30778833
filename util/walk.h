/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The component walk behind util/path: where openat2(2) is not to be had, and where something is to be made behind a
 * symlink that leads nowhere yet. Not for other callers.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/*
 * Opens `path` beneath `root`, one O_NOFOLLOW component at a time; symlinks are read and resolved from the root
 * (`is_strict`: refused with -ELOOP, as are ".." and other mounts with -EXDEV). Returns a descriptor or -errno.
 */
int walk_open(int root, const char *path, bool is_strict, int flags, mode_t mode);

/*
 * Opens `path` beneath `root` as O_PATH and makes what is missing on the way, also where a symlink leads to it:
 * directories with `mode`, and at the end a directory or an empty regular file. ".." goes up from where the walk
 * stands, never above the root. Returns a descriptor (of a directory, too, where a file was asked for and a directory
 * is there) or -errno.
 */
int walk_make(int root, const char *path, bool is_dir, mode_t mode);
