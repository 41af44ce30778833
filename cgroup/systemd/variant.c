/* SPDX-License-Identifier: Apache-2.0 */
/* See variant.h. A value is parsed for a type that is known (from "@type", or the elements before it), or for none. */
#include "cgroup/systemd/variant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8, ITEMS_MAX = 256 };

struct parser {
	const char *text, *p;
	struct arena *a;
	int depth;
	struct err *e;
};

static int fail(struct parser *s, const char *what)
{
	return err_new(s->e, EINVAL, "expected %s at \"%s\" of \"%s\"", what, s->p, s->text);
}

static void skip_blanks(struct parser *s)
{
	s->p += strspn(s->p, " \t\n");
}

/* Takes a character, if it is the next. */
static bool take(struct parser *s, char c)
{
	skip_blanks(s);
	if (*s->p != c)
		return false;
	s->p++;
	return true;
}

/* Takes a whole word of letters, digits and signs of numbers. */
static bool take_word(struct parser *s, const char *word)
{
	size_t n = strlen(word);
	skip_blanks(s);
	if (strncmp(s->p, word, n) != 0 || (s->p[n] >= 'a' && s->p[n] <= 'z') || (s->p[n] >= '0' && s->p[n] <= '9'))
		return false;
	s->p += n;
	return true;
}

/* ---- types ---- */

/* The end of one complete type, or NULL. */
static const char *type_end(const char *t, int depth)
{
	if (depth > DEPTH_MAX || !*t)
		return NULL;
	if (*t == 'a')
		return type_end(t + 1, depth + 1);
	if (*t != '(')
		return strchr("bynqiuxtdsog", *t) ? t + 1 : NULL;
	for (t++; *t && *t != ')';)
		if (!(t = type_end(t, depth + 1)))
			return NULL;
	return *t == ')' ? t + 1 : NULL;
}

void variant_type(struct str *out, const struct variant *v)
{
	str_add(out, &v->type, 1);
	if (v->type == 'a')
		str_puts(out, v->element);
	for (size_t i = 0; v->type == '(' && i < v->n; i++)
		variant_type(out, &v->v[i]);
	if (v->type == '(')
		str_puts(out, ")");
}

bool variant_number(const struct variant *v, double *ret)
{
	if (v->type == 'd')
		*ret = v->d;
	else if (strchr("nix", v->type))
		*ret = (double)v->i;
	else if (strchr("yqut", v->type))
		*ret = (double)v->u;
	else
		return false;
	return true;
}

/* ---- values ---- */

static int parse_value(struct parser *s, const char *want, struct variant *ret);

static const struct {
	char type;
	int64_t min;
	uint64_t max;
} ranges[] = {
	{ 'y', 0, UINT8_MAX }, { 'n', INT16_MIN, INT16_MAX }, { 'q', 0, UINT16_MAX }, { 'i', INT32_MIN, INT32_MAX },
	{ 'u', 0, UINT32_MAX }, { 'x', INT64_MIN, INT64_MAX }, { 't', 0, UINT64_MAX },
};

static int parse_number(struct parser *s, char want, struct variant *ret)
{
	const char *start = s->p;
	char *end;
	size_t len = strspn(start, "+-0123456789.eExXabcdefABCDEF");
	bool is_hex = strncmp(start, "0x", 2) == 0;
	bool is_real = !is_hex && memchr(start, '.', len) != NULL;
	char type = want ? want : is_real ? 'd' : 'i';
	*ret = (struct variant){ .type = type };
	if (type == 'd') {
		ret->d = strtod(start, &end);
		s->p = end;
		return end == start ? fail(s, "a number") : 0;
	}
	for (size_t k = 0; k < sizeof(ranges) / sizeof(ranges[0]); k++) {
		if (ranges[k].type != type)
			continue;
		errno = 0;
		if (*start == '-')
			ret->i = strtoll(start, &end, 0);
		else
			ret->u = strtoull(start, &end, 0);
		if (end == start || errno || *end == '.' || (*start == '-' && ret->i < ranges[k].min) ||
		    (*start != '-' && ret->u > ranges[k].max))
			return fail(s, "a number within the range of its type");
		if (*start != '-' && ranges[k].min < 0)
			ret->i = (int64_t)ret->u;
		s->p = end;
		return 0;
	}
	return fail(s, "another type than a number");
}

static int parse_string(struct parser *s, char want, struct variant *ret)
{
	char quote = *s->p++;
	str_auto struct str text = STR_MAX(64 << 10);
	for (; *s->p && *s->p != quote; s->p++) {
		if (*s->p == '\\' && s->p[1])
			s->p++;
		str_add(&text, s->p, 1);
	}
	if (*s->p != quote)
		return fail(s, "a closing quote");
	s->p++;
	if (want && !strchr("sog", want))
		return fail(s, "another type than a text, before this");
	*ret = (struct variant){ .type = want ? want : 's', .s = arena_str(s->a, text.p ? text.p : "") };
	return 0;
}

