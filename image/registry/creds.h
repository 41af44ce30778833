/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User names and passwords, where Docker, podman and skopeo keep them: files of JSON with base64, and credential
 * helpers. Looking up only; image/registry/login writes. Part of kist-registry only. Sources:
 * containers-auth.json(5), Docker's "docker login" reference, "Credential stores".
 */
#pragma once
#include "image/registry/authfile.h"
#include "util/jx.h"

struct creds {
	char *user;
	char *password;
	char *identity_token; /* in their place: for token servers that give refresh tokens */
	char *from;	      /* file, or file and helper, for messages */
};

struct creds_where {
	const char *creds;    /* --creds USER:PASSWORD; NULL: none */
	const char *authfile; /* --authfile; NULL: none */
	struct strs helpers;  /* credential-helpers of registries.conf */
};

/*
 * Finds credentials for a repository (`path` "": for the host): those of the longest key among HOST/PATH, its parents,
 * and HOST. Returns 1, 0 when there are none, or -errno. The caller ends them by creds_done.
 */
int creds_find(const struct creds_where *where, const char *host, const char *path, struct creds *ret, struct err *e);
void creds_done(struct creds *c);

#define creds_auto __attribute__((cleanup(creds_done)))

/* Splits USER:PASSWORD. -EINVAL. */
int creds_split(const char *text, const char *what, struct creds *ret, struct err *e);

/* Base64 of "USER:PASSWORD", as auth.json and Basic authentication have it. The caller frees. */
char *creds_basic(const char *user, const char *password);

/* The same out of one file (of its helpers, if `with_helpers`): for login and logout. */
int creds_in_file(const struct authfile *f, const char *host, const char *path, bool with_helpers, struct creds *ret,
		  struct err *e);
