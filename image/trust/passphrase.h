/* SPDX-License-Identifier: Apache-2.0 */
/* The passphrase of a private key. For image/trust/privkey only. */
#pragma once
#include <stdbool.h>
#include "util/err.h"

enum { PASSPHRASE_MAX = 1024 };

struct passphrase {
	char text[PASSPHRASE_MAX];
};

#define passphrase_auto __attribute__((cleanup(passphrase_done)))
void passphrase_done(struct passphrase *p);

/*
 * The first line of `file`; NULL: $COSIGN_PASSWORD, which may be empty; else asked for on the terminal, twice where it
 * is a new one. -ENOTTY: nobody can be asked.
 */
int passphrase_get(const char *file, bool is_new, struct passphrase *ret, struct err *e);
