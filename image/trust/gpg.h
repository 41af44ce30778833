/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One OpenPGP signed message, verified by gpgv(1) with given keys and nothing else: no home, no agent, no network.
 * For image/trust only.
 */
#pragma once
#include "image/trust/policy.h"

/* Keys of a signedBy requirement, one keyring. */
struct keyring {
	int fd;
};

#define KEYRING_NONE ((struct keyring){ .fd = -1 })
#define keyring_auto __attribute__((cleanup(keyring_done)))

/* Reads the keys, in binary or ASCII armour. The caller ends it by keyring_done. */
int keyring_open(const struct requirement *q, struct keyring *ret_ring, struct err *e);
void keyring_done(struct keyring *ring);

/*
 * Verifies a message and gives what was signed; the caller frees. -EPERM with words: not signed, by another key, or
 * by one that is expired or revoked. -ENOENT: there is no gpgv.
 */
int keyring_verify(const struct keyring *ring, const char *message, size_t len, char **ret_bytes, size_t *ret_len,
		   struct err *e);
