/* SPDX-License-Identifier: Apache-2.0 */
/* A reading in progress, where it is, and what it says of a breach. For util/jx.c alone. */
#pragma once
#include <jansson.h>
#include "util/jx.h"

/* One step of the path: a key, or with a NULL key an index. Lives on the C stack. */
struct where {
	const struct where *up;
	const char *key;
	size_t index;
};

struct reader {
	struct arena *arena;
	const struct jx_listener *listener;
	const char *origin;
	size_t breaches;
	struct err *e; /* holds the first breach */
};

/* Appends the path: linux.seccomp.syscalls[3].names[0], annotations["org.x"]. */
void jx_path_put(struct str *out, const struct where *w);

/* Takes note of one breach. 0: go on, because the listener wants all of them; else -EINVAL. So do the others. */
int jx_breach(struct reader *r, const struct where *w, const char *text);

/* "expected TYPE, got ..." */
int jx_wrong_type(struct reader *r, const struct where *w, const char *expected, const json_t *v);

/* "expected integer from MIN to MAX, got ..." */
int jx_wrong_range(struct reader *r, const struct where *w, int64_t min, uint64_t max, const json_t *v);

/* "unknown value ..., did you mean ...?" */
int jx_wrong_word(struct reader *r, const struct where *w, const struct jx_word *words, const char *word);
