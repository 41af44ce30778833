/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter says to calls that its author could not know. An allow-list answers a call that is newer than itself
 * with EPERM, and a program takes that for the truth, where ENOSYS would have made it use an older call. So calls beyond
 * the highest number that any rule names get ENOSYS, by a few instructions before libseccomp's, as with runc since
 * 1.0.0-rc93. Source: runc pull request 2750, seccomp(2).
 */
#pragma once
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "spec/spec.h"

/* The most instructions that seccomp_stub can need: one block for each architecture that libseccomp knows. */
enum { SECCOMP_STUB_MAX = 7 * 24 };

/*
 * Writes the instructions that are to stand before the filter of `s`, whose architectures are `archs` (SCMP_ARCH_*, the
 * machine's own among them), and returns how many; they go on into what follows, with nothing in the accumulator that
 * it may count on. 0: the default action lets calls pass, leaves them to somebody (a tracer, a listener), or says ENOSYS
 * already. Pure.
 */
size_t seccomp_stub(const struct spec_seccomp *s, const uint32_t *archs, size_t arch_count, struct sock_filter *out);
