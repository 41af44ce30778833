/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option parser. Runs first in every command, so it only walks the table and argv. May not print or exit.
 */
#include "cli/opt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/optval.h"
#include "util/jx.h"
#include "util/mem.h"

/* One run over argv. */
struct scan {
	const struct opt_set *set;
	void *target;
	char **argv;
	int argc;
	int next;          /* index of the next word to look at */
	struct err *e;
};

static bool is_of_face(const struct opt_set *set, const struct opt *o)
{
	return !set->face || !o->faces || (o->faces & set->face);
}

static bool is_flag(const struct opt *o)
{
	return o->kind == OPT_FLAG || o->kind == OPT_TRI;
}

const struct opt *opt_find(const struct opt_set *set, const char *name, size_t len)
{
	if (!len || len >= sizeof(set->rows->name))
		return NULL;
	for (const struct opt *o = set->rows; o < set->rows + set->count; o++)
		if (!memcmp(o->name, name, len) && !o->name[len] && is_of_face(set, o))
			return o;
	return NULL;
}

static const struct opt *find_letter(const struct opt_set *set, char letter)
{
	for (const struct opt *o = set->rows; o < set->rows + set->count; o++)
		if (o->letter == letter && is_of_face(set, o))
			return o;
	return NULL;
}

static int unknown_long(const struct scan *s, const char *word, size_t len)
{
	char name[sizeof(s->set->rows->name) * 2];
	free_auto struct jx_word *known = mem_zero(s->set->count + 1, sizeof(*known));
	size_t n = 0;

	for (const struct opt *o = s->set->rows; o < s->set->rows + s->set->count; o++)
		if (is_of_face(s->set, o))
			known[n++].name = o->name;
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	const char *near = jx_nearest(known, name);
	if (near)
		return err_new(s->e, EINVAL, "unknown option --%.*s (did you mean --%s?)", (int)len, word,
			       near);
	return err_new(s->e, EINVAL, "unknown option --%.*s", (int)len, word);
}

/* ---- one option ---- */

static int store(const struct scan *s, const struct opt *o, const char *value)
{
	return optval_store(o, (char *)s->target + o->off, value, s->e);
}

/* Stores the value of `o`: `given` if the word brought one along, "true" for a flag, else the next word. */
static int take_value(struct scan *s, const struct opt *o, const char *given, const char *spelling)
{
	if (given)
		return store(s, o, given);
	if (is_flag(o))
		return store(s, o, NULL);
	if (s->next >= s->argc)
		return err_new(s->e, EINVAL, "flag needs an argument: %s", spelling);
	return store(s, o, s->argv[s->next++]);
}

/* --name or -name, with or without =V. `word` is the name's first letter. */
static int take_long(struct scan *s, const struct opt *o, const char *word)
{
	char spelling[sizeof(o->name) + 2];
	const char *equals = strchr(word, '=');

	snprintf(spelling, sizeof(spelling), "--%s", o->name);
	return take_value(s, o, equals ? equals + 1 : NULL, spelling);
}

/* -x, -xyz, -xVALUE, -x=VALUE. `word` points behind the dash. */
static int take_letters(struct scan *s, const char *word)
{
	for (const char *p = word; *p; p++) {
		const struct opt *o = find_letter(s->set, *p);
		char spelling[3] = { '-', *p, '\0' };
		const char *given = NULL;

		if (!o && *p == 'h')
			return -ECANCELED;
		if (!o && !word[1])
			return err_new(s->e, EINVAL, "unknown option -%c", *p);
		if (!o)
			return err_new(s->e, EINVAL, "unknown option -%c in -%s", *p, word);
		if (p[1] == '=')
			given = p + 2;
		else if (p[1] && !is_flag(o))
			given = p + 1;
		int r = take_value(s, o, given, spelling);
		if (r < 0 || given)
			return r;
		if (!is_flag(o))
			return 0;
	}
	return 0;
}

/* A word with one dash: a long name of more than one letter wins over a cluster of letters. */
static int take_short(struct scan *s, const char *word)
{
	size_t len = strcspn(word, "=");
	const struct opt *o = len > 1 ? opt_find(s->set, word, len) : NULL;

	if (o)
		return take_long(s, o, word);
	if (!strcmp(word, "help"))
		return -ECANCELED;
	return take_letters(s, word);
}

static int take_option(struct scan *s, const char *word)
{
	if (word[1] != '-')
		return take_short(s, word + 1);
	word += 2;
	size_t len = strcspn(word, "=");
	const struct opt *o = opt_find(s->set, word, len);
	if (o)
		return take_long(s, o, word);
	if (!strcmp(word, "help"))
		return -ECANCELED;
	return unknown_long(s, word, len);
}

int opt_parse(const struct opt_set *set, void *target, int argc, char **argv, struct err *e)
{
	struct scan s = { .set = set, .target = target, .argv = argv, .argc = argc, .e = e };
	int words = 0;

	while (s.next < argc) {
		char *word = argv[s.next++];
		bool is_option = word[0] == '-' && word[1];
		if (is_option && !strcmp(word, "--"))
			break;
		if (!is_option) {
			argv[words++] = word;
			if (set->stops_at_word)
				break;
			continue;
		}
		int r = take_option(&s, word);
		if (r < 0)
			return r;
	}
	while (s.next < argc)
		argv[words++] = argv[s.next++];
	return words;
}
