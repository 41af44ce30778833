/* SPDX-License-Identifier: Apache-2.0 */
/* --regex of kill and delete: see cmd.h. regex(7), as crun reads it. */
#include <errno.h>
#include <regex.h>
#include <string.h>

#include "cli/cmd.h"
#include "runtime/state.h"
#include "util/mem.h"

/* Ids are collected first: what is done to a container changes the directory that is read. */
struct matches {
	regex_t regex;
	struct strs ids;
};

static int collect(void *ctx, const char *id)
{
	struct matches *m = ctx;

	if (regexec(&m->regex, id, 0, NULL, 0) != 0)
		return 0;
	m->ids.v = mem_grow(m->ids.v, (m->ids.n + 1) * sizeof(*m->ids.v));
	m->ids.v[m->ids.n++] = mem_str(id);
	return 0;
}

int cmd_each_match(int root, const char *regex, int (*fn)(void *ctx, const char *id, struct err *e), void *ctx,
		   struct err *e)
{
	struct matches m = { 0 };
	char why[128];
	int code = regcomp(&m.regex, regex, REG_EXTENDED | REG_NOSUB);

	if (code) {
		regerror(code, &m.regex, why, sizeof(why));
		return err_new(e, EINVAL, "option --regex: %s: %s", regex, why);
	}
	int r = state_each(root, collect, &m, e);
	for (size_t i = 0; i < m.ids.n; i++) {
		if (r == 0)
			r = fn(ctx, m.ids.v[i], e);
		free((char *)(uintptr_t)m.ids.v[i]);
	}
	free(m.ids.v);
	regfree(&m.regex);
	return r;
}
