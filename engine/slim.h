/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that waits for days with little memory: gives back what only its start needed. Caller: the keeper.
 * Sources: madvise(2) MADV_DONTNEED, malloc_trim(3), getauxval(3) AT_PHDR, elf(5).
 */
#pragma once

/* Gives back the heap, and the stack below the caller's frame. Once, after the start. */
void slim_start(void);

/*
 * Lets go of the pages of the program's own text and constants; what is needed next comes back from the page cache,
 * one by one. Before a long wait.
 */
void slim_idle(void);

/* Shows "WORD NAME" as the command line, in the room that our own arguments had. */
void slim_title(const char *word, const char *name);
