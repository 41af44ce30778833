/* SPDX-License-Identifier: Apache-2.0 */
/* See session.h. */
#include "image/registry/session.h"

#include <errno.h>
#include <string.h>

#include "image/registry/refusal.h"
#include "image/registry/text.h"

enum {
	REDIRECTS_MAX = 5,
	REFUSALS_MAX = 2, /* one to learn what is asked, one for a token that has just ended, or lacks a scope */
};

int session_open(struct session *s, struct http *http, const struct registry_options *options,
		 const struct endpoint *endpoint, const struct strs *helpers, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->http = http;
	s->options = options;
	s->endpoint = *endpoint;
	s->is_insecure = options->tls == REGISTRY_TLS_NO_VERIFY ||
			 (options->tls == REGISTRY_TLS_DEFAULT && endpoint->is_insecure);
	s->certs = (struct certs){ .client = NULL };
	int r = certs_open(options->cert_dir, endpoint->host, &s->certs, e);
	s->tls = (struct http_tls){ .is_unverified = s->is_insecure, .certs = &s->certs };
	s->auth.http = http;
	s->auth.tls = &s->tls;
	s->auth.host = s->endpoint.host;
	s->auth.path = s->endpoint.path;
	s->auth.may_be_plain = s->is_insecure;
	s->auth.where = (struct creds_where){ endpoint->is_foreign ? NULL : options->creds, options->authfile, *helpers };
	auth_open(&s->auth);
	if (r < 0)
		session_done(s);
	return r;
}

void session_done(struct session *s)
{
	auth_done(&s->auth);
	certs_done(&s->certs);
}

/* ---- TLS or not ---- */

char *session_url(struct session *s, const char *path)
{
	return mem_fmt("%s://%s%s", atomic_load(&s->scheme) == SCHEME_HTTP ? "http" : "https", s->endpoint.host,
		       path);
}

/* Puts the host before the words; about TLS that does not come about, says what can be done. */
static int advise(const struct session *s, const char *url, const struct http_answer *a, int r, struct err *e)
{
	const char *at = strstr(url, "://") + 3;
	free_auto char *host = mem_fmt("%.*s", (int)strcspn(at, "/?#"), at);
	if (a->failure == HTTP_BAD_CERT)
		return err_at(e, r, "%s (certificates for it: in /etc/containers/certs.d/%s, or by --cert-dir)", host,
			      host);
	if (a->failure != HTTP_NO_TLS || s->is_insecure)
		return err_at(e, r, "%s", host);
	char words[200];
	text_clean(e->text, words, sizeof(words));
	bool is_here = text_is_loopback(host, strlen(host));
	return err_new(
		e, EPROTO,
		"%s: no TLS (%s); --tls-verify=false allows plain HTTP%s, and so does insecure = true for it in "
		"registries.conf",
		host, words, is_here ? ", which is safe on this machine" : "");
}

/*
 * Where plain HTTP is allowed and TLS is not there, it is tried in its place. Of threads that find that out at the same
 * time, each goes on with it.
 */
static bool falls_back(struct session *s, const char *url, const struct http_answer *a)
{
	int unknown = SCHEME_UNKNOWN;
	if (!s->is_insecure || !http_is_https(url))
		return false;
	if (a->failure != HTTP_NO_TLS && a->failure != HTTP_UNREACHABLE && a->failure != HTTP_CUT)
		return false;
	atomic_compare_exchange_strong(&s->scheme, &unknown, SCHEME_HTTP);
	return atomic_load(&s->scheme) == SCHEME_HTTP;
}

static void note_answer(struct session *s)
{
	int unknown = SCHEME_UNKNOWN;
	atomic_compare_exchange_strong(&s->scheme, &unknown, SCHEME_HTTPS);
	atomic_store(&s->has_answered, true);
}

/* ---- what a registry wants people to know ---- */

/* Returns true the first time. */
static bool is_new(struct http *h, const char *text)
{
	size_t i = 0;
	pthread_mutex_lock(&h->lock);
	while (i < HTTP_WARNINGS_MAX && h->warnings[i] && strcmp(h->warnings[i], text) != 0)
		i++;
	bool is = i < HTTP_WARNINGS_MAX && !h->warnings[i];
	if (is)
		h->warnings[i] = mem_str(text);
	pthread_mutex_unlock(&h->lock);
	return is;
}

/* Warning: 299 - "text" (distribution-spec "Warnings"), each text once. Others are of proxies, for programs. */
static void tell_warnings(struct session *s, const struct http_answer *a)
{
	static const char begin[] = "299 - \"";
	const char *p = a->header[HTTP_WARNING];
	while (p && (p = strstr(p, begin))) {
		char text[300], words[300];
		size_t n = 0;
		for (p += sizeof(begin) - 1; *p && *p != '"' && n + 1 < sizeof(text); p++) {
			p += *p == '\\' && p[1];
			text[n++] = *p;
		}
		text[n] = '\0';
		text_clean(text, words, sizeof(words));
		if (*words && is_new(s->http, words))
			http_tell(s->http, "%s says: %s", hosts_canonical(s->endpoint.host), words);
	}
}

