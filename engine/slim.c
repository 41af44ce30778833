/* SPDX-License-Identifier: Apache-2.0 */
/* See slim.h. */
#include "engine/slim.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, STACK_ROOM = 1 << 20, FRAME_ROOM = 4 * PAGE };

void slim_start(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(PAGE - 1);

	malloc_trim(0);
	/* Pages that are not mapped answer ENOMEM, after those that are were dropped. */
	madvise((void *)(here - STACK_ROOM), STACK_ROOM - FRAME_ROOM, MADV_DONTNEED);
}

void slim_idle(void)
{
	const ElfW(Phdr) *segment = (const ElfW(Phdr) *)getauxval(AT_PHDR); /* NOLINT: the kernel gives a number */
	unsigned long count = getauxval(AT_PHNUM);
	uintptr_t base = 0;

	for (unsigned long i = 0; segment && i < count; i++)
		if (segment[i].p_type == PT_PHDR)
			base = (uintptr_t)segment - segment[i].p_vaddr;
	for (unsigned long i = 0; segment && i < count; i++) {
		/* Writable segments hold relocated and changed bytes, which the file does not have. */
		if (segment[i].p_type != PT_LOAD || (segment[i].p_flags & PF_W))
			continue;
		uintptr_t from = (base + segment[i].p_vaddr) & ~(uintptr_t)(PAGE - 1);
		uintptr_t to = base + segment[i].p_vaddr + segment[i].p_memsz;
		madvise((void *)from, to - from, MADV_DONTNEED);
	}
}

void slim_title(const char *word, const char *name)
{
	char *start = program_invocation_name;
	char *end = environ && environ[0] ? environ[0] : NULL;

	if (!start || !end || end <= start + 1)
		return;
	size_t room = (size_t)(end - start);
	memset(start, 0, room);
	snprintf(start, room, "%s %s", word, name);
}
