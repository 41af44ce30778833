/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes before one file's data in a tar archive: a ustar header, behind a pax header where a name, a number, a
 * fraction of a second or an xattr needs one. Equal entries give equal bytes. Pure. Part of kist-image only; callers:
 * image/tarwrite (from a directory), image/treetar (from a tree in memory).
 */
#pragma once
#include "image/tar.h"
#include "util/mem.h"

enum { TAR_BLOCK_SIZE = 512 };

/*
 * Adds the header of an entry to `out`. Of the entry: path (directories with a slash at the end), link, mode, owner,
 * size (of TAR_FILE), device numbers, mtime, xattrs (which a hard link has not). `pax` is room for the call's own use.
 */
void tar_head(const struct tar_entry *en, struct str *pax, struct str *out);

/* The zeros that follow `size` bytes of data up to a whole block. */
static inline size_t tar_pad(uint64_t size)
{
	return (size_t)(-size & (TAR_BLOCK_SIZE - 1));
}
