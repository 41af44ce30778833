/* SPDX-License-Identifier: Apache-2.0 */
/* See creds.h. */
#include "image/registry/creds.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "image/registry/credhelper.h"
#include "image/registry/hosts.h"

enum { BASIC_MAX = 16 << 10, KEY_MAX = 2 * REF_NAME_MAX + 2 };

void creds_done(struct creds *c)
{
	if (c->password)
		explicit_bzero(c->password, strlen(c->password));
	if (c->identity_token)
		explicit_bzero(c->identity_token, strlen(c->identity_token));
	free(c->user);
	free(c->password);
	free(c->identity_token);
	free(c->from);
	*c = (struct creds){ .user = NULL };
}

char *creds_basic(const char *user, const char *password)
{
	free_auto char *plain = mem_fmt("%s:%s", user, password);
	size_t len = strlen(plain);
	char *out = mem_alloc((len + 2) / 3 * 4 + 1);
	EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)plain, (int)len);
	explicit_bzero(plain, len);
	return out;
}

int creds_split(const char *text, const char *what, struct creds *ret, struct err *e)
{
	const char *colon = strchr(text, ':');
	if (!colon || colon == text)
		return err_new(e, EINVAL, "%s: expected USER:PASSWORD", what);
	*ret = (struct creds){
		.user = mem_fmt("%.*s", (int)(colon - text), text),
		.password = mem_str(colon + 1),
		.from = mem_str(what),
	};
	return 0;
}

/* ---- one entry of a file ---- */

static int decode(const char *text, const char *where, struct creds *ret, struct err *e)
{
	size_t len = strlen(text);
	if (len > BASIC_MAX)
		return err_new(e, EFBIG, "%s.auth: more than %d bytes", where, BASIC_MAX);
	free_auto char *plain = mem_zero(1, len + 1);
	int n = len % 4 ? -1 : EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)text, (int)len);
	for (size_t i = len; n > 0 && i > 0 && text[i - 1] == '='; i--)
		n--; /* it counts what was filled up */
	int r = -EINVAL;
	if (n > 0) {
		plain[n] = '\0';
		r = memchr(plain, '\0', (size_t)n) ? -EINVAL : creds_split(plain, where, ret, e);
	}
	explicit_bzero(plain, len);
	return r < 0 ? err_new(e, EINVAL, "%s.auth: not base64 of USER:PASSWORD", where) : 0;
}

static const char *word_of(const json_t *entry, const char *key)
{
	const char *word = json_string_value(json_object_get(entry, key));
	return word && *word ? word : NULL;
}

/* Returns 1, 0 for an entry without credentials (Docker leaves one where a helper has them), or -errno. */
static int read_entry(const char *where, const json_t *entry, struct creds *ret, struct err *e)
{
	const char *auth = word_of(entry, "auth"), *token = word_of(entry, "identitytoken");
	const char *user = word_of(entry, "username"), *password = word_of(entry, "password");
	struct creds c = { .user = NULL };
	int r = 0;
	if (!json_is_object(entry))
		return err_new(e, EINVAL, "%s: expected an object", where);
	if (auth)
		r = decode(auth, where, &c, e);
	else if (user && password)
		c = (struct creds){ mem_str(user), mem_str(password), NULL, mem_str(where) };
	if (r < 0)
		return r;
	if (token)
		c.identity_token = mem_str(token);
	if (!c.from)
		c.from = mem_str(where);
	bool has = c.user || c.identity_token;
	if (has)
		*ret = c;
	else
		creds_done(&c);
	return has;
}

static int find_entry(const struct authfile *f, const char *wanted, struct creds *ret, struct err *e)
{
	const char *key;
	json_t *entry;
	json_object_foreach(authfile_auths(f), key, entry)
	{
		free_auto char *plain = authfile_plain_key(key);
		if (strcmp(plain, wanted) != 0)
			continue;
		free_auto char *where = mem_fmt("%s: auths.%s", f->path, key);
		int r = read_entry(where, entry, ret, e);
		if (r != 0)
			return r;
	}
	return 0;
}

int creds_in_file(const struct authfile *f, const char *host, const char *path, bool with_helpers, struct creds *ret,
		  struct err *e)
{
	char key[KEY_MAX];
	const char *plain = hosts_canonical(host);
	const char *helper = with_helpers ? authfile_helper(f, plain) : NULL;
	int r = helper ? credhelper_get(helper, plain, ret, e) : 0;
	if (r < 0)
		return err_at(e, r, "%s", f->path);
	snprintf(key, sizeof(key), "%s%s%s", plain, *path ? "/" : "", path);
	while (r == 0) {
		r = find_entry(f, key, ret, e);
		char *slash = strrchr(key, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	return r;
}

/* ---- all places ---- */

static int find_in_files(const struct creds_where *where, const char *host, const char *path, struct creds *ret,
			 struct err *e)
{
	char *places[AUTHFILE_PLACES_MAX];
	bool is_given;
	size_t n = authfile_places(where->authfile, places, &is_given);
	int r = 0;
	for (size_t i = 0; i < n; i++) {
		authfile_auto struct authfile f = { .path = NULL };
		size_t len = strlen(places[i]);
		bool is_legacy = !is_given && len > 11 && strcmp(places[i] + len - 11, "/.dockercfg") == 0;
		if (r == 0)
			r = authfile_open(places[i], is_legacy, &f, e);
		if (r == 0 && is_given && !f.is_there)
			r = err_new(e, ENOENT, "%s: no such file of credentials", places[i]);
		if (r == 0 && f.is_there)
			r = creds_in_file(&f, host, path, true, ret, e);
		free(places[i]);
	}
	return r;
}

int creds_find(const struct creds_where *where, const char *host, const char *path, struct creds *ret, struct err *e)
{
	static const char files[] = "containers-auth.json";
	int r = 0;
	if (where->creds) {
		r = creds_split(where->creds, "--creds", ret, e);
		return r < 0 ? r : 1;
	}
	if (!where->helpers.n)
		return find_in_files(where, host, path, ret, e);
	/* containers-registries.conf(5), "credential-helpers": in their order, one of which means the files. */
	for (size_t i = 0; r == 0 && i < where->helpers.n; i++)
		r = strcmp(where->helpers.v[i], files) == 0
			    ? find_in_files(where, host, path, ret, e)
			    : credhelper_get(where->helpers.v[i], hosts_canonical(host), ret, e);
	return r;
}
