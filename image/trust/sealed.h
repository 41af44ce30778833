/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cosign's encrypted keys: JSON with scrypt's parameters and a box of NaCl's secretbox. For image/trust/privkey only.
 * Source: go-securesystemslib's package encrypted, as cosign's KEY documentation names it.
 */
#pragma once
#include <stddef.h>
#include "util/err.h"
#include "util/mem.h"

/* Opens a box. The caller wipes and frees. -EACCES: the passphrase is wrong. */
int sealed_open(const char *json, size_t len, const char *passphrase, unsigned char **ret_bytes, size_t *ret_len,
		struct err *e);

/* Seals bytes; the result is JSON. */
int sealed_make(const unsigned char *bytes, size_t len, const char *passphrase, struct str *out, struct err *e);
