/* SPDX-License-Identifier: Apache-2.0 */
/* See policy.h. Source: containers-policy.json(5), "FORMAT" and "Policy Requirements". */
#include "image/trust/policy.h"

#include <errno.h>
#include <string.h>

#include "image/trust/named.h"
#include "image/trust/scope.h"

static const struct jx_word requirement_words[] = {
	{ "insecureAcceptAnything", REQUIRE_NOTHING },
	{ "reject", REQUIRE_REJECT },
	{ "signedBy", REQUIRE_GPG },
	{ "sigstoreSigned", REQUIRE_SIGSTORE },
	{ NULL, 0 },
};

static const struct jx_word identity_words[] = {
	{ "matchExact", IDENTITY_EXACT },
	{ "matchRepoDigestOrExact", IDENTITY_REPO_DIGEST_OR_EXACT },
	{ "matchRepository", IDENTITY_REPOSITORY },
	{ "exactReference", IDENTITY_EXACT_REFERENCE },
	{ "exactRepository", IDENTITY_EXACT_REPOSITORY },
	{ "remapIdentity", IDENTITY_REMAP },
	{ NULL, 0 },
};

/* clang-format off */
static const struct jx_field nothing_rows[] = { JX_END };

#define I struct identity
static const struct jx_field identity_rows[] = {
	JX_ENUM(I, type, "type", identity_words, .must = true),
	JX_STR(I, reference, "dockerReference"),
	JX_STR(I, repository, "dockerRepository"),
	JX_STR(I, prefix, "prefix"),
	JX_STR(I, signed_prefix, "signedPrefix"),
	JX_END
};

#define R struct requirement
static const struct jx_field requirement_rows[] = {
	JX_ENUM(R, type, "type", requirement_words, .must = true),
	JX_STR(R, key_type, "keyType"),
	JX_STR(R, key_path, "keyPath"),
	JX_STRS(R, key_paths, "keyPaths"),
	JX_STR(R, key_data, "keyData"),
	JX_STRS(R, key_datas, "keyDatas"),
	JX_OBJ(R, identity, "signedIdentity", I, identity_rows),
	JX_OBJ(R, fulcio, "fulcio", struct unsupported, nothing_rows),
	JX_OBJ(R, pki, "pki", struct unsupported, nothing_rows),
	JX_STR(R, rekor_path, "rekorPublicKeyPath"),
	JX_STRS(R, rekor_paths, "rekorPublicKeyPaths"),
	JX_STR(R, rekor_data, "rekorPublicKeyData"),
	JX_STRS(R, rekor_datas, "rekorPublicKeyDatas"),
	JX_END
};

/* The values of both maps are no objects: the one row of each says what they are. */
static const struct jx_field scope_value[] = {
	JX_LIST(struct scope, all, "", R, requirement_rows),
	JX_END
};

static const struct jx_field transport_value[] = {
	JX_MAP(struct transport, scopes, "", struct scope, scope_value, .flat = true),
	JX_END
};

static const struct jx_field policy_rows[] = {
	JX_LIST(struct policy, fallback, "default", R, requirement_rows, .must = true),
	JX_MAP(struct policy, transports, "transports", struct transport, transport_value, .flat = true),
	JX_END
};
/* clang-format on */

const char *requirement_name(int type)
{
	return jx_word_name(requirement_words, type);
}

const char *identity_name(int type)
{
	return jx_word_name(identity_words, type);
}

/* ---- what rows cannot say ---- */

enum { TAKES_KEYS = 1, TAKES_KEY_TYPE = 2, TAKES_KEY_DATAS = 4 };

static const unsigned int takes[] = {
	[REQUIRE_NONE] = 0,
	[REQUIRE_NOTHING] = 0,
	[REQUIRE_REJECT] = 0,
	[REQUIRE_GPG] = TAKES_KEYS | TAKES_KEY_TYPE,
	[REQUIRE_SIGSTORE] = TAKES_KEYS | TAKES_KEY_DATAS,
};

