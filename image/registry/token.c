/* SPDX-License-Identifier: Apache-2.0 */
/* See token.h. */
#include "image/registry/token.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "image/registry/hosts.h"
#include "image/registry/refusal.h"
#include "image/registry/retry.h"
#include "image/registry/text.h"

enum {
	TOKEN_ANSWER_MAX = 1 << 20,
	TOKEN_VALID_S = 60, /* where the server says nothing, by the specification */
	TOKEN_VALID_S_MAX = 86400,
	TOKEN_MARGIN_S = 5, /* for the way to the registry, and clocks that differ */
};

/* ---- scopes ---- */

/* "repository:a/b:pull" is covered by "repository:a/b:pull,push". */
static bool covers(const char *scope, size_t len, const char *named)
{
	const char *colon = strrchr(named, ':');
	size_t head = colon ? (size_t)(colon - named) + 1 : 0;
	if (!head || len <= head || memcmp(scope, named, head) != 0 || memchr(scope + head, ':', len - head))
		return false;
	for (const char *action = colon + 1; *action;) {
		size_t n = strcspn(action, ",");
		bool is_there = false;
		for (const char *p = scope + head; p < scope + len; p += strcspn(p, ", ") + 1)
			is_there |= strcspn(p, ", ") == n && memcmp(p, action, n) == 0;
		if (!is_there)
			return false;
		action += n + (action[n] == ',');
	}
	return true;
}

char *token_scopes(const char *wanted, const char *named)
{
	str_auto struct str all = STR_MAX(2 * CHALLENGE_TEXT_MAX);
	str_puts(&all, wanted);
	for (const char *p = named; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		free_auto char *one = mem_fmt("%.*s", (int)strcspn(p, " "), p);
		bool is_covered = false;
		for (const char *q = wanted; *q; q += strcspn(q, " "), q += strspn(q, " "))
			is_covered |= covers(q, strcspn(q, " "), one);
		if (!is_covered)
			str_fmt(&all, "%s%s", all.len ? " " : "", one);
	}
	return all.p ? ptr_take(all.p) : mem_str("");
}

/* ---- the request ---- */

static void add_field(struct str *out, const char *key, const char *value)
{
	free_auto char *escaped = http_escape(value);
	str_fmt(out, "%s%s=%s", out->len ? "&" : "", key, escaped);
}

/* GET repeats the parameter for each scope; POST has them in one, with blanks. */
static void add_scopes(struct str *out, const char *scopes, bool is_post)
{
	if (is_post && *scopes)
		add_field(out, "scope", scopes);
	for (const char *p = scopes; !is_post && *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		free_auto char *one = mem_fmt("%.*s", (int)strcspn(p, " "), p);
		add_field(out, "scope", one);
	}
}

static void add_query(const struct token_request *q, const char *scopes, bool is_post, struct str *out)
{
	if (is_post) {
		add_field(out, "grant_type", "refresh_token");
		add_field(out, "client_id", "kist");
		add_field(out, "refresh_token", q->creds->identity_token);
	} else if (q->creds && q->creds->user) {
		add_field(out, "account", q->creds->user);
	}
	if (q->challenge->service[0])
		add_field(out, "service", q->challenge->service);
	add_scopes(out, scopes, is_post);
}

