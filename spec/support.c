/* SPDX-License-Identifier: Apache-2.0 */
/* See support.h. */
#include "spec/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/mem.h"

/* ---- what uses a key ---- */

static bool uses_intel_rdt(const struct spec *s)
{
	return s->linux_ && s->linux_->intel_rdt;
}

/* ---- the tables: strike a row when its key is acted on ---- */

static const struct {
	const char *path;
	bool (*is_used)(const struct spec *s);
} rows[] = {
	{ "linux.intelRdt", uses_intel_rdt },
};

/* ---- */

struct tally {
	jx_breach_fn *breach;
	void *ctx;
	size_t count;
	char first[128];
};

static void tell(struct tally *t, const char *path)
{
	char text[sizeof(t->first)];
	snprintf(text, sizeof(text), "%s: not supported by this version of kist", path);
	if (t->count++ == 0)
		memcpy(t->first, text, sizeof(text));
	if (t->breach)
		t->breach(t->ctx, text);
}

static void tell_all(struct tally *t, const struct spec *s)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].is_used(s))
			tell(t, rows[i].path);
}

int spec_supported(const struct spec *s, struct err *e)
{
	struct tally t = { 0 };
	tell_all(&t, s);
	return t.count > 0 ? err_new(e, EOPNOTSUPP, "%s", t.first) : 0;
}

size_t spec_supported_all(const struct spec *s, jx_breach_fn *breach, void *ctx)
{
	struct tally t = { .breach = breach, .ctx = ctx };
	tell_all(&t, s);
	return t.count;
}

bool spec_is_supported(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(rows[i].path, path))
			return false;
	return true;
}
