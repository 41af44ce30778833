/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architectures of linux.seccomp as libseccomp numbers them. Callers: runtime/seccomp.c, spec/features.c.
 */
#pragma once
#include <stdint.h>

/* The number of a word, with or without "SCMP_ARCH_"; 0: this libseccomp does not know it. seccomp_arch_resolve_name(3) */
uint32_t spec_arch_number(const char *word);
