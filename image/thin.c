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

/* Goes into the list of an object's member. */
static bool find_list(struct cursor *p, const char *wanted)
{
	const char *key;
	size_t len;
	if (!take(p, '{'))
		return false;
	while (take_key(p, &key, &len)) {
		if (len == strlen(wanted) && memcmp(key, wanted, len) == 0)
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

struct filter {
	const char *part, *also; /* NULL: no row stays */
	size_t part_len;
};

static bool is_kept(const struct filter *f, const char *row, size_t n)
{
	return f->part && (memmem(row, n, f->part, f->part_len) || memchr(row, '\\', n) ||
			   memmem(row, n, f->also, strlen(f->also)));
}

static ptrdiff_t thin(const char *bytes, size_t len, const char *key, const struct filter *f, struct str *out)
{
	struct cursor p = { bytes, bytes + len };
	ptrdiff_t rows = 0;
	bool is_first = true;
	if (!find_list(&p, key))
		return -1;
	str_add(out, bytes, (size_t)(p.at - bytes));
	if (!take(&p, ']')) {
		do {
			const char *row = p.at;
			skip_value(&p);
			rows++;
			if (!is_kept(f, row, (size_t)(p.at - row)))
				continue;
			str_puts(out, is_first ? "" : ",");
			str_add(out, row, (size_t)(p.at - row));
			is_first = false;
		} while (take(&p, ','));
		if (!take(&p, ']'))
			return -1;
	}
	str_puts(out, "]");
	str_add(out, p.at, (size_t)(p.end - p.at));
	return rows;
}

bool thin_index(const char *bytes, size_t len, const char *word, const char *also, struct str *out)
{
	struct filter f = { .also = also };
	f.part = last_part(word, &f.part_len);
	return f.part_len && thin(bytes, len, "manifests", &f, out) >= 0;
}

ptrdiff_t thin_list(const char *bytes, size_t len, const char *key, struct str *out)
{
	const struct filter none = { .part = NULL };
	return thin(bytes, len, key, &none, out);
}