/* ---- one try ---- */

/* Where a redirect leads to. */
static int redirect(const struct session *s, const struct http_answer *a, char **url, struct err *e)
{
	char words[200];
	const char *location = a->header[HTTP_LOCATION];
	char *next = location ? http_resolve(*url, location) : NULL;
	text_clean(location ? location : "(nowhere)", words, sizeof(words));
	if (!next)
		return err_new(e, EBADMSG, "%s redirects to %s", s->endpoint.host, words);
	if (http_is_https(*url) && !http_is_https(next) && !s->is_insecure) {
		free(next);
		return err_new(e, EPERM, "%s redirects from TLS to plain HTTP: %s", s->endpoint.host, words);
	}
	free(*url);
	*url = next;
	return 0;
}

/* 301 and 302 to others than GET and HEAD become GET in browsers, which is no answer to an upload. */
static bool is_redirect(const struct http_answer *a, const char *method)
{
	bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	return a->status == 307 || a->status == 308 ||
	       (reads && (a->status == 301 || a->status == 302 || a->status == 303));
}

/* Sends one request, with our credentials if it goes to the registry's own origin. */
static int send_one(struct session *s, const struct session_call *call, const char *url, bool is_ours,
		    const char *value, struct http_answer *a, struct err *e)
{
	struct http_request request = call->request;
	struct http_tls tls = s->tls;
	tls.is_foreign = !is_ours;
	request.url = url;
	request.authorization = is_ours ? value : NULL;
	request.tls = &tls;
	int r = http_exchange(s->http, &request, a, e);
	a->is_foreign = !is_ours;
	if (r == 0)
		note_answer(s);
	if (r == 0 && is_ours)
		tell_warnings(s, a);
	return r < 0 && a->failure != HTTP_STOPPED ? advise(s, url, a, r, e) : r;
}

/* Sends a request along its redirects. */
static int follow(struct session *s, const struct session_call *call, const char *first, const char *value,
		  struct http_answer *a, struct err *e)
{
	free_auto char *url = mem_str(first), *home = call->url ? session_url(s, "/") : mem_str(first);
	/* It was the registry that named it: where to upload, or the next page. */
	if (!s->is_insecure && !http_is_https(url)) {
		char words[200];
		text_clean(url, words, sizeof(words));
		return err_new(e, EPERM, "%s leads from TLS to plain HTTP: %s", s->endpoint.host, words);
	}
	for (int i = 0;; i++) {
		int r = send_one(s, call, url, http_same_origin(home, url), value, a, e);
		if (r < 0 || !is_redirect(a, call->request.method))
			return r;
		if (i == REDIRECTS_MAX)
			return err_new(e, ELOOP, "%s: more than %d redirects", s->endpoint.host, REDIRECTS_MAX);
		r = redirect(s, a, &url, e);
		if (r < 0)
			return r;
		http_answer_done(a);
		*a = (struct http_answer){ .status = 0 };
	}
}

static int answer_once(struct session *s, const struct session_call *call, const char *value, struct http_answer *a,
		       struct err *e)
{
	free_auto char *url = call->url ? mem_str(call->url) : session_url(s, call->path);
	int r = follow(s, call, url, value, a, e);
	if (r == 0 || call->url || !falls_back(s, url, a))
		return r;
	http_answer_done(a);
	*a = (struct http_answer){ .status = 0 };
	free_auto char *plain = session_url(s, call->path);
	return follow(s, call, plain, value, a, e);
}

int session_try(struct session *s, const struct session_call *call, struct http_answer *ret_answer, struct err *e)
{
	for (int i = 0;; i++) {
		free_auto char *value = NULL;
		struct http_answer a = { .status = 0 };
		int r = auth_value(&s->auth, call->scope, &value, e);
		if (r == 0)
			r = answer_once(s, call, value, &a, e);
		bool is_refused = r == 0 && a.status == 401 && !a.is_foreign && i < REFUSALS_MAX;
		if (is_refused)
			r = auth_refused(&s->auth, call->scope, value, a.header[HTTP_AUTHENTICATE], e);
		if (value)
			explicit_bzero(value, strlen(value));
		if (!is_refused || r < 0) {
			*ret_answer = a;
			return r;
		}
		http_answer_done(&a);
	}
}

/* ---- again ---- */

bool session_again(struct session *s, struct retry *retry, int *r, const struct http_answer *answer, struct err *e)
{
	return retry_again(retry, s->http, s->endpoint.host, atomic_load(&s->has_answered), r, answer, e);
}

int session_call(struct session *s, const struct session_call *call, struct http_answer *ret_answer, struct err *e)
{
	struct retry retry = { .tries = 0 };
	for (;;) {
		struct http_answer a = { .status = 0 };
		int r = session_try(s, call, &a, e);
		if (!session_again(s, &retry, &r, &a, e)) {
			*ret_answer = a;
			return r;
		}
		http_answer_done(&a);
		err_clear(e);
	}
}

int session_refusal(struct session *s, const struct http_answer *a, struct err *e)
{
	return refusal_of(a, s->endpoint.host, auth_from(&s->auth) == NULL, e);
}
