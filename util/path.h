/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths beneath a root that somebody else may control: a container's tree, an image's layer, a bundle.
 * Every component is resolved by openat2(2) so that no symlink, "..", magic link or racing rename leads outside.
 * Where openat2 is not to be had (ENOSYS, or EPERM from an old seccomp filter), a component walk with O_NOFOLLOW
 * that resolves symlinks itself serves; `path_use_walk` forces it, for tests of both.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

enum path_rule {
	PATH_IN_ROOT,   /* symlinks count from the root, as in chroot(2): RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS */
	PATH_BENEATH,   /* no symlink at all and no other mount: RESOLVE_BENEATH | NO_SYMLINKS | NO_MAGICLINKS | NO_XDEV */
};

/*
 * Opens `path` beneath `root`. `flags` are open(2) flags; O_CLOEXEC is added. O_CREAT takes `mode`.
 * A leading "/" is the root itself. Returns a descriptor that the caller owns, or -errno (-ELOOP: a symlink that the
 * rule forbids, -EXDEV: an attempt to leave the root).
 */
int path_open(int root, const char *path, enum path_rule rule, int flags, mode_t mode);

/*
 * Opens the directory `path` beneath `root` as O_PATH, making what is missing with `mode` (mkdirat per component;
 * symlinks of the tree are followed inside the root, and what a dangling one leads to is made there).
 */
int path_make_dirs(int root, const char *path, mode_t mode);

/*
 * Opens the target of a mount beneath `root` as O_PATH, making it (and its parents, mode 0755) when missing, also behind
 * a dangling symlink: a directory, or an empty regular file made with mknodat(S_IFREG), never by truncating.
 * -ENOTDIR/-EISDIR when what is there is of the other kind.
 */
int path_make_target(int root, const char *path, bool is_dir);

/*
 * Opens the parent directory of `path` beneath `root` as O_PATH and gives the last component's name (pointing into
 * `path`). -EINVAL when the last component is empty, "." or "..". With `make`, missing parents are made (0755).
 */
int path_open_parent(int root, const char *path, enum path_rule rule, bool make, const char **ret_name);

/* Forces the component walk instead of openat2 (tests; also set once openat2 has answered ENOSYS). */
void path_use_walk(bool on);
