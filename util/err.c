/* SPDX-License-Identifier: Apache-2.0 */
/* See err.h. Called from every floor; prints nothing. */
#include "util/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A message may quote bytes from a container or an image: control characters must not reach a terminal. */
static void scrub(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = *s == '\n' || *s == '\t' ? ' ' : '?';
}

static int __attribute__((format(printf, 4, 0)))
start(struct err *e, int num, const char *cause, const char *format, va_list ap)
{
	e->num = num ? num : EINVAL;
	e->exit = 0;
	int n = vsnprintf(e->text, sizeof(e->text), format, ap);
	if (cause && n >= 0 && (size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, "%s%s", n ? ": " : "", cause);
	scrub(e->text);
	return -e->num;
}

int err_new(struct err *e, int num, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int r = start(e, num, NULL, format, ap);
	va_end(ap);
	return r;
}

int err_sys(struct err *e, const char *format, ...)
{
	int num = errno;
	va_list ap;
	va_start(ap, format);
	int r = start(e, num, strerror(num), format, ap);
	va_end(ap);
	return r;
}

int err_ret(struct err *e, int ret, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int r = start(e, -ret, strerror(-ret), format, ap);
	va_end(ap);
	return r;
}

int err_at(struct err *e, int r, const char *format, ...)
{
	char words[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(words, sizeof(words), format, ap);
	va_end(ap);
	scrub(words);
	if (n <= 0)
		return r;
	size_t len = (size_t)n < sizeof(words) ? (size_t)n : sizeof(words) - 1;
	size_t room = sizeof(e->text) - 1, keep = strlen(e->text);
	if (len + 2 > room)
		len = room - 2;
	if (keep > room - len - 2)
		keep = room - len - 2;
	memmove(e->text + len + 2, e->text, keep);
	memcpy(e->text, words, len);
	memcpy(e->text + len, ": ", 2);
	e->text[len + 2 + keep] = '\0';
	return r;
}

void err_clear(struct err *e)
{
	e->num = e->exit = 0;
	e->text[0] = '\0';
}
