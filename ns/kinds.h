/* SPDX-License-Identifier: Apache-2.0 */
/* The eight kinds of namespaces: one row each. Source: namespaces(7). */
#pragma once
#include <stddef.h>
#include <sys/types.h>

#include "util/err.h"

struct ns_kind {
	int flag;             /* CLONE_NEW* */
	const char *word;     /* as config.json names it */
	const char *file;     /* below /proc/PID/ns/ */
};

extern const struct ns_kind ns_kinds[];
extern const size_t ns_kinds_count;

/* The row of a CLONE_NEW* bit; NULL when it is none. */
const struct ns_kind *ns_kind_find(int flag);

/*
 * Opens the namespace file `path` and makes sure that it is a namespace of that kind (ioctl_ns(2), NS_GET_NSTYPE).
 * Runs in the parent. Returns a descriptor that the caller owns, or -errno; -EINVAL: it is something else.
 */
int ns_open(const char *path, int kind, struct err *e);

/* Opens /proc/PID/ns/FILE of a running process. Runs in the parent. */
int ns_open_of(pid_t pid, int kind, struct err *e);
