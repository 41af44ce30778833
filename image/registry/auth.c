/* SPDX-License-Identifier: Apache-2.0 */
/* See auth.h. Tokens themselves come from image/registry/token. */
#include "image/registry/auth.h"

#include <errno.h>
#include <string.h>

#include "image/registry/hosts.h"
#include "image/registry/text.h"
#include "image/registry/token.h"
#include "util/clock.h"

struct auth_token {
	struct auth_token *next;
	char *scope;
	char *value; /* "Bearer ..." */
	int64_t end_ms;
};

void auth_open(struct auth *a)
{
	pthread_mutex_init(&a->lock, NULL);
}

static void token_free(struct auth_token *t)
{
	explicit_bzero(t->value, strlen(t->value));
	free(t->value);
	free(t->scope);
	free(t);
}

void auth_done(struct auth *a)
{
	while (a->tokens) {
		struct auth_token *t = a->tokens;
		a->tokens = t->next;
		token_free(t);
	}
	creds_done(&a->creds);
	pthread_mutex_destroy(&a->lock);
}

/* ---- under the lock ---- */

static int look_for_creds(struct auth *a, struct err *e)
{
	if (a->has_looked)
		return 0;
	int r = creds_find(&a->where, a->host, a->path, &a->creds, e);
	if (r < 0)
		return r;
	a->has_looked = true;
	a->has_creds = r > 0;
	return 0;
}

static struct auth_token **find_token(struct auth *a, const char *scope)
{
	for (struct auth_token **t = &a->tokens; *t; t = &(*t)->next)
		if (strcmp((*t)->scope, scope) == 0)
			return t;
	return NULL;
}

static void drop_token(struct auth *a, const char *scope)
{
	struct auth_token **at = find_token(a, scope);
	if (!at)
		return;
	struct auth_token *t = *at;
	*at = t->next;
	token_free(t);
}

/* Returns the new token; NULL with e filled. */
static const struct auth_token *fetch_token(struct auth *a, const char *scope, struct err *e)
{
	const struct token_request request = {
		.http = a->http,
		.tls = a->tls,
		.host = a->host,
		.may_be_plain = a->may_be_plain,
		.challenge = &a->challenge,
		.scope = scope,
		.creds = a->has_creds ? &a->creds : NULL,
	};
	struct token token;
	if (token_get(&request, &token, e) < 0)
		return NULL;
	struct auth_token *t = mem_alloc(sizeof(*t));
	*t = (struct auth_token){
		.next = a->tokens,
		.scope = mem_str(scope),
		.value = mem_fmt("Bearer %s", token.text),
		.end_ms = clock_ms() + token.valid_ms,
	};
	a->tokens = t;
	explicit_bzero(token.text, strlen(token.text));
	free(token.text);
	return t;
}

static int bearer(struct auth *a, const char *scope, char **ret_value, struct err *e)
{
	struct auth_token **at = find_token(a, scope);
	if (at && (*at)->end_ms <= clock_ms()) {
		drop_token(a, scope);
		at = NULL;
	}
	const struct auth_token *t = at ? *at : fetch_token(a, scope, e);
	if (!t)
		return -e->num;
	*ret_value = mem_str(t->value);
	return 0;
}

static int want_creds(const struct auth *a, struct err *e)
{
	const char *host = hosts_canonical(a->host);
	return err_new(e, EACCES, "%s asks for a user and a password: kist login %s", host, host);
}

static int basic(struct auth *a, char **ret_value, struct err *e)
{
	if (!a->has_creds)
		return want_creds(a, e);
	if (!a->creds.user)
		return err_new(e, EACCES, "%s asks for a user and a password, and %s has a token only", a->host,
			       a->creds.from);
	free_auto char *both = creds_basic(a->creds.user, a->creds.password);
	*ret_value = mem_fmt("Basic %s", both);
	return 0;
}

static int value_of(struct auth *a, const char *scope, char **ret_value, struct err *e)
{
	int r = a->challenge.kind == CHALLENGE_NONE ? 0 : look_for_creds(a, e);
	if (r < 0 || a->challenge.kind == CHALLENGE_NONE)
		return r;
	return a->challenge.kind == CHALLENGE_BASIC ? basic(a, ret_value, e) : bearer(a, scope, ret_value, e);
}

static int take_refusal(struct auth *a, const char *scope, const char *value, const struct challenge *c,
			struct err *e)
{
	const char *host = hosts_canonical(a->host);
	if (!value || c->kind != a->challenge.kind) {
		a->challenge = *c;
		return 1;
	}
	if (c->kind == CHALLENGE_BASIC)
		return err_new(e, EACCES, "%s refuses user %s and the password of %s: kist login %s", host,
			       a->creds.user, a->creds.from, host);
	/* Another thread may have a newer token already. */
	struct auth_token **t = find_token(a, scope);
	if (t && strcmp((*t)->value, value) == 0)
		drop_token(a, scope);
	a->challenge = *c;
	return 1;
}

/* ---- for callers ---- */

int auth_value(struct auth *a, const char *scope, char **ret_value, struct err *e)
{
	*ret_value = NULL;
	pthread_mutex_lock(&a->lock);
	int r = value_of(a, scope, ret_value, e);
	pthread_mutex_unlock(&a->lock);
	return r;
}

int auth_refused(struct auth *a, const char *scope, const char *value, const char *www_authenticate, struct err *e)
{
	struct challenge c;
	if (!www_authenticate || !challenge_parse(www_authenticate, &c)) {
		char words[200];
		text_clean(www_authenticate ? www_authenticate : "(nothing)", words, sizeof(words));
		return err_new(e, EACCES, "%s refuses us, and asks for what kist cannot give: WWW-Authenticate: %s",
			       a->host, words);
	}
	pthread_mutex_lock(&a->lock);
	int r = take_refusal(a, scope, value, &c, e);
	pthread_mutex_unlock(&a->lock);
	return r;
}

const char *auth_from(struct auth *a)
{
	pthread_mutex_lock(&a->lock);
	const char *from = a->has_creds ? a->creds.from : NULL;
	pthread_mutex_unlock(&a->lock);
	return from;
}
