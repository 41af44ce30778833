/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom to ask for a name: what a short name stands for, mirrors, and where a registry really is. Part of kist-registry
 * only. Source: containers-registries.conf(5).
 */
#pragma once
#include "image/ref.h"
#include "image/registry/conf.h"

struct endpoint {
	char host[REF_NAME_MAX]; /* HOST[:PORT], as it goes into a URL */
	char path[REF_NAME_MAX]; /* of the repository there */
	bool is_insecure;	 /* registries.conf allows plain HTTP and any certificate */
	bool is_mirror;
	bool is_foreign; /* of another host than the name's: credentials given for that are not for it */
};

/* One full name that a name stands for, and where it can be had, best place first. */
struct candidate {
	char name[REF_NAME_MAX]; /* with its host, as in "docker.io/library/debian" */
	struct endpoint *endpoints;
	size_t count;
};

struct candidates {
	struct candidate *v;
	size_t n;
	struct arena arena;
};

/*
 * Resolves a name. With `for_push`, a short name is docker.io's or an alias's, and mirrors are left out. -EPERM: blocked
 * by registries.conf; -EINVAL: nothing that can be decided (short-name-mode "enforcing").
 */
int hosts_resolve(const struct conf *conf, const struct ref *ref, bool for_push, struct candidates *ret,
		  struct err *e);
void candidates_done(struct candidates *c);

/* Where to ask about a key of credentials, HOST[/PATH], and whether registries.conf allows plain HTTP there. */
int hosts_of_key(const struct conf *conf, const char *key, struct endpoint *ret, struct err *e);

/* The host by which credentials are kept, and names are written: index.docker.io is docker.io. */
const char *hosts_canonical(const char *host);
