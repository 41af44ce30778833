/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that dies together: one per spec or plan. Out of memory ends the process with status 125 and a message,
 * because every caller is a short-lived command.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *top;  /* the block that is being filled; older blocks hang behind it */
};

/* Returns `size` zeroed bytes, aligned for any type. Owned by the arena. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull, malloc));

/* Returns `count` zeroed elements; a product that overflows ends the process. */
void *arena_array(struct arena *a, size_t count, size_t size) __attribute__((returns_nonnull, malloc));

/* Returns a copy of a string, or of its first `len` bytes. Owned by the arena. */
char *arena_str(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strn(struct arena *a, const char *s, size_t len) __attribute__((returns_nonnull));

/* Returns a formatted string. Owned by the arena. */
char *arena_fmt(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3), returns_nonnull));

/* Frees everything; the arena can be used again. */
void arena_done(struct arena *a);

#define arena_auto __attribute__((cleanup(arena_done)))

/* arena_new(a, struct mount): one zeroed element of a type. */
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