/* Keys of a requirement that its type may not have, and those that kist does not do for any. */
static int check_keys(const struct requirement *q, const char *at, struct err *e)
{
	unsigned int may = takes[q->type];
	const struct {
		const char *key;
		bool is_there, is_known;
	} rows[] = {
		{ "keyType", q->key_type, may & TAKES_KEY_TYPE },
		{ "keyPath", q->key_path, may & TAKES_KEYS },
		{ "keyPaths", q->key_paths.v, may & TAKES_KEYS },
		{ "keyData", q->key_data, may & TAKES_KEYS },
		{ "keyDatas", q->key_datas.v, may & TAKES_KEY_DATAS },
		{ "signedIdentity", q->identity, may & TAKES_KEYS },
	};
	const struct {
		const char *key;
		bool is_there;
	} undone[] = {
		{ "fulcio", q->fulcio },
		{ "pki", q->pki },
		{ "rekorPublicKeyPath", q->rekor_path },
		{ "rekorPublicKeyPaths", q->rekor_paths.v },
		{ "rekorPublicKeyData", q->rekor_data },
		{ "rekorPublicKeyDatas", q->rekor_datas.v },
	};
	size_t sources = 0;
	for (size_t i = 0; i < ARRAY_LEN(undone); i++)
		if (undone[i].is_there)
			return err_new(e, EINVAL,
				       "%s.%s: not supported: kist verifies with keys, not with certificates or a "
				       "transparency log",
				       at, undone[i].key);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].is_there && !rows[i].is_known)
			return err_new(e, EINVAL, "%s.%s: a requirement of type %s has no such key", at, rows[i].key,
				       requirement_name(q->type));
	for (size_t i = 1; i <= 4; i++)
		sources += rows[i].is_there;
	if (may & TAKES_KEYS && sources != 1)
		return err_new(e, EINVAL, "%s: exactly one of keyPath, keyPaths and keyData must be there, not %s",
			       at, sources ? "several" : "none");
	if (q->key_paths.v && !q->key_paths.n)
		return err_new(e, EINVAL, "%s.keyPaths: empty", at);
	if (q->key_datas.v && !q->key_datas.n)
		return err_new(e, EINVAL, "%s.keyDatas: empty", at);
	return 0;
}

static int check_key_type(const struct requirement *q, const char *at, struct err *e)
{
	if (q->type != REQUIRE_GPG)
		return 0;
	if (!q->key_type)
		return err_new(e, EINVAL, "%s.keyType: required, but missing", at);
	if (strcmp(q->key_type, "GPGKeys") != 0)
		return err_new(e, EINVAL, "%s.keyType: \"%.60s\" is not supported, only \"GPGKeys\"", at,
			       q->key_type);
	return 0;
}

/* Each type of identity has its own keys, and all of them. */
static int check_identity(const struct identity *id, const char *at, struct err *e)
{
	const struct {
		const char *key, *value;
		int type;
	} rows[] = {
		{ "dockerReference", id->reference, IDENTITY_EXACT_REFERENCE },
		{ "dockerRepository", id->repository, IDENTITY_EXACT_REPOSITORY },
		{ "prefix", id->prefix, IDENTITY_REMAP },
		{ "signedPrefix", id->signed_prefix, IDENTITY_REMAP },
	};
	struct named named;
	struct err why;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].value && id->type != rows[i].type)
			return err_new(e, EINVAL, "%s.signedIdentity.%s: type %s has no such key", at, rows[i].key,
				       identity_name(id->type));
		if (!rows[i].value && id->type == rows[i].type)
			return err_new(e, EINVAL, "%s.signedIdentity.%s: required, but missing", at, rows[i].key);
	}
	if (id->reference && (named_parse(id->reference, &named, &why) < 0 || named_is_bare(&named)))
		return err_new(e, EINVAL,
			       "%s.signedIdentity.dockerReference: \"%.200s\" is no name with a tag or digest", at,
			       id->reference);
	if (id->repository && (named_parse(id->repository, &named, &why) < 0 || !named_is_bare(&named)))
		return err_new(e, EINVAL, "%s.signedIdentity.dockerRepository: \"%.200s\" is no name without a tag",
			       at, id->repository);
	for (size_t i = 2; i < ARRAY_LEN(rows); i++)
		if (rows[i].value && !named_is_prefix(rows[i].value))
			return err_new(e, EINVAL,
				       "%s.signedIdentity.%s: \"%.200s\" is no HOST[:PORT] or HOST[:PORT]/PATH", at,
				       rows[i].key, rows[i].value);
	return 0;
}

