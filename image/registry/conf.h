/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registries.conf, version 2, and its drop-ins, as one set of rules. Part of kist-registry only. Source:
 * containers-registries.conf(5).
 */
#pragma once
#include "util/jx.h"

struct conf_mirror {
	const char *location;
	struct opt_bool is_insecure;
	const char *pull_from; /* NULL or "all", "digest-only", "tag-only" */
};

struct conf_mirrors {
	struct conf_mirror *v;
	size_t n;
};

struct conf_registry {
	const char *prefix;   /* never NULL once loaded: the location, if none is given */
	const char *location; /* NULL: the name as it is (of a wildcard) */
	struct opt_bool is_insecure;
	struct opt_bool is_blocked;
	struct opt_bool mirror_by_digest_only;
	struct conf_mirrors mirrors;
};

struct conf_registries {
	struct conf_registry *v;
	size_t n;
};

struct conf {
	struct arena arena;
	struct strs search;	 /* unqualified-search-registries */
	const char *search_from; /* the file that says so */
	const char *short_name_mode;
	struct strs credential_helpers;
	struct pairs aliases;
	struct conf_registries registries;
};

/*
 * Reads $CONTAINERS_REGISTRIES_CONF, else ~/.config/containers/registries.conf, else /etc/containers/registries.conf;
 * then the *.conf in /etc/containers/registries.conf.d and ~/.config/containers/registries.conf.d. No file is no rule.
 * The caller ends it by conf_done.
 */
int conf_open(struct conf *ret_conf, struct err *e);
void conf_done(struct conf *c);

/* The same from one text, over what `c` has already. For conf_open, and for tests. */
int conf_add(struct conf *c, const char *bytes, size_t len, const char *origin, struct err *e);
