/* SPDX-License-Identifier: Apache-2.0 */
/* Word tables: finding a word, its number, and the word that somebody may have meant (see jx.h and
 * jx_near.h). */
#include "util/jx_near.h"

#include <ctype.h>
#include <string.h>

enum { NEAR_MAX = 48 };

static size_t min2(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * The number of insertions, deletions, changes and swaps of neighbours between two words, upper and lower
 * case being the same (the restricted Damerau-Levenshtein distance). SIZE_MAX for a long word.
 */
static size_t distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	if (na > NEAR_MAX || nb > NEAR_MAX)
		return SIZE_MAX;
	size_t row[3][NEAR_MAX + 1];
	for (size_t j = 0; j <= nb; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *now = row[i % 3], *before = row[(i + 2) % 3], *two_before = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
			now[j] = min2(min2(before[j], now[j - 1]) + 1, before[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]))
				now[j] = min2(now[j], two_before[j - 2] + 1);
		}
	}
	return row[na % 3][nb];
}

/* Keeps the better of two candidates; one mistake per three letters is near. */
static void consider(const char *word, const char *candidate, const char **best, size_t *best_distance)
{
	size_t d = distance(word, candidate);
	size_t limit = strlen(word) < 3 ? 1 : (strlen(word) + 2) / 3;
	if (d <= limit && d < strlen(candidate) && d < *best_distance) {
		*best = candidate;
		*best_distance = d;
	}
}

const char *jx_near_field(const struct jx_field *rows, const char *key)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;
	for (; rows->kind != JXK_END; rows++)
		if (rows->kind != JXK_SKIP)
			consider(key, rows->key, &best, &best_distance);
	return best;
}

const char *jx_nearest(const struct jx_word *words, const char *word)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;
	for (; words->name; words++)
		consider(word, words->name, &best, &best_distance);
	return best;
}

const struct jx_word *jx_word_find(const struct jx_word *words, const char *name)
{
	for (; words->name; words++)
		if (!strcmp(words->name, name))
			return words;
	return NULL;
}

const char *jx_word_name(const struct jx_word *words, int64_t value)
{
	for (; words->name; words++)
		if (words->value == value)
			return words->name;
	return NULL;
}
