/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file of credentials: auth.json or Docker's config.json, read whole, and written back with all that other programs
 * keep in it. Part of kist-registry only. Sources: containers-auth.json(5), Docker's config file.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "util/err.h"

enum { AUTHFILE_BYTES_MAX = 4 << 20, AUTHFILE_PLACES_MAX = 5 };

struct authfile {
	char *path;
	json_t *root; /* an object; empty when the file is not there */
	bool is_there;
	bool is_legacy; /* ~/.dockercfg: the root is what "auths" is elsewhere */
};

#define authfile_auto __attribute__((cleanup(authfile_done)))

/* Reads a file; one that is not there is an empty one. */
int authfile_open(const char *path, bool is_legacy, struct authfile *ret, struct err *e);
void authfile_done(struct authfile *f);

/*
 * The files in which credentials are looked for, first to last; `given` (--authfile) or $REGISTRY_AUTH_FILE stands for
 * all others. Returns how many; the caller frees each. *ret_is_given: the first is of that kind, and has to be there.
 */
size_t authfile_places(const char *given, char *out[static AUTHFILE_PLACES_MAX], bool *ret_is_given);

/* The file that login writes. The caller frees. */
char *authfile_own(const char *given);

/* The entries: key to object. NULL: none. */
json_t *authfile_auths(const struct authfile *f);

/* The helper for a host: of "credHelpers", or "credsStore" for all. NULL: none. Borrowed. */
const char *authfile_helper(const struct authfile *f, const char *host);

/* A key in its plain form, as "https://index.docker.io/v1/" is docker.io. The caller frees. */
char *authfile_plain_key(const char *key);

/* Changes the entries of a file: returns 1 (write it), 0 (nothing to write) or -errno with words. */
typedef int authfile_change_fn(struct authfile *f, void *ctx, struct err *e);

/*
 * Reads a file, changes it, and replaces it whole (0600, by rename), under a lock on its directory, which is made (0700).
 * A file that is a link stays one. Returns what `change` did.
 */
int authfile_change(const char *path, authfile_change_fn *change, void *ctx, struct err *e);
