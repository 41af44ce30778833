/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory tree as a tar archive: ustar, with pax headers where names, numbers, fractions of seconds or
 * xattrs need them. Names are sorted, so equal trees give equal bytes. Part of kist-image only.
 */
#pragma once
#include "util/err.h"

/*
 * Writes the tree below the directory `root` to `out`. Hard links within the tree stay so; sockets are left
 * out; other file systems mounted in it are not entered, symlinks not followed. A file that shrinks meanwhile
 * is an error.
 */
int tar_write_tree(int root, int out, struct err *e);
