/* SPDX-License-Identifier: Apache-2.0 */
/* See toml_scan.h. */
#include "image/registry/toml_scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STRING_MAX = 64 << 10, WORD_MAX = 80 };

int toml_wrong(const struct toml_scan *s, struct err *e, const char *format, ...)
{
	char text[ERR_TEXT_MAX / 2];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_new(e, EINVAL, "%s:%u: %s", s->origin, s->line, text);
}

char toml_peek(const struct toml_scan *s)
{
	return s->p < s->end ? *s->p : '\0';
}

bool toml_is_end(const struct toml_scan *s)
{
	return s->p == s->end;
}

bool toml_take(struct toml_scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool take_text(struct toml_scan *s, const char *text)
{
	size_t len = strlen(text);
	if ((size_t)(s->end - s->p) < len || memcmp(s->p, text, len) != 0)
		return false;
	s->p += len;
	return true;
}

/* A newline is LF or CRLF. */
static bool take_newline(struct toml_scan *s)
{
	if (!take_text(s, "\n") && !take_text(s, "\r\n"))
		return false;
	s->line++;
	return true;
}

void toml_blank(struct toml_scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
		s->p++;
}

static bool is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

static int skip_comment(struct toml_scan *s, struct err *e)
{
	if (!toml_take(s, '#'))
		return 0;
	while (s->p < s->end && *s->p != '\n' && !(s->end - s->p >= 2 && s->p[0] == '\r' && s->p[1] == '\n')) {
		if (is_control((unsigned char)*s->p))
			return toml_wrong(s, e, "a control character in a comment");
		s->p++;
	}
	return 0;
}

int toml_lines(struct toml_scan *s, struct err *e)
{
	do {
		toml_blank(s);
		int r = skip_comment(s, e);
		if (r < 0)
			return r;
	} while (take_newline(s));
	return 0;
}

int toml_line_end(struct toml_scan *s, struct err *e)
{
	toml_blank(s);
	int r = skip_comment(s, e);
	if (r < 0)
		return r;
	return take_newline(s) || toml_is_end(s) ? 0 : toml_wrong(s, e, "expected the end of the line");
}

/* ---- strings ---- */

static void add_utf8(struct str *out, uint32_t c)
{
	char b[4];
	size_t n = 0;
	if (c < 0x80) {
		b[n++] = (char)c;
	} else if (c < 0x800) {
		b[n++] = (char)(0xc0 | c >> 6);
		b[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		b[n++] = (char)(0xe0 | c >> 12);
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		b[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		b[n++] = (char)(0xf0 | c >> 18);
		b[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		b[n++] = (char)(0x80 | (c & 0x3f));
	}
	str_add(out, b, n);
}

static int add_unicode(struct toml_scan *s, struct str *out, int digits, struct err *e)
{
	uint32_t c = 0;
	for (int i = 0; i < digits; i++, s->p++) {
		char d = toml_peek(s);
		if (!isxdigit((unsigned char)d))
			return toml_wrong(s, e, "expected %d hex digits behind \\%c", digits,
					  digits == 4 ? 'u' : 'U');
		c = c << 4 | (uint32_t)(isdigit((unsigned char)d) ? d - '0' : (d | 0x20) - 'a' + 10);
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return toml_wrong(s, e, "a string with U+%04X", c);
	add_utf8(out, c);
	return 0;
}

/* "\" at the end of a line takes the newline and all blanks that follow. */
static bool skip_fold(struct toml_scan *s)
{
	const struct toml_scan before = *s;
	toml_blank(s);
	if (!take_newline(s)) {
		*s = before;
		return false;
	}
	do
		toml_blank(s);
	while (take_newline(s));
	return true;
}

static int add_escape(struct toml_scan *s, bool is_long, struct str *out, struct err *e)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	char c = toml_peek(s);
	const char *at = c ? strchr(from, c) : NULL;
	if (is_long && skip_fold(s))
		return 0;
	if (at) {
		s->p++;
		str_add(out, &to[at - from], 1);
		return 0;
	}
	if (c != 'u' && c != 'U')
		return toml_wrong(s, e, "an unknown escape in a string");
	s->p++;
	return add_unicode(s, out, c == 'u' ? 4 : 8, e);
}

/* One character of a string that does not end there. */
static int add_char(struct toml_scan *s, bool is_long, bool is_literal, struct str *out, struct err *e)
{
	if (is_long && take_newline(s)) {
		str_add(out, "\n", 1);
		return 0;
	}
	if (toml_is_end(s) || *s->p == '\n' || *s->p == '\r')
		return toml_wrong(s, e, "a string without its end");
	if (is_control((unsigned char)*s->p))
		return toml_wrong(s, e, "a control character in a string");
	if (!is_literal && toml_take(s, '\\'))
		return add_escape(s, is_long, out, e);
	str_add(out, s->p++, 1);
	return 0;
}

/* A long string ends with three quotes, before which two may be its own. */
static bool is_long_end(struct toml_scan *s, const char *quotes, struct str *out)
{
	if (!take_text(s, quotes))
		return false;
	for (int i = 0; i < 2 && toml_take(s, quotes[0]); i++)
		str_add(out, quotes, 1);
	return true;
}

int toml_string(struct toml_scan *s, bool may_span, char **ret, size_t *ret_len, struct err *e)
{
	str_auto struct str out = STR_MAX(STRING_MAX);
	bool is_literal = toml_peek(s) == '\'';
	const char *quotes = is_literal ? "'''" : "\"\"\"";
	bool is_long = may_span && take_text(s, quotes);
	if (!is_long && !toml_take(s, quotes[0]))
		return toml_wrong(s, e, "expected a string");
	if (is_long)
		take_newline(s);
	while (!(is_long ? is_long_end(s, quotes, &out) : toml_take(s, quotes[0]))) {
		int r = add_char(s, is_long, is_literal, &out, e);
		if (r < 0)
			return r;
	}
	if (out.is_full)
		return toml_wrong(s, e, "a string of more than %d bytes", STRING_MAX);
	*ret_len = out.len;
	*ret = out.p ? ptr_take(out.p) : mem_str("");
	return 0;
}

int toml_key(struct toml_scan *s, char **ret, size_t *ret_len, struct err *e)
{
	char c = toml_peek(s);
	size_t len = 0;
	if (c == '"' || c == '\'')
		return toml_string(s, false, ret, ret_len, e);
	while (s->p + len < s->end && (isalnum((unsigned char)s->p[len]) || s->p[len] == '_' || s->p[len] == '-'))
		len++;
	if (!len)
		return toml_wrong(s, e, "expected a key");
	*ret = mem_fmt("%.*s", (int)len, s->p);
	*ret_len = len;
	s->p += len;
	return 0;
}

/* ---- words ---- */

/* Everything up to what can end a value. */
static size_t word_len(const struct toml_scan *s)
{
	size_t n = 0;
	while (s->p + n < s->end && !strchr(" \t\r\n,]}#", s->p[n]))
		n++;
	return n;
}

bool toml_bool(struct toml_scan *s, bool *ret)
{
	size_t len = word_len(s);
	bool is_true = len == 4 && memcmp(s->p, "true", 4) == 0;
	if (!is_true && !(len == 5 && memcmp(s->p, "false", 5) == 0))
		return false;
	s->p += len;
	*ret = is_true;
	return true;
}

/* Takes the underscores out, which stand between digits only. Returns false where they do not. */
static bool plain_digits(const char *from, size_t len, char out[static WORD_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (from[i] != '_') {
			out[n++] = from[i];
			continue;
		}
		if (i == 0 || i + 1 == len || !isxdigit((unsigned char)from[i - 1]) ||
		    !isxdigit((unsigned char)from[i + 1]))
			return false;
	}
	out[n] = '\0';
	return n > 0;
}

int toml_integer(struct toml_scan *s, int64_t *ret, struct err *e)
{
	char digits[WORD_MAX];
	size_t len = word_len(s), sign = len && (s->p[0] == '+' || s->p[0] == '-');
	const char *p = s->p + sign;
	int base = 10;
	if (len == 0 || len >= WORD_MAX)
		return toml_wrong(s, e, "expected a value");
	if (!sign && len > 2 && p[0] == '0' && strchr("xob", p[1])) {
		base = p[1] == 'x' ? 16 : p[1] == 'o' ? 8 : 2;
		p += 2;
	}
	char *end = digits;
	errno = 0;
	bool is_number = plain_digits(p, len - (size_t)(p - s->p), digits) && isxdigit((unsigned char)digits[0]) &&
			 !(base == 10 && digits[0] == '0' && digits[1]);
	uint64_t n = is_number ? strtoull(digits, &end, base) : 0;
	if (!is_number || *end || errno || n > (uint64_t)INT64_MAX)
		return toml_wrong(s, e, "%.*s: expected a string, an integer, true, false, an array or a table",
				  (int)len, s->p);
	*ret = sign && s->p[0] == '-' ? -(int64_t)n : (int64_t)n;
	s->p += len;
	return 0;
}