/* A requirement without signedIdentity has matchRepoDigestOrExact. */
static int check_requirement(struct requirement *q, const char *at, struct arena *arena, struct err *e)
{
	int r = check_keys(q, at, e);
	if (r < 0 || (r = check_key_type(q, at, e)) < 0)
		return r;
	if (!(takes[q->type] & TAKES_KEYS))
		return 0;
	if (!q->identity) {
		q->identity = arena_new(arena, struct identity);
		q->identity->type = IDENTITY_REPO_DIGEST_OR_EXACT;
	}
	return check_identity(q->identity, at, e);
}

static int check_list(const struct requirements *list, const char *at, struct arena *arena, struct err *e)
{
	int r = 0;
	if (!list->n)
		return err_new(e, EINVAL, "%s: empty: name at least one requirement", at);
	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = check_requirement(&list->v[i], arena_fmt(arena, "%s[%zu]", at, i), arena, e);
	return r;
}

static int check_transport(const struct transport *t, struct arena *arena, struct err *e)
{
	int r = 0;
	if (!scope_transport_is_known(t->key))
		return err_new(e, EINVAL, "transports[\"%.60s\"]: no such transport", t->key);
	for (size_t i = 0; r == 0 && i < t->scopes.n; i++) {
		const struct scope *s = &t->scopes.v[i];
		const char *at = arena_fmt(arena, "transports.%s[\"%.300s\"]", t->key, s->key);
		if (*s->key)
			r = scope_check(t->key, s->key, e);
		r = r < 0 ? err_at(e, r, "%s", at) : check_list(&s->all, at, arena, e);
	}
	return r;
}

/* ---- reading ---- */

struct unknown {
	bool is_found;
	struct err err;
};

static void note_unknown(void *ctx, const char *path, const char *nearest)
{
	struct unknown *u = ctx;
	/* What is in them is of no interest: they are refused as a whole. */
	if (u->is_found || strstr(path, ".fulcio.") || strstr(path, ".pki."))
		return;
	u->is_found = true;
	err_new(&u->err, EINVAL, nearest ? "%s: unknown key (\"%s\"?)" : "%s: unknown key%s", path,
		nearest ? nearest : "");
}

int policy_load(const char *bytes, size_t len, const char *origin, struct arena *arena, struct policy *ret_policy,
		struct err *e)
{
	struct policy p = { .fallback = { .n = 0 } };
	struct unknown unknown = { .is_found = false };
	const struct jx_listener listener = { .unknown = note_unknown, .ctx = &unknown };
	int r = jx_load(bytes, len, origin, policy_rows, &p, arena, &listener, e);
	if (r == 0 && unknown.is_found) {
		*e = unknown.err;
		r = -EINVAL;
	}
	if (r == 0)
		r = check_list(&p.fallback, "default", arena, e);
	for (size_t i = 0; r == 0 && i < p.transports.n; i++)
		r = check_transport(&p.transports.v[i], arena, e);
	if (r == 0)
		*ret_policy = p;
	/* A syntax error names the file itself. */
	return r < 0 && strncmp(e->text, origin, strlen(origin)) != 0 ? err_at(e, r, "%s", origin) : r;
}
