/* SPDX-License-Identifier: Apache-2.0 */
/* See challenge.h. */
#include "image/registry/challenge.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* RFC 9110 "Tokens". */
static bool is_token_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* A token68, as Negotiate has one in the place of parameters. */
static bool is_token68_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-._~+/", c));
}

static const char *skip_blank(const char *p)
{
	return p + strspn(p, " \t");
}

/* Empty elements are allowed in lists (RFC 9110 "Lists"). */
static const char *skip_commas(const char *p)
{
	return p + strspn(p, " \t,");
}

static size_t token_len(const char *p)
{
	size_t n = 0;
	while (is_token_char(p[n]))
		n++;
	return n;
}

/* Reads a token or a quoted string into `out`. NULL: malformed, or too long. */
static const char *take_value(const char *p, char *out, size_t room)
{
	size_t n = 0;
	if (*p != '"') {
		size_t len = token_len(p);
		if (!len || len >= room)
			return NULL;
		memcpy(out, p, len);
		out[len] = '\0';
		return p + len;
	}
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		unsigned char c = (unsigned char)*p;
		if ((c < ' ' && c != '\t') || c == 0x7f || n + 1 >= room)
			return NULL;
		out[n++] = *p;
	}
	out[n] = '\0';
	return p + 1;
}

/* Where a parameter goes that somebody asks for; the first of a name counts. NULL: nobody. */
static char *place_of(struct challenge *c, const char *name, size_t len, size_t *ret_room)
{
	const struct {
		const char *name;
		char *at;
		size_t room;
	} known[] = {
		{ "realm", c->realm, sizeof(c->realm) },
		{ "service", c->service, sizeof(c->service) },
		{ "scope", c->scope, sizeof(c->scope) },
		{ "error", c->error, sizeof(c->error) },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == len && strncasecmp(known[i].name, name, len) == 0 && !known[i].at[0]) {
			*ret_room = known[i].room;
			return known[i].at;
		}
	return NULL;
}

/* Reads NAME=VALUE. Returns what follows it; `p` itself: it is no parameter; NULL: malformed. */
static const char *take_parameter(const char *p, struct challenge *c)
{
	char other[CHALLENGE_TEXT_MAX];
	size_t room = sizeof(other), len = token_len(p);
	const char *after = skip_blank(p + len);
	if (!len || *after != '=')
		return p;
	char *at = place_of(c, p, len, &room);
	return take_value(skip_blank(after + 1), at ? at : other, room);
}

static const char *skip_token68(const char *p)
{
	const char *end = p;
	while (is_token68_char(*end))
		end++;
	while (*end == '=')
		end++;
	const char *after = skip_blank(end);
	return end > p && (*after == ',' || !*after) ? after : p;
}

/* Reads a scheme and its parameters. NULL: malformed. */
static const char *take_challenge(const char *p, struct challenge *c, bool *ret_is_known)
{
	size_t len = token_len(p);
	if (!len)
		return NULL;
	c->kind = len == 6 && strncasecmp(p, "Bearer", 6) == 0	? CHALLENGE_BEARER
		  : len == 5 && strncasecmp(p, "Basic", 5) == 0 ? CHALLENGE_BASIC
								: CHALLENGE_NONE;
	p = skip_blank(p + len);
	const char *after = skip_token68(p);
	while (after && *after) {
		p = skip_commas(after);
		after = take_parameter(p, c);
		if (after == p)
			break; /* the next scheme */
		if (after && *skip_blank(after) && *skip_blank(after) != ',')
			return NULL;
	}
	*ret_is_known = c->kind == CHALLENGE_BASIC || (c->kind == CHALLENGE_BEARER && c->realm[0]);
	return after;
}

bool challenge_parse(const char *text, struct challenge *ret)
{
	*ret = (struct challenge){ .kind = CHALLENGE_NONE };
	for (const char *p = skip_commas(text); p && *p; p = skip_commas(p)) {
		struct challenge c = { .kind = CHALLENGE_NONE };
		bool is_known = false;
		p = take_challenge(p, &c, &is_known);
		if (is_known && p && c.kind > ret->kind)
			*ret = c;
		if (!p)
			break;
	}
	return ret->kind != CHALLENGE_NONE;
}
