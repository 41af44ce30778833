/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an EROFS file that a stranger may have made, and says whether it is one that kist writes. Nothing in the file is
 * believed: each place is compared with the file's end, and names, inodes and bytes with how many the file has room for.
 * A file is ours when its tree, written again, gives just these bytes: what the kernel gets to read is then what kist
 * itself would have written. Part of kist-image only. Fuzzed by tests/fuzz/fuzz_erofs.c.
 */
#pragma once
#include "image/tree.h"

/*
 * Reads the tree of an EROFS file system that lies in the first `size` bytes of `fd`, and compares all but the files'
 * bytes (image/treetar digests those) and the first 1024. The tree borrows `fd`. -EBADMSG with words.
 */
int tree_from_erofs(struct tree *t, int fd, uint64_t size, struct err *e);