/* The type of a value, in the arena. NULL, with words: it is too long for D-Bus. */
static const char *type_of(struct parser *s, const struct variant *v)
{
	str_auto struct str type = STR_MAX(VARIANT_TYPE_MAX);
	variant_type(&type, v);
	if (!type.is_full)
		return arena_str(s->a, type.p);
	fail(s, "a type of at most 255 letters before this");
	return NULL;
}

/* "[a, b]" or "(a, b)"; `want` as for parse_value. */
static int parse_items(struct parser *s, const char *want, bool is_array, struct variant *ret)
{
	struct variant *v = arena_array(s->a, ITEMS_MAX, sizeof(*v));
	const char *type = want ? want + 1 : NULL;
	size_t n = 0;
	s->p++;
	while (!take(s, is_array ? ']' : ')')) {
		if (n == ITEMS_MAX || (n > 0 && !take(s, ',')))
			return fail(s, "a comma or the end of the list");
		/* A tuple of one is written "(a,)". */
		if (!is_array && n > 0 && take(s, ')'))
			break;
		if (type && *type == ')')
			return fail(s, "no more members");
		int r = parse_value(s, type, &v[n]);
		if (r < 0)
			return r;
		if (is_array && n == 0 && !type) {
			type = type_of(s, &v[0]);
			if (!type)
				return -EINVAL;
		} else if (!is_array && type) {
			type = type_end(type, 0);
		}
		n++;
	}
	if (!is_array && type && *type != ')')
		return fail(s, "more members");
	if (is_array && !type)
		return fail(s, "a type for an empty list, such as @as,");
	const char *end = is_array ? type_end(type, 0) : NULL;
	if (is_array && !end)
		return fail(s, "less depth");
	*ret = (struct variant){ .type = is_array ? 'a' : '(', .v = v, .n = n,
				 .element = is_array ? arena_strn(s->a, type, (size_t)(end - type)) : NULL };
	return 0;
}

static int parse_typed(struct parser *s, struct variant *ret)
{
	const char *end = type_end(++s->p, 0);
	if (!end)
		return fail(s, "a type");
	const char *type = arena_strn(s->a, s->p, (size_t)(end - s->p));
	s->p = end;
	return parse_value(s, type, ret);
}

static int parse_plain(struct parser *s, const char *want, struct variant *ret)
{
	bool is_true = take_word(s, "true");
	if (is_true || take_word(s, "false")) {
		*ret = (struct variant){ .type = 'b', .b = is_true };
		return want && *want != 'b' ? fail(s, "another type than a boolean, before this") : 0;
	}
	skip_blanks(s);
	if (*s->p == '\'' || *s->p == '"')
		return parse_string(s, want ? *want : '\0', ret);
	if (*s->p == '[' || *s->p == '(') {
		bool is_array = *s->p == '[';
		if (want && *want != (is_array ? 'a' : '('))
			return fail(s, "another type");
		return parse_items(s, want, is_array, ret);
	}
	if (*s->p == '-' || *s->p == '+' || (*s->p >= '0' && *s->p <= '9'))
		return parse_number(s, want ? *want : '\0', ret);
	return fail(s, "a value");
}

static int parse_value(struct parser *s, const char *want, struct variant *ret)
{
	static const struct {
		const char *word, *type;
	} words[] = {
		{ "boolean", "b" }, { "byte", "y" }, { "int16", "n" }, { "uint16", "q" }, { "int32", "i" },
		{ "uint32", "u" }, { "int64", "x" }, { "uint64", "t" }, { "double", "d" }, { "string", "s" },
		{ "objectpath", "o" }, { "signature", "g" },
	};
	if (s->depth++ > DEPTH_MAX)
		return fail(s, "less depth");
	skip_blanks(s);
	int r = 1;
	if (*s->p == '@')
		r = parse_typed(s, ret);
	for (size_t i = 0; r > 0 && i < sizeof(words) / sizeof(words[0]); i++)
		if (take_word(s, words[i].word))
			r = parse_plain(s, words[i].type, ret);
	if (r > 0)
		r = parse_plain(s, want, ret);
	s->depth--;
	return r;
}

int variant_parse(const char *text, struct arena *a, struct variant *ret, struct err *e)
{
	struct parser s = { .text = text, .p = text, .a = a, .e = e };
	int r = parse_value(&s, NULL, ret);
	if (r < 0)
		return r;
	skip_blanks(&s);
	if (*s.p)
		return fail(&s, "the end");
	return type_of(&s, ret) ? 0 : -EINVAL;
}
