/* SPDX-License-Identifier: Apache-2.0 */
/* A tree as a file that EROFS mounts. Part of kist-image only. */
#pragma once
#include "image/tree.h"

/*
 * Writes the file system to `fd`, an empty regular file, from its byte 1024 on; what lies before stays 0. Files' bytes
 * are read from where the tree came from. *ret_size: bytes of the file, a multiple of 4096. Not synced.
 */
int erofs_write(struct tree *t, int fd, uint64_t *ret_size, struct err *e);
