/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter in fewer instructions. libseccomp compares each call's number with each that has a rule; an engine's profile
 * allows whole stretches of numbers, so that a search tree over stretches has a third of the instructions. That makes the
 * kernel's own work at seccomp(2) less (it checks, translates, and tries every number), and each call that is judged by
 * its arguments cheaper. Source: seccomp(2), kernel/seccomp.c (seccomp_cache_prepare).
 */
#pragma once
#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"

/*
 * Writes a program that says what `code` says, to every number and architecture, and returns its length; or 0 when there
 * is none that is shorter, or `code` does something that is not understood here. Every stretch of numbers is tried in
 * both programs, at both of its ends, before the new one is given out. What looks at arguments is copied as it is.
 * `archs`: SCMP_ARCH_* that the program is for. `out` has room for `count`. Pure.
 */
size_t seccomp_tree(const struct sock_filter *code, size_t count, const uint32_t *archs, size_t arch_count, struct arena *a,
		    struct sock_filter *out);
