/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talks to one repository at one host: finds out whether it speaks TLS, says who we are, follows redirects (without
 * saying it to others), and tries again what may pass. For several threads. Part of kist-registry only.
 */
#pragma once
#include "image/registry/auth.h"
#include "image/registry/hosts.h"
#include "image/registry/http.h"
#include "image/registry/retry.h"

enum session_scheme { SCHEME_UNKNOWN, SCHEME_HTTPS, SCHEME_HTTP };

struct session {
	struct http *http;
	const struct registry_options *options;
	struct endpoint endpoint;
	bool is_insecure; /* by option or registries.conf: any certificate, and plain HTTP */
	struct certs certs;
	struct http_tls tls;
	struct auth auth;
	atomic_int scheme;
	atomic_bool has_answered; /* somebody is there: what fails now may pass */
};

/* `http` and `options` are borrowed and outlive it. `helpers` are the credential-helpers of registries.conf. */
int session_open(struct session *s, struct http *http, const struct registry_options *options,
		 const struct endpoint *endpoint, const struct strs *helpers, struct err *e);
void session_done(struct session *s);

struct session_call {
	const char *path;	     /* behind the host, as "/v2/"; NULL: `url` */
	const char *url;	     /* one that the registry gave */
	const char *scope;	     /* for the token; "": none */
	struct http_request request; /* but for url, authorization and tls */
};

/* One try. Returns 0 when there is an answer of any status but 401 and redirects; else -errno with words. */
int session_try(struct session *s, const struct session_call *call, struct http_answer *ret_answer, struct err *e);

/* See retry_again. */
bool session_again(struct session *s, struct retry *retry, int *r, const struct http_answer *answer, struct err *e);

/* As session_try, again and again while session_again says so: for calls that can be repeated as they are. */
int session_call(struct session *s, const struct session_call *call, struct http_answer *ret_answer, struct err *e);

/* The URL of a path behind the host, once the scheme is known. The caller frees. */
char *session_url(struct session *s, const char *path);

/* Fills `e` for an answer that is none of success. */
int session_refusal(struct session *s, const struct http_answer *a, struct err *e);
