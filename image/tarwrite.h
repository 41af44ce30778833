/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole directory tree as a tar archive. Names are sorted, so equal trees give equal bytes. Part of kist-image only.
 */
#pragma once
#include "image/treeout.h"

/*
 * Writes the tree below the directory `root`, and the archive's end. Hard links within the tree stay so; sockets and
 * whiteouts are left out; other file systems mounted in it are not entered, symlinks not followed. A hole in a file is
 * written as zeros.
 */
int tar_write_tree(int root, struct treeout *w, struct err *e);
