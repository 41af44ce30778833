/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owner, mode, xattrs and times of what the unpacker has made, in the order in which the kernel lets them
 * last.
 */
#pragma once
#include "image/tar.h"

/* What new files get by themselves, so that equal owners cost no call. */
struct meta_owner {
	uint32_t uid;
	uint32_t gid;
};

/* True for an xattr that a layer may bring: not overlayfs's own, nor labels and hashes of another host. */
bool meta_xattr_is_kept(const char *name);

/* For an open file that was created with mode & 0777. */
int meta_file(int fd, const struct tar_entry *en, const struct meta_owner *own, struct err *e);

/*
 * For anything else, by name below an O_PATH directory, never following a symlink. Directories (their mode
 * and time come last) get owner and xattrs only.
 */
int meta_node(int parent, const char *name, const struct tar_entry *en, struct err *e);

/* True when meta_node has something to do for a new directory. */
bool meta_dir_needs(const struct tar_entry *en, const struct meta_owner *own);
