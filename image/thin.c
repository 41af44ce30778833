/* SPDX-License-Identifier: Apache-2.0 */
/* See thin.h. Source: RFC 8259, sections 2 to 7. */
#include "image/thin.h"

#include <string.h>

struct cursor {
	const char *at, *end;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Goes over white space, and then over `c` if that comes next. */
static bool take(struct cursor *p, char c)
{
	while (p->at < p->end && is_space(*p->at))
		p->at++;
	bool is_there = p->at < p->end && *p->at == c;
	p->at += is_there;
	return is_there;
}

/* Goes over a string, whose quote comes next. */
static void skip_string(struct cursor *p)
{
	for (p->at++; p->at < p->end && *p->at != '"'; p->at++)
		if (*p->at == '\\')
			p->at++;
	p->at = p->at < p->end ? p->at + 1 : p->end;
}

/* Goes over a value, up to the comma or bracket behind it. */
static void skip_value(struct cursor *p)
{
	for (int depth = 0; p->at < p->end;) {
		const char c = *p->at;
		const bool is_close = c == ']' || c == '}';
		if (depth == 0 && (c == ',' || is_close))
			return;
		if (c == '"') {
			skip_string(p);
			continue;
		}
		depth += (c == '[' || c == '{') - is_close;
		p->at++;
	}
}

static bool take_key(struct cursor *p, const char **ret_key, size_t *ret_len)
{
	if (!take(p, '"'))
		return false;
	const char *key = p->at--;
	skip_string(p);
	*ret_key = key;
	*ret_len = (size_t)(p->at - key) - 1;
	return take(p, ':');
}

/* Goes into the list of the object's member "manifests". */
static bool find_rows(struct cursor *p)
{
	static const char wanted[] = "manifests";
	const char *key;
	size_t len;
	if (!take(p, '{'))
		return false;
	while (take_key(p, &key, &len)) {
		if (len == sizeof(wanted) - 1 && memcmp(key, wanted, len) == 0)
			return take(p, '[');
		skip_value(p);
		if (!take(p, ','))
			return false;
	}
	return false;
}

/* What every row that the word may mean must hold. */
static const char *last_part(const char *word, size_t *ret_len)
{
	if (strncmp(word, "sha256:", 7) == 0)
		word += 7;
	size_t len = strcspn(word, "@");
	const char *slash = memrchr(word, '/', len);
	if (slash) {
		len -= (size_t)(slash + 1 - word);
		word = slash + 1;
	}
	const char *colon = memchr(word, ':', len);
	*ret_len = colon ? (size_t)(colon - word) : len;
	return word;
}

bool thin_index(const char *bytes, size_t len, const char *word, const char *also, struct str *out)
{
	struct cursor p = { bytes, bytes + len };
	size_t part_len;
	const char *part = last_part(word, &part_len);
	if (part_len == 0 || !find_rows(&p))
		return false;
	str_add(out, bytes, (size_t)(p.at - bytes));
	bool is_first = true;
	if (!take(&p, ']')) {
		do {
			const char *row = p.at;
			skip_value(&p);
			const size_t n = (size_t)(p.at - row);
			if (!memmem(row, n, part, part_len) && !memchr(row, '\\', n) &&
			    !memmem(row, n, also, strlen(also)))
				continue;
			str_puts(out, is_first ? "" : ",");
			str_add(out, row, n);
			is_first = false;
		} while (take(&p, ','));
		if (!take(&p, ']'))
			return false;
	}
	str_puts(out, "]");
	str_add(out, p.at, (size_t)(p.end - p.at));
	return true;
}