static int exchange(const struct token_request *q, const char *realm, struct http_answer *ret, struct err *e)
{
	bool is_post = q->creds && q->creds->identity_token;
	free_auto char *scopes = token_scopes(q->scope, q->challenge->scope);
	free_auto char *basic = !is_post && q->creds ? creds_basic(q->creds->user, q->creds->password) : NULL;
	free_auto char *authorization = basic ? mem_fmt("Basic %s", basic) : NULL;
	str_auto struct str query = STR_MAX(HTTP_URL_MAX);
	add_query(q, scopes, is_post, &query);
	free_auto char *url =
		is_post ? mem_str(realm)
			: mem_fmt("%s%c%s", realm, strchr(realm, '?') ? '&' : '?', query.p ? query.p : "");
	if (query.is_full || strlen(url) >= HTTP_URL_MAX)
		return err_new(e, E2BIG, "more than %d bytes to ask for", HTTP_URL_MAX);
	free_auto char *home = mem_fmt("https://%s/", q->host);
	struct http_tls tls = *q->tls;
	tls.is_foreign = !http_same_origin(home, realm);
	const struct http_request request = {
		.method = is_post ? "POST" : "GET",
		.url = url,
		.authorization = authorization,
		.fields = { "Accept: application/json",
			    is_post ? "Content-Type: application/x-www-form-urlencoded" : NULL },
		.tls = &tls,
		.bytes = query.p,
		.length = query.len,
		.has_body = is_post,
		.max_bytes = TOKEN_ANSWER_MAX,
	};
	int r = http_exchange(q->http, &request, ret, e);
	if (query.p)
		explicit_bzero(query.p, query.len);
	if (authorization)
		explicit_bzero(authorization, strlen(authorization));
	return r;
}

/* ---- the answer ---- */

/* A token becomes part of a header: RFC 6750 "Authorization Request Header Field". */
static bool is_token(const char *text)
{
	size_t len = strlen(text);
	return len && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=") == len;
}

static int read_answer(const struct http_answer *a, struct token *ret, struct err *e)
{
	json_t *root = json_loadb(a->text.p ? a->text.p : "", a->text.len, JSON_REJECT_DUPLICATES, NULL);
	const char *text = json_string_value(json_object_get(root, "token"));
	const json_t *valid = json_object_get(root, "expires_in");
	if (!text || !*text)
		text = json_string_value(json_object_get(root, "access_token"));
	if (!text || !is_token(text)) {
		json_decref(root);
		return err_new(e, EBADMSG, "its answer has no token");
	}
	int64_t seconds = json_is_integer(valid) ? json_integer_value(valid) : TOKEN_VALID_S;
	if (seconds > TOKEN_VALID_S_MAX)
		seconds = TOKEN_VALID_S_MAX;
	/* A token that ends at once serves the one request that it was made for. */
	ret->valid_ms = seconds > TOKEN_MARGIN_S ? (seconds - TOKEN_MARGIN_S) * 1000 : 0;
	ret->text = mem_str(text);
	json_decref(root);
	return 0;
}

static int refuse(const struct token_request *q, const struct http_answer *a, struct err *e)
{
	const char *host = hosts_canonical(q->host);
	char words[200];
	refusal_words(a, words, sizeof(words));
	if (a->status != 401 && a->status != 403)
		return err_new(e, EIO, "status %d%s%s", a->status, *words ? ": " : "", words);
	if (q->creds)
		return err_new(e, EACCES, "it refuses the user or the password of %s (%s): kist login %s",
			       q->creds->from, *words ? words : "no reason given", host);
	return err_new(e, EACCES, "it asks for a user and a password: kist login %s", host);
}

static int check_realm(const struct token_request *q, struct err *e)
{
	const char *realm = q->challenge->realm;
	free_auto char *url = http_resolve(realm, realm);
	if (!url)
		return err_new(e, EBADMSG, "no address of a token server");
	if (!http_is_https(realm) && !q->may_be_plain)
		return err_new(e, EPERM, "plain HTTP, where everybody on the way could read the token");
	return 0;
}

static int ask(const struct token_request *q, struct token *ret, struct err *e)
{
	struct retry retry = { .tries = 0 };
	for (;;) {
		http_answer_auto struct http_answer a = { .status = 0 };
		int r = exchange(q, q->challenge->realm, &a, e);
		if (retry_again(&retry, q->http, q->host, true, &r, &a, e)) {
			err_clear(e);
			continue;
		}
		if (r < 0)
			return r;
		return a.status == 200 ? read_answer(&a, ret, e) : refuse(q, &a, e);
	}
}

int token_get(const struct token_request *request, struct token *ret, struct err *e)
{
	char realm[300];
	text_clean(request->challenge->realm, realm, sizeof(realm));
	int r = check_realm(request, e);
	if (r == 0)
		r = ask(request, ret, e);
	return r < 0 ? err_at(e, r, "%s: token server %s", request->host, realm) : 0;
}
