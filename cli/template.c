/* SPDX-License-Identifier: Apache-2.0 */
/* See template.h. */
#include "cli/template.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FIELD_MAX = 128 };

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* Reads ".Field" or "json .Field" between the braces; `end` points to the closing ones. */
static int read_action(const char *p, const char *end, bool *ret_is_json, char path[static FIELD_MAX])
{
	p = skip_blanks(p);
	bool is_json = !strncmp(p, "json", 4) && (p[4] == ' ' || p[4] == '\t');
	if (is_json)
		p = skip_blanks(p + 4);
	if (*p++ != '.')
		return -EINVAL;
	size_t len = strcspn(p, " \t}");
	if (len >= FIELD_MAX || skip_blanks(p + len) != end)
		return -EINVAL;
	memcpy(path, p, len);
	path[len] = '\0';
	*ret_is_json = is_json;
	return 0;
}

static int expand_action(const char **at, template_field_fn *field, void *ctx, struct str *out, struct err *e)
{
	const char *start = *at, *end = strstr(start, "}}");
	char path[FIELD_MAX];
	bool is_json;

	if (!end)
		return err_new(e, EINVAL, "format: \"{{\" without \"}}\"");
	end = end[2] == '}' ? end + 1 : end;
	if (read_action(start + 2, end, &is_json, path) < 0)
		return err_new(e, EINVAL, "format: %.*s: only {{.Field}} and {{json .Field}} are understood",
			       (int)(end + 2 - start), start);
	*at = end + 2;
	int r = field(ctx, path, is_json, out);
	if (r == -ENOENT)
		return err_new(e, EINVAL, "format: no field .%s", path);
	return r < 0 ? err_ret(e, r, "format: .%s", path) : 0;
}

int template_expand(const char *format, template_field_fn *field, void *ctx, struct str *out, struct err *e)
{
	const char *p = format;

	if (!strncmp(p, "table ", 6))
		p += 6;
	while (*p) {
		if (p[0] == '{' && p[1] == '{') {
			int r = expand_action(&p, field, ctx, out, e);
			if (r < 0)
				return r;
		} else if (p[0] == '\\' && (p[1] == 't' || p[1] == 'n')) {
			str_puts(out, p[1] == 't' ? "\t" : "\n");
			p += 2;
		} else {
			str_add(out, p++, 1);
		}
	}
	str_puts(out, "\n");
	return 0;
}
