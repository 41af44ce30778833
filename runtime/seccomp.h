/* SPDX-License-Identifier: Apache-2.0 */
/* From linux.seccomp to a BPF program, by libseccomp. Source: seccomp(2), config-linux.md "Seccomp". */
#pragma once
#include <linux/filter.h>

#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

struct seccomp_filter {
	const struct sock_filter *code;  /* from the arena */
	unsigned short length;           /* instructions */
	unsigned flags;                  /* SECCOMP_FILTER_FLAG_*, for seccomp(2) */
};

/* Whether a filter lets a call pass whatever its arguments are, as far as its rules say so. Pure. */
bool seccomp_allows(const struct spec_seccomp *s, const char *name);

/*
 * Compiles the rules. Names that libseccomp does not know are left out with a debug note, as runc and crun do; a rule
 * that says what the default says is left out too. Runs in the parent. -EINVAL: a rule that cannot be expressed.
 */
int seccomp_compile(const struct spec_seccomp *s, struct arena *a, struct seccomp_filter *ret, struct err *e);
