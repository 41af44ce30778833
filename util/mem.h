/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heap memory with an owner in scope, and growing strings with a stated limit. Out of memory ends the process with
 * status 125: kist's commands are short-lived and hold nothing that a later command could not clean up.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Says "out of memory" on standard error and ends the process with status 125. */
void mem_out(void) __attribute__((noreturn, cold));

/* malloc, realloc, strdup and asprintf that do not return NULL. The caller owns the result. */
void *mem_alloc(size_t size) __attribute__((returns_nonnull, malloc));
void *mem_zero(size_t count, size_t size) __attribute__((returns_nonnull, malloc));
void *mem_grow(void *p, size_t size) __attribute__((returns_nonnull));
char *mem_str(const char *s) __attribute__((returns_nonnull, malloc));
char *mem_fmt(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull, malloc));

static inline void mem_free_at(void *p)
{
	free(*(void **)p);
}

#define free_auto __attribute__((cleanup(mem_free_at)))

/* Moves a pointer out of a scope that would free it. */
#define ptr_take(p) ({ __typeof__(p) *take_from_ = &(p); __typeof__(p) taken_ = *take_from_; *take_from_ = NULL; taken_; })

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A string that grows up to `max` bytes; what goes beyond sets `is_full` and is dropped. */
struct str {
	char *p;       /* always ends in NUL once something was added; NULL before */
	size_t len;    /* bytes without the NUL */
	size_t room;
	size_t max;
	bool is_full;
};

#define STR_MAX(limit) ((struct str){ .max = (limit) })

void str_add(struct str *s, const char *bytes, size_t len);
void str_puts(struct str *s, const char *text);
void str_fmt(struct str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void str_done(struct str *s);

#define str_auto __attribute__((cleanup(str_done)))
