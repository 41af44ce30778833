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
};

/* Whether a filter lets a call pass whatever its arguments are, as far as its rules say so. Pure. */
bool seccomp_allows(const struct spec_seccomp *s, const char *name);

/* Whether some call is handed to a listener (SCMP_ACT_NOTIFY). Pure. */
bool seccomp_notifies(const struct spec_seccomp *s);

/* The flags for seccomp(2). -EINVAL: the kernel lacks one, which e names. Runs in the parent. */
int seccomp_flags(const struct spec_seccomp *s, unsigned *ret, struct err *e);

/* Refuses a name that libseccomp does not know, as run.oci.seccomp_fail_unknown_syscall asks (crun(1)). Pure. */
int seccomp_all_known(const struct spec_seccomp *s, struct err *e);

/*
 * Compiles the rules. Names that libseccomp does not know are left out with a debug note, as runc and crun do; a rule
 * that says what the default says is left out too. Runs in the parent. -EINVAL: a rule that cannot be expressed.
 */
int seccomp_compile(const struct spec_seccomp *s, struct arena *a, struct seccomp_filter *ret, struct err *e);

/* The same by way of the cache below the state root `root`; -1: without. Runs in the parent. */
int seccomp_make(const struct spec_seccomp *s, int root, struct arena *a, struct seccomp_filter *ret, struct err *e);
