/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are to one registry: what it wants to know, the credentials for it, and tokens for scopes, kept and renewed.
 * For several threads. Part of kist-registry only. Sources: Docker's "Token Authentication Specification" and "OAuth2
 * Token Authentication"; RFC 7617 (Basic); RFC 6750 (Bearer).
 */
#pragma once
#include "image/registry/challenge.h"
#include "image/registry/creds.h"
#include "image/registry/http.h"

struct auth_token;

struct auth {
	struct http *http;
	const struct http_tls *tls;
	const char *host;  /* as in URLs; for messages */
	const char *path;  /* of the repository; "" for the host alone */
	bool may_be_plain; /* the registry itself may speak plain HTTP: so may its token server */
	struct creds_where where;

	pthread_mutex_t lock;
	struct challenge challenge; /* NONE: nobody has asked yet */
	struct creds creds;
	bool has_looked; /* for credentials, which there may be none of */
	bool has_creds;
	struct auth_token *tokens;
};

void auth_open(struct auth *a);
void auth_done(struct auth *a);

/*
 * The value for an Authorization header, for requests in a scope ("repository:a/b:pull", several with blanks between
 * them, or ""). Asks a token server if need be. *ret_value is NULL when nobody has asked who we are. The caller frees it.
 */
int auth_value(struct auth *a, const char *scope, char **ret_value, struct err *e);

/*
 * Takes in a 401 to a request that was sent with `value` (NULL: none). Returns 1 when a new auth_value is worth another
 * try, else -EACCES with words.
 */
int auth_refused(struct auth *a, const char *scope, const char *value, const char *www_authenticate, struct err *e);

/* Where the credentials in use come from. NULL: there are none. */
const char *auth_from(struct auth *a);
