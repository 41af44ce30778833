/* SPDX-License-Identifier: Apache-2.0 */
/* See prune.h. */
#include "engine/prune.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "engine/list.h"
#include "image/du.h"
#include "image/store.h"
#include "util/log.h"

static uint64_t bytes_of(const struct store *s, const char *name)
{
	du_auto struct du du = { .is_whole = true };
	char path[NAME_MAX + 32];

	snprintf(path, sizeof(path), "containers/%s", name);
	du_add(&du, s->dir, path);
	return du.bytes;
}

static bool is_stopped(const struct engine_row *row)
{
	return strcmp(row->state, "running") != 0 && strcmp(row->state, "paused") != 0;
}

int engine_prune(const struct engine *g, prune_fn *gone, void *ctx, uint64_t *ret_bytes, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	struct arena arena_auto a = { 0 };
	struct engine_row *rows = NULL;
	size_t n = 0;
	int failed = 0;
	int r = store_open(g->store, false, &s, e);

	*ret_bytes = 0;
	if (r == 0)
		r = engine_list(g, true, &a, &rows, &n, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct err one = { 0 };
		if (!is_stopped(&rows[i]))
			continue;
		uint64_t bytes = bytes_of(&s, rows[i].name);
		r = engine_remove_ended(g, rows[i].name, &one);
		if (r == -ENOENT || r == -EBUSY)
			continue;
		if (r < 0) {
			if (failed < 0)
				log_error("%s", e->text);
			*e = one;
			failed = r;
			continue;
		}
		*ret_bytes += bytes;
		r = gone(ctx, rows[i].name);
		if (r != 0)
			return r;
	}
	return failed;
}
