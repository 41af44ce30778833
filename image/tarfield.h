/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a tar header block, for image/tar and image/tarsparse. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the fields of a header block lie. */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_SUM = 148,
	AT_TYPE = 156,
	AT_LINK = 157,
	AT_MAGIC = 257,
	AT_MAJOR = 329,
	AT_MINOR = 337,
	AT_PREFIX = 345,
	AT_STAR = 508,
	TAR_BLOCK_SIZE = 512,
};

/* Reads a number: octal, or base-256 (GNU, star). False: neither, or too large for 64 bits. */
bool tar_number(const uint8_t *field, size_t len, int64_t *ret_value);

/* Copies a string of up to `len` bytes, which need not end in a NUL, and a NUL. */
void tar_text(char *out, const uint8_t *field, size_t len);

/* True when the block's checksum is right. */
bool tar_sum_is_right(const uint8_t *h);

/* The two kinds of headers that have more fields than v7. */
bool tar_is_ustar(const uint8_t *h);
bool tar_is_gnu(const uint8_t *h);
