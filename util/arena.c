/* SPDX-License-Identifier: Apache-2.0 */
/* See arena.h. */
#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

struct arena_block {
	struct arena_block *below;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

enum { BLOCK_BYTES = 16384 };

static struct arena_block *block_push(struct arena *a, size_t need)
{
	size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
	struct arena_block *b = mem_alloc(sizeof(*b) + size);
	b->below = a->top;
	b->used = 0;
	b->size = size;
	a->top = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t align = alignof(max_align_t);
	if (size > SIZE_MAX / 2)
		mem_out();
	size_t need = (size + align - 1) / align * align;
	struct arena_block *b = a->top;
	if (!b || b->size - b->used < need)
		b = block_push(a, need);
	void *p = b->bytes + b->used;
	b->used += need;
	return memset(p, 0, size);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		mem_out();
	return arena_alloc(a, bytes);
}

char *arena_strn(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);
	memcpy(p, s, len);
	return p;
}

char *arena_str(struct arena *a, const char *s)
{
	return arena_strn(a, s, strlen(s));
}

char *arena_fmt(struct arena *a, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0)
		mem_out();
	char *p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, format);
	vsnprintf(p, (size_t)n + 1, format, ap);
	va_end(ap);
	return p;
}

void arena_done(struct arena *a)
{
	while (a->top) {
		struct arena_block *b = a->top;
		a->top = b->below;
		free(b);
	}
}
