/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of containers-policy.json(5) as C types. Reading is strict, as that page asks: an unknown key, an
 * unknown type, a key that its type does not have, or a scope that could never match makes the whole file
 * refused. For image/trust only.
 */
#pragma once
#include "util/jx.h"

enum requirement_type {
	REQUIRE_NONE,
	REQUIRE_NOTHING, /* insecureAcceptAnything */
	REQUIRE_REJECT,
	REQUIRE_GPG,	  /* signedBy */
	REQUIRE_SIGSTORE, /* sigstoreSigned */
};

enum identity_type {
	IDENTITY_NONE,
	IDENTITY_EXACT,
	IDENTITY_REPO_DIGEST_OR_EXACT,
	IDENTITY_REPOSITORY,
	IDENTITY_EXACT_REFERENCE,
	IDENTITY_EXACT_REPOSITORY,
	IDENTITY_REMAP,
};

/* signedIdentity: what a signature must say that it signs. */
struct identity {
	int type;			    /* enum identity_type */
	const char *reference;		    /* exactReference */
	const char *repository;		    /* exactRepository */
	const char *prefix, *signed_prefix; /* remapIdentity */
};

/* What is known, but not done: its presence is refused with words. */
struct unsupported {
	char nothing;
};

struct requirement {
	int type; /* enum requirement_type */
	const char *key_type;
	const char *key_path;
	struct strs key_paths;
	const char *key_data; /* base64 */
	struct strs key_datas;
	struct identity *identity; /* never NULL for a requirement with keys, once it is read */
	struct unsupported *fulcio, *pki;
	const char *rekor_path, *rekor_data;
	struct strs rekor_paths, rekor_datas;
};

struct requirements {
	struct requirement *v;
	size_t n;
};

struct scope {
	const char *key; /* "": the transport's default */
	struct requirements all;
};

struct scopes {
	struct scope *v;
	size_t n;
};

struct transport {
	const char *key;
	struct scopes scopes;
};

struct transports {
	struct transport *v;
	size_t n;
};

struct policy {
	struct requirements fallback; /* "default" */
	struct transports transports;
};

/* Reads a policy; `origin` names it in errors. Lives in the arena. -EINVAL with the path of what is wrong. */
int policy_load(const char *bytes, size_t len, const char *origin, struct arena *arena, struct policy *ret_policy,
		struct err *e);

/* The words of the file for a type, for messages. */
const char *requirement_name(int type);
const char *identity_name(int type);
