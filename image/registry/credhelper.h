/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential helpers: programs docker-credential-NAME that keep passwords elsewhere. Each is run with a verb, gets a
 * text on standard input, and answers on standard output within CREDHELPER_S. Part of kist-registry only. Source:
 * docker-credential-helpers, README "Development".
 */
#pragma once
#include "image/registry/creds.h"

enum { CREDHELPER_S = 60, CREDHELPER_BYTES_MAX = 64 << 10 };

/* Returns 1, 0 when the helper has nothing for the host, or -errno with words. */
int credhelper_get(const char *name, const char *host, struct creds *ret, struct err *e);
int credhelper_store(const char *name, const char *host, const char *user, const char *password, struct err *e);
/* Returns 1, or 0 when there was nothing. */
int credhelper_erase(const char *name, const char *host, struct err *e);
