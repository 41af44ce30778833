/* SPDX-License-Identifier: Apache-2.0 */
/* See arch.h. libseccomp's names are the spec's without prefix, in lower case. */
#include "spec/arch.h"

#include <seccomp.h>
#include <stddef.h>
#include <string.h>

uint32_t spec_arch_number(const char *word)
{
	static const char prefix[] = "SCMP_ARCH_";
	const char *p = strncmp(word, prefix, sizeof(prefix) - 1) == 0 ? word + sizeof(prefix) - 1 : word;
	char name[32];
	size_t k = 0;
	for (; *p && k + 1 < sizeof(name); p++)
		name[k++] = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	name[k] = '\0';
	return seccomp_arch_resolve_name(name);
}
