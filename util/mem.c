/* SPDX-License-Identifier: Apache-2.0 */
/* See mem.h. */
#include "util/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void mem_out(void)
{
	static const char words[] = "kist: out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, words, sizeof(words) - 1);
	(void)ignored;
	_exit(125);
}

void *mem_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);
	if (!p)
		mem_out();
	return p;
}

void *mem_zero(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);
	if (!p)
		mem_out();
	return p;
}

void *mem_grow(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);
	if (!q)
		mem_out();
	return q;
}

char *mem_str(const char *s)
{
	char *p = strdup(s);
	if (!p)
		mem_out();
	return p;
}

char *mem_fmt(const char *format, ...)
{
	char *p;
	va_list ap;
	va_start(ap, format);
	int n = vasprintf(&p, format, ap);
	va_end(ap);
	if (n < 0)
		mem_out();
	return p;
}

/* Makes room for `len` more bytes and a NUL; returns how many of them fit below the limit. */
static size_t str_room(struct str *s, size_t len)
{
	if (len > s->max - s->len) {
		len = s->max - s->len;
		s->is_full = true;
	}
	if (!s->p || s->room - s->len < len + 1) {
		size_t room = s->room ? s->room : 64;
		while (room - s->len < len + 1)
			room *= 2;
		s->p = mem_grow(s->p, room);
		s->room = room;
	}
	return len;
}

void str_add(struct str *s, const char *bytes, size_t len)
{
	len = str_room(s, len);
	if (len)
		memcpy(s->p + s->len, bytes, len);
	s->len += len;
	s->p[s->len] = '\0';
}

void str_puts(struct str *s, const char *text)
{
	str_add(s, text, strlen(text));
}

void str_fmt(struct str *s, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *p;
	int n = vasprintf(&p, format, ap);
	va_end(ap);
	if (n < 0)
		mem_out();
	str_add(s, p, (size_t)n);
	free(p);
}

void str_done(struct str *s)
{
	free(s->p);
	*s = (struct str){ .max = s->max };
}
