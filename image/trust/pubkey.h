/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys that verify signatures of sigstore's kind, by libcrypto. For image/trust and the verbs that sign. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "image/trust/policy.h"

enum { PUBKEYS_MAX = 64, PUBKEY_FILE_MAX = 64 << 10 };

struct pubkey {
	struct evp_pkey_st *key;
};

struct pubkeys {
	struct pubkey v[PUBKEYS_MAX];
	size_t n;
};

#define pubkeys_auto __attribute__((cleanup(pubkeys_done)))
void pubkeys_done(struct pubkeys *keys);

/*
 * Adds the key of a PEM text ("PUBLIC KEY": ECDSA on P-256, P-384 or P-521, Ed25519, RSA of 2048 bits and more).
 * -EINVAL with words that begin with `what`.
 */
int pubkeys_add(struct pubkeys *keys, const char *pem, size_t len, const char *what, struct err *e);
int pubkeys_add_file(struct pubkeys *keys, const char *path, struct err *e);

/* Reads all keys of a sigstoreSigned requirement. */
int pubkeys_of(const struct requirement *q, struct pubkeys *ret_keys, struct err *e);

/* Whether one of the keys has made this signature (SHA-256 for all but Ed25519). */
bool pubkeys_verify(const struct pubkeys *keys, const void *bytes, size_t len, const void *signature,
		    size_t signature_len);
