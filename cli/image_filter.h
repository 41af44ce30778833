/* SPDX-License-Identifier: Apache-2.0 */
/* --filter of image ls and prune, as docker and podman have it. */
#pragma once
#include "cli/options.h"
#include "image/image.h"

enum image_filter_kind {
	FILTER_REFERENCE = 1 << 0, /* a pattern of glob(7) for the name */
	FILTER_DANGLING = 1 << 1,  /* true or false: has it no name */
	FILTER_LABEL = 1 << 2,     /* KEY or KEY=VALUE */
	FILTER_BEFORE = 1 << 3,    /* created before an image */
	FILTER_SINCE = 1 << 4,     /* created after an image */
	FILTER_UNTIL = 1 << 5,     /* created before a time */
};

struct image_filter {
	enum image_filter_kind kind;
	bool is_not; /* label!=KEY */
	const char *text;
	struct timespec time;
	bool is_true;
};

/* Of one kind one has to fit, of each kind that is given; of labels, all. */
struct image_filters {
	struct arena arena;
	struct image_filter *v;
	size_t n;
};

#define image_filters_auto __attribute__((cleanup(image_filters_done)))

/* Reads KEY=VALUE words; `kinds` are those that the verb knows. -EINVAL, or -ENOENT: before and since of no image. */
int image_filters_read(const struct store *s, const struct opt_list *words, unsigned kinds,
		       struct image_filters *ret, struct err *e);
void image_filters_done(struct image_filters *f);

/* `name` NULL: it has none. `im` NULL: its documents cannot be read. */
bool image_filters_fit(const struct image_filters *f, const char *name, const struct image *im);
