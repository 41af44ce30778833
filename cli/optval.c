/* SPDX-License-Identifier: Apache-2.0 */
/* Text to numbers, sizes, durations and words. Locale-free and exact: no floating point. */
#include "cli/optval.h"

#include <errno.h>
#include <string.h>

#include "util/mem.h"

enum { NANO_DIGITS = 9, LIST_ROOM_FIRST = 8 };

static const int64_t NANO = 1000000000;

/* ---- numbers ---- */

/* A decimal number read from text: whole + nano / 1e9. */
struct decimal {
	int64_t whole;
	int64_t nano;
	const char *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int read_decimal(const char *text, struct decimal *ret)
{
	struct decimal d = { .end = text };

	if (!is_digit(*text) && !(text[0] == '.' && is_digit(text[1])))
		return -EINVAL;
	for (; is_digit(*d.end); d.end++)
		if (__builtin_mul_overflow(d.whole, 10, &d.whole) ||
		    __builtin_add_overflow(d.whole, *d.end - '0', &d.whole))
			return -EINVAL;
	if (*d.end == '.') {
		int64_t unit = NANO / 10;
		if (!is_digit(*++d.end))
			return -EINVAL;
		for (; is_digit(*d.end); d.end++, unit /= 10)
			d.nano += (*d.end - '0') * unit;
	}
	*ret = d;
	return 0;
}

/* Adds d * unit to *sum; a fraction below one unit of the sum is dropped. */
static int add_scaled(struct decimal d, int64_t unit, int64_t *sum)
{
	int64_t value, part;

	if (__builtin_mul_overflow(d.whole, unit, &value) || __builtin_add_overflow(*sum, value, sum))
		return -EINVAL;
	part = (int64_t)((__int128)d.nano * unit / NANO);
	return __builtin_add_overflow(*sum, part, sum) ? -EINVAL : 0;
}

static int read_int(const char *text, int64_t *ret)
{
	struct decimal d;
	bool is_negative = *text == '-';

	if (read_decimal(text + is_negative, &d) < 0 || *d.end || d.nano || strchr(text, '.'))
		return -EINVAL;
	*ret = is_negative ? -d.whole : d.whole;
	return 0;
}

static int read_nano(const char *text, int64_t *ret)
{
	struct decimal d;
	int64_t sum = 0;

	if (read_decimal(text, &d) < 0 || *d.end || add_scaled(d, NANO, &sum) < 0)
		return -EINVAL;
	*ret = sum;
	return 0;
}

int opt_size(const char *text, int64_t *ret_bytes)
{
	static const char suffixes[] = "bkmgtp";
	struct decimal d;
	int64_t unit = 1, sum = 0;

	if (!strcmp(text, "-1")) {
		*ret_bytes = -1;
		return 0;
	}
	if (read_decimal(text, &d) < 0)
		return -EINVAL;
	const char *p = d.end;
	if (*p) {
		const char *at = strchr(suffixes, *p | 0x20);
		if (!at)
			return -EINVAL;
		unit <<= 10 * (at - suffixes);
		p++;
		if (unit > 1 && p[0] == 'i')
			p++;
		if (unit > 1 && (*p | 0x20) == 'b')
			p++;
	}
	if (*p || (unit == 1 && d.nano) || add_scaled(d, unit, &sum) < 0)
		return -EINVAL;
	*ret_bytes = sum;
	return 0;
}

static const struct duration_unit {
	char name[4];
	int64_t ms;
} duration_units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
};

static int64_t read_unit(const char **at)
{
	for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
		size_t len = strlen(duration_units[i].name);
		if (!strncmp(*at, duration_units[i].name, len)) {
			*at += len;
			return duration_units[i].ms;
		}
	}
	return 0;
}

