/* SPDX-License-Identifier: Apache-2.0 */
/* See image_filter.h. Sources: docker-images(1), podman-images(1), podman-image-prune(1) "--filter". */
#include "cli/image_filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "cli/opt.h"
#include "util/clock.h"
#include "util/mem.h"

static const struct {
	const char *name;
	enum image_filter_kind kind;
} kinds[] = {
	{ "reference", FILTER_REFERENCE }, { "dangling", FILTER_DANGLING }, { "label", FILTER_LABEL },
	{ "label!", FILTER_LABEL },	   { "before", FILTER_BEFORE },	    { "since", FILTER_SINCE },
	{ "after", FILTER_SINCE },	   { "until", FILTER_UNTIL },
};

/* ---- reading ---- */

/* A time of RFC 3339, a day, seconds since 1970, or how long ago. */
static int read_time(const char *text, struct timespec *ret)
{
	char whole[64];
	int64_t ms;
	size_t digits = strspn(text, "0123456789");
	if (digits && !text[digits]) {
		*ret = (struct timespec){ .tv_sec = strtoll(text, NULL, 10) };
		return 0;
	}
	if (strlen(text) == 10 && text[4] == '-') {
		snprintf(whole, sizeof(whole), "%sT00:00:00Z", text);
		return clock_parse(whole, ret);
	}
	if (clock_parse(text, ret) == 0)
		return 0;
	if (opt_duration(text, &ms) < 0 || ms < 0)
		return -EINVAL;
	clock_gettime(CLOCK_REALTIME, ret);
	ret->tv_sec -= ms / 1000;
	return 0;
}

static int read_image_time(const struct store *s, const char *word, struct timespec *ret, struct err *e)
{
	image_auto struct image im = { .name = NULL };
	int r = image_open(s, word, &im, e);
	if (r == 0 && (!im.config.created || clock_parse(im.config.created, ret) < 0))
		r = err_new(e, EINVAL, "image \"%s\": does not say when it was created", word);
	return r;
}

static int read_value(const struct store *s, const char *word, const char *value, struct image_filter *f,
		      struct err *e)
{
	if (f->kind == FILTER_BEFORE || f->kind == FILTER_SINCE)
		return err_at(e, read_image_time(s, value, &f->time, e), "option --filter");
	if (f->kind == FILTER_UNTIL && read_time(value, &f->time) < 0)
		return err_new(e, EINVAL, "option --filter: %s: neither a time nor a duration such as 24h", word);
	f->is_true = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
	if (f->kind == FILTER_DANGLING && !f->is_true && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return err_new(e, EINVAL, "option --filter: %s: expected true or false", word);
	return 0;
}

static int read_one(const struct store *s, const char *word, unsigned wanted, struct arena *a, struct image_filter *f,
		    struct err *e)
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : 0;
	for (size_t i = 0; eq && i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i].name) == len && memcmp(kinds[i].name, word, len) == 0 && (kinds[i].kind & wanted)) {
			*f = (struct image_filter){
				.kind = kinds[i].kind, .is_not = word[len - 1] == '!', .text = arena_str(a, eq + 1),
			};
			return read_value(s, word, f->text, f, e);
		}
	return err_new(e, EINVAL, "option --filter: %s: %s", word, eq ? "no such filter" : "expected KEY=VALUE");
}

int image_filters_read(const struct store *s, const struct opt_list *words, unsigned wanted, struct image_filters *ret,
		       struct err *e)
{
	image_filters_auto struct image_filters f = { .n = 0 };
	f.v = arena_array(&f.arena, words->count + 1, sizeof(*f.v));
	for (size_t i = 0; i < words->count; i++) {
		int r = read_one(s, words->items[i], wanted, &f.arena, &f.v[f.n++], e);
		if (r < 0)
			return r;
	}
	*ret = f;
	f.arena = (struct arena){ .top = NULL };
	return 0;
}

void image_filters_done(struct image_filters *f)
{
	arena_done(&f->arena);
}

/* ---- asking ---- */

/* The pattern is for the whole name, or for it from a slash on, as podman has it; with its tag or without. */
static bool fits_reference(const char *pattern, const char *name)
{
	char bare[REF_TEXT_MAX];
	for (const char *form = name; form; form = strchr(form, '/') ? strchr(form, '/') + 1 : NULL) {
		const char *at = strchr(form, '@'), *colon = at ? at : strrchr(form, ':');
		size_t len = colon && !strchr(colon, '/') ? (size_t)(colon - form) : strlen(form);
		snprintf(bare, sizeof(bare), "%.*s", (int)len, form);
		if (fnmatch(pattern, form, FNM_PATHNAME) == 0 || fnmatch(pattern, bare, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

static bool fits_label(const char *word, const struct image *im)
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);
	for (size_t i = 0; im && i < im->process->labels.n; i++) {
		const struct pair *p = &im->process->labels.v[i];
		if (strlen(p->key) == len && memcmp(p->key, word, len) == 0 && (!eq || strcmp(p->value, eq + 1) == 0))
			return true;
	}
	return false;
}

static int compare_times(const struct timespec *a, const struct timespec *b)
{
	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return a->tv_nsec < b->tv_nsec ? -1 : a->tv_nsec > b->tv_nsec;
}

static bool fits(const struct image_filter *f, const char *name, const struct image *im)
{
	struct timespec created;
	switch (f->kind) {
	case FILTER_REFERENCE:
		return fits_reference(f->text, name);
	case FILTER_DANGLING:
		return f->is_true == !name;
	case FILTER_LABEL:
		return fits_label(f->text, im) != f->is_not;
	case FILTER_BEFORE:
	case FILTER_SINCE:
	case FILTER_UNTIL:
		break;
	}
	if (!im || !im->config.created || clock_parse(im->config.created, &created) < 0)
		return false;
	int order = compare_times(&created, &f->time);
	return f->kind == FILTER_SINCE ? order > 0 : order < 0;
}

bool image_filters_fit(const struct image_filters *f, const char *name, const struct image *im)
{
	unsigned asked = 0, fitting = 0;
	for (size_t i = 0; i < f->n; i++) {
		bool is_fitting = fits(&f->v[i], name, im);
		asked |= f->v[i].kind;
		if (f->v[i].kind == FILTER_LABEL && !is_fitting)
			return false;
		fitting |= is_fitting ? f->v[i].kind : 0;
	}
	return asked == fitting;
}
