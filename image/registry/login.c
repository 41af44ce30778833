/* SPDX-License-Identifier: Apache-2.0 */
/* See login.h. */
#include "image/registry/login.h"

#include <errno.h>
#include <string.h>

#include "image/registry/credhelper.h"
#include "image/registry/session.h"

/* ---- names ---- */

int login_key(const struct conf *conf, const char *word, char out[static LOGIN_KEY_MAX], struct err *e)
{
	struct ref ref;
	struct err ignored;
	if (!word)
		word = conf->search.n ? conf->search.v[0] : "docker.io";
	free_auto char *key = authfile_plain_key(word);
	/* With a repository behind it, it has to be an image's name with a host. */
	free_auto char *name = mem_fmt("%s/x", key);
	if (ref_parse(name, &ref, &ignored) < 0 || ref_path(ref.name) == ref.name || strlen(key) >= LOGIN_KEY_MAX)
		return err_new(
			e, EINVAL,
			"\"%.100s\": expected HOST[:PORT][/PATH], with a dot or a port in the host, or localhost",
			word);
	snprintf(out, LOGIN_KEY_MAX, "%s", key);
	return 0;
}

/* Splits a key into a host and a path behind it, which may be empty. */
static void split(const char *key, char host[static LOGIN_KEY_MAX], const char **ret_path)
{
	size_t len = strcspn(key, "/");
	snprintf(host, LOGIN_KEY_MAX, "%.*s", (int)len, key);
	*ret_path = key[len] ? key + len + 1 : "";
}

int login_kept(const struct conf *conf, const char *key, const char *authfile, struct creds *ret, struct err *e)
{
	const struct creds_where where = { .authfile = authfile, .helpers = conf->credential_helpers };
	char host[LOGIN_KEY_MAX];
	const char *path;
	split(key, host, &path);
	return creds_find(&where, host, path, ret, e);
}

/* ---- trying ---- */

/* distribution-spec "Determining Support": who may do anything may GET /v2/. */
static int ask(struct session *s, struct err *e)
{
	http_answer_auto struct http_answer a = { .status = 0 };
	const struct session_call call = { .path = "/v2/", .scope = "", .request = { .method = "GET" } };
	int r = session_call(s, &call, &a, e);
	if (r < 0 || a.status == 200)
		return r;
	if (a.status == 404)
		return err_new(e, ENOENT, "%s is no registry: it has no /v2/", s->endpoint.host);
	return session_refusal(s, &a, e);
}

int login_try(const struct conf *conf, const char *key, const char *user, const char *password,
	      const struct registry_options *options, struct err *e)
{
	free_auto char *creds = mem_fmt("%s:%s", user, password);
	struct registry_options own = *options;
	struct endpoint endpoint;
	struct http http;
	struct session s;
	own.creds = creds;
	int r = hosts_of_key(conf, key, &endpoint, e);
	if (r == 0)
		r = http_open(&http, &own, e);
	if (r < 0)
		return r;
	r = session_open(&s, &http, &own, &endpoint, &(struct strs){ .n = 0 }, e);
	if (r == 0) {
		r = ask(&s, e);
		session_done(&s);
	}
	http_done(&http);
	explicit_bzero(creds, strlen(creds));
	return r;
}

/* ---- keeping and forgetting ---- */

struct change {
	const char *key;
	const char *host;
	const char *user;
	const char *password;
};

/* The spelling that a file has of a key already; else the key. */
static const char *spelling(const json_t *auths, const char *key)
{
	const char *there;
	json_t *entry;
	json_object_foreach((json_t *)(uintptr_t)auths, there, entry)
	{
		free_auto char *plain = authfile_plain_key(there);
		if (strcmp(plain, key) == 0)
			return there;
	}
	return key;
}

static int keep(struct authfile *f, void *ctx, struct err *e)
{
	const struct change *c = ctx;
	const char *helper = authfile_helper(f, c->host);
	if (helper)
		return credhelper_store(helper, c->host, c->user, c->password, e);
	if (!json_object_get(f->root, "auths"))
		json_object_set_new(f->root, "auths", json_object());
	json_t *auths = json_object_get(f->root, "auths");
	free_auto char *basic = creds_basic(c->user, c->password);
	free_auto char *key = mem_str(spelling(auths, c->key));
	json_object_set_new(auths, key, json_pack("{s:s}", "auth", basic));
	explicit_bzero(basic, strlen(basic));
	return 1;
}

int login_keep(const char *key, const char *authfile, const char *user, const char *password, struct err *e)
{
	char host[LOGIN_KEY_MAX];
	const char *path;
	free_auto char *file = authfile_own(authfile);
	split(key, host, &path);
	struct change c = { key, host, user, password };
	int r = authfile_change(file, keep, &c, e);
	return r < 0 ? r : 0;
}

/* Returns how many entries of the key went. */
static int drop_entries(json_t *auths, const char *key)
{
	int n = 0;
	for (;;) {
		free_auto char *there = mem_str(spelling(auths, key));
		if (!json_object_get(auths, there))
			return n;
		json_object_del(auths, there);
		n++;
	}
}

static int forget(struct authfile *f, void *ctx, struct err *e)
{
	struct change *c = ctx;
	const char *helper = authfile_helper(f, c->host);
	int erased = helper ? credhelper_erase(helper, c->host, e) : 0;
	if (erased < 0)
		return erased;
	int n = drop_entries(json_object_get(f->root, "auths"), c->key);
	if (!n && !erased)
		return err_new(e, ENOENT, "%s", c->key);
	return n > 0;
}

int login_forget(const struct conf *conf, const char *key, const char *authfile, struct err *e)
{
	char host[LOGIN_KEY_MAX];
	const char *path;
	free_auto char *file = authfile_own(authfile);
	creds_auto struct creds other = { .user = NULL };
	split(key, host, &path);
	struct change c = { key, host, NULL, NULL };
	int r = authfile_change(file, forget, &c, e);
	if (r != -ENOENT)
		return r < 0 ? r : 0;
	if (login_kept(conf, key, authfile, &other, e) > 0)
		return err_new(e, ENOENT,
			       "not logged in to %s by kist: its credentials are in %s (--authfile names a file)",
			       key, other.from);
	return err_new(e, ENOENT, "not logged in to %s", key);
}

static int erase_one(const char *helper, const char *key, struct err *e)
{
	free_auto char *plain = authfile_plain_key(key);
	plain[strcspn(plain, "/")] = '\0';
	return credhelper_erase(helper, plain, e);
}

/* All that the file names: entries, and what helpers have for them. */
static int forget_all(struct authfile *f, void *ctx, struct err *e)
{
	const char *store = json_string_value(json_object_get(f->root, "credsStore")), *key;
	json_t *helpers = json_object_get(f->root, "credHelpers"), *auths = json_object_get(f->root, "auths"), *value;
	int r = 0;
	(void)ctx;
	json_object_foreach(helpers, key, value)
	{
		const char *helper = json_string_value(value);
		if (r >= 0 && helper && *helper)
			r = erase_one(helper, key, e);
	}
	json_object_foreach(auths, key, value)
	{
		if (r >= 0 && store && *store)
			r = erase_one(store, key, e);
	}
	if (r < 0)
		return r;
	bool has = json_object_size(auths) > 0;
	json_object_clear(auths);
	return has;
}

int login_forget_all(const char *authfile, struct err *e)
{
	free_auto char *file = authfile_own(authfile);
	int r = authfile_change(file, forget_all, NULL, e);
	return r < 0 ? r : 0;
}
