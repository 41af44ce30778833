/* SPDX-License-Identifier: Apache-2.0 */
/* The file system of a packed image, packed by zstd and out again. Part of kist-image only. */
#pragma once
#include "image/packhead.h"

/* Packs `plain` from byte 1024 on into `fd`, and fills in head->zstd. */
int pack_zstd(int plain, struct pack_head *head, int fd, struct err *e);

/*
 * Unpacks it into `plain`, an empty file, where it has head->erofs_size bytes then, no more, and verifies the digest of
 * what it read. -EBADMSG with words.
 */
int unpack_zstd(int fd, const struct pack_head *head, int plain, struct err *e);
