/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648, section 4, with padding. Callers: signatures, keys in policy files. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes `len` characters; newlines between them are left out. Gives bytes that the caller frees, with a NUL behind
 * them. -EINVAL: another character, missing padding, or bits that no encoder writes.
 */
int base64_decode(const char *text, size_t len, uint8_t **ret_bytes, size_t *ret_len);

/* Encodes; the caller frees. */
char *base64_encode(const void *bytes, size_t len);