int opt_duration(const char *text, int64_t *ret_ms)
{
	struct decimal d;
	int64_t sum = 0;

	if (!strcmp(text, "-1")) {
		*ret_ms = -1;
		return 0;
	}
	if (read_decimal(text, &d) < 0)
		return -EINVAL;
	if (!*d.end) {
		if (add_scaled(d, 1000, &sum) < 0)
			return -EINVAL;
	} else {
		for (const char *p = text; *p;) {
			if (read_decimal(p, &d) < 0)
				return -EINVAL;
			p = d.end;
			int64_t unit = read_unit(&p);
			if (!unit || add_scaled(d, unit, &sum) < 0)
				return -EINVAL;
		}
	}
	*ret_ms = sum;
	return 0;
}

static int read_count(const char *text, int64_t *ret)
{
	int64_t value;

	if (read_int(text, &value) < 0 || value < 0)
		return -EINVAL;
	*ret = value;
	return 0;
}

static const struct number_kind {
	int (*read)(const char *text, int64_t *ret);
	const char *wants;
} number_kinds[] = {
	[OPT_INT] = { read_int, "a whole number" },
	[OPT_COUNT] = { read_count, "a whole number, not negative" },
	[OPT_SIZE] = { opt_size, "a size such as 512m or 1.5g" },
	[OPT_DURATION] = { opt_duration, "seconds, or a duration such as 1m30s" },
	[OPT_NANO] = { read_nano, "a number such as 1.5" },
};

static int store_number(const struct opt *o, struct opt_num *slot, const char *text, struct err *e)
{
	int64_t value;

	if (number_kinds[o->kind].read(text, &value) < 0)
		return err_new(e, EINVAL, "option --%s: expected %s, got \"%s\"", o->name,
			       number_kinds[o->kind].wants, text);
	*slot = (struct opt_num){ .value = value, .is_set = true };
	return 0;
}

/* ---- words ---- */

static int read_bool(const struct opt *o, const char *text, bool *ret, struct err *e)
{
	if (!text || !strcmp(text, "true") || !strcmp(text, "1"))
		*ret = true;
	else if (!strcmp(text, "false") || !strcmp(text, "0"))
		*ret = false;
	else
		return err_new(e, EINVAL, "option --%s: expected true or false, got \"%s\"", o->name, text);
	return 0;
}

static int store_word(const struct opt *o, const char **slot, const char *text, struct err *e)
{
	size_t len = strlen(text);

	for (const char *p = o->arg; *p; p += *p == '|') {
		size_t span = strcspn(p, "|");
		if (span == len && !memcmp(p, text, len)) {
			*slot = text;
			return 0;
		}
		p += span;
	}
	return err_new(e, EINVAL, "option --%s: expected %s, got \"%s\"", o->name, o->arg, text);
}

/* Appends; the room doubles at powers of two from LIST_ROOM_FIRST on. */
static void list_add(struct opt_list *list, const char *text)
{
	size_t n = list->count;

	if (n == 0 || (n >= LIST_ROOM_FIRST && !(n & (n - 1)))) {
		size_t room = n ? 2 * n : LIST_ROOM_FIRST;
		list->items = mem_grow(list->items, room * sizeof(*list->items));
	}
	list->items[list->count++] = text;
}

int optval_store(const struct opt *o, void *slot, const char *text, struct err *e)
{
	bool on;
	int r;

	switch ((enum opt_kind)o->kind) {
	case OPT_FLAG:
		return read_bool(o, text, slot, e);
	case OPT_TRI:
		r = read_bool(o, text, &on, e);
		if (!r)
			*(enum opt_tri *)slot = on ? OPT_YES : OPT_NO;
		return r;
	case OPT_STR:
		*(const char **)slot = text;
		return 0;
	case OPT_WORD:
		return store_word(o, slot, text, e);
	case OPT_LIST:
		list_add(slot, text);
		return 0;
	case OPT_INT:
	case OPT_COUNT:
	case OPT_SIZE:
	case OPT_DURATION:
	case OPT_NANO:
		return store_number(o, slot, text, e);
	}
	return err_new(e, EINVAL, "option --%s: no such kind", o->name);
}
