/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a token server. For image/registry/auth alone; sources there. */
#pragma once
#include "image/registry/challenge.h"
#include "image/registry/creds.h"
#include "image/registry/http.h"

struct token_request {
	struct http *http;
	const struct http_tls *tls;
	const char *host;  /* of the registry, for messages */
	bool may_be_plain; /* credentials may go over plain HTTP */
	const struct challenge *challenge;
	const char *scope;	   /* several with blanks between them; "": none */
	const struct creds *creds; /* NULL: anonymous */
};

struct token {
	char *text;
	int64_t valid_ms; /* from now on */
};

/* The caller frees ret->text. -EACCES: the server does not let these credentials in. */
int token_get(const struct token_request *request, struct token *ret, struct err *e);

/*
 * The scopes to ask for: the wanted ones, and the one that the registry named, unless it is among them already.
 * The caller frees.
 */
char *token_scopes(const char *wanted, const char *named);
