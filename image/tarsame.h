/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a file has just the data of an archive's entry, holes and all. Changes nothing. Part of kist-image, for
 * image/expect.
 */
#pragma once
#include "image/tar.h"

enum { TARSAME_PIECE = 256 << 10 };

/*
 * Reads the entry's data from the tar, up to the first difference, and compares it with the file `fd`, which has the
 * entry's size. `buf` has TARSAME_PIECE bytes. -errno with words for what is wrong with the archive; what cannot be read of
 * the file is a difference.
 */
int tar_is_same(struct tar *tar, const struct tar_entry *en, int fd, uint8_t *buf, bool *ret_is_same, struct err *e);
