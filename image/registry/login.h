/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What login and logout do: try credentials at a registry, keep them, forget them. Part of kist-registry only. Sources:
 * containers-auth.json(5), podman-login(1), podman-logout(1).
 */
#pragma once
#include "image/registry/conf.h"
#include "image/registry/creds.h"
#include "image/registry/registry.h"

enum { LOGIN_KEY_MAX = REF_NAME_MAX };

/*
 * The key of what a user names: "https://index.docker.io/v1/" is docker.io, "quay.io/team" stays. NULL: the registry that
 * short names are looked for first, else docker.io.
 */
int login_key(const struct conf *conf, const char *word, char out[static LOGIN_KEY_MAX], struct err *e);

/* The credentials that are kept for a key, wherever. Returns 1, 0 or -errno. */
int login_kept(const struct conf *conf, const char *key, const char *authfile, struct creds *ret, struct err *e);

/* Asks the registry of a key whether it takes a user and a password. -EACCES: it does not. */
int login_try(const struct conf *conf, const char *key, const char *user, const char *password,
	      const struct registry_options *options, struct err *e);

/* Keeps them, in --authfile or its default, or with the helper that the file names. */
int login_keep(const char *key, const char *authfile, const char *user, const char *password, struct err *e);

/* Forgets them. -ENOENT: there are none there, with words that say where there are. */
int login_forget(const struct conf *conf, const char *key, const char *authfile, struct err *e);
int login_forget_all(const char *authfile, struct err *e);
