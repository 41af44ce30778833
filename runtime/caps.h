/* SPDX-License-Identifier: Apache-2.0 */
/* The five capability sets. Source: capabilities(7), runtime-spec config.md "Linux Process". */
#pragma once
#include <stdint.h>

#include "spec/spec.h"
#include "util/err.h"

/* One bit per capability number. */
struct caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
	int last;    /* the last capability that this kernel knows */
};

/*
 * Turns names into sets. A name that this kernel or libcap does not know, and a capability that kist itself does not
 * have and so cannot grant, is left out with a warning that names it, as the spec wants. `is_userns`: the process gets
 * a user namespace, in which everything can be granted. No capabilities object: no capability. Runs in the parent.
 */
int caps_plan(const struct spec_capabilities *c, bool is_userns, struct caps *ret, struct err *e);

/* Drops what is not in the bounding set, before the user changes. Runs in the child. */
int caps_drop_bounding(const struct caps *c, struct err *e);

/* Sets permitted, effective and inheritable, then ambient, after the user has changed (with PR_SET_KEEPCAPS). Child. */
int caps_apply(const struct caps *c, struct err *e);

/* "CAP_SYS_ADMIN" as a number, or -1. */
int caps_number(const char *name);

/* Writes the names of a set, "CAP_KILL,CAP_CHOWN", for plans and logs. */
void caps_print(struct str *out, uint64_t set);
