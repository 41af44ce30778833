/* SPDX-License-Identifier: Apache-2.0 */
/* See text.h. */
#include "image/registry/text.h"

#include <string.h>
#include <strings.h>

void text_clean(const char *text, char *out, size_t room)
{
	size_t n = 0;
	for (; *text && n + 1 < room; text++) {
		unsigned char c = (unsigned char)*text;
		bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
		if (is_blank && (n == 0 || out[n - 1] == ' '))
			continue;
		/* What is not ASCII could be half of a character, or C1 controls. */
		out[n++] = is_blank ? ' ' : c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	if (*text && n > 3)
		memcpy(out + n - 3, "...", 3);
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

bool text_is_loopback(const char *host, size_t len)
{
	if (len && host[0] == '[')
		return len >= 5 && strncmp(host, "[::1]", 5) == 0;
	const char *colon = memchr(host, ':', len);
	size_t name = colon ? (size_t)(colon - host) : len;
	if (name == 9 && strncasecmp(host, "localhost", 9) == 0)
		return true;
	if (name < 7 || strncmp(host, "127.", 4) != 0)
		return false;
	for (size_t i = 0; i < name; i++) /* "127.example.com" is somebody else's */
		if (!strchr("0123456789.", host[i]))
			return false;
	return true;
}

const char *text_after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}
