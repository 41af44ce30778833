/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private keys that sign images: PKCS#8 in PEM, and the encrypted form of cosign, which skopeo and podman take too
 * (scrypt and NaCl's secretbox). Part of kist-image only.
 */
#pragma once
#include <stddef.h>
#include "util/err.h"

struct privkey {
	struct evp_pkey_st *key;
};

#define PRIVKEY_NONE ((struct privkey){ .key = NULL })
#define privkey_auto __attribute__((cleanup(privkey_done)))
void privkey_done(struct privkey *k);

/*
 * Reads a key. A passphrase, where the key wants one, is the first line of `passphrase_file`, else $COSIGN_PASSWORD, else
 * asked for on the terminal. -EACCES: the passphrase is wrong.
 */
int privkey_open(const char *path, const char *passphrase_file, struct privkey *ret_key, struct err *e);

/*
 * Makes an ECDSA key on P-256 and writes PREFIX.key, which only the owner can read, encrypted as cosign does, and
 * PREFIX.pub. What is there already is not replaced (-EEXIST).
 */
int privkey_generate(const char *prefix, const char *passphrase_file, struct err *e);

/* Signs with SHA-256 (Ed25519: without). Gives base64 that the caller frees. */
int privkey_sign(const struct privkey *k, const void *bytes, size_t len, char **ret_signature, struct err *e);
