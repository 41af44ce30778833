/* SPDX-License-Identifier: Apache-2.0 */
/* kist plan: what run would do with the same words, as JSON. Changes nothing. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/run_words.h"
#include "util/mem.h"

enum { PLAN_MAX = 64 << 20 };

/* One key per line, as a person reads it. */
static int print_lines(const struct str *text, struct err *e)
{
	json_error_t where;
	json_t *doc = json_loadb(text->p, text->len, JSON_ALLOW_NUL, &where);

	if (!doc)
		return err_new(e, EPROTO, "plan: %s", where.text);
	int r = json_dumpf(doc, stdout, JSON_INDENT(2));
	json_decref(doc);
	return r < 0 || putchar('\n') == EOF || fflush(stdout) == EOF ? err_sys(e, "standard output") : 0;
}

int cmd_plan(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	struct run_options o = *(const struct run_options *)options;
	struct arena arena_auto a = { 0 };
	str_auto struct str out = STR_MAX(PLAN_MAX);
	struct run_request rq;

	if (o.pull && (!strcmp(o.pull, "always") || !strcmp(o.pull, "newer")))
		return cmd_usage(e, "--pull: a plan is of what the store has (kist pull gets an image)");
	if (o.oci.bundle && argc == 0 && !o.name)
		o.name = "new";
	int r = run_words(cli, &o, argc, argv, &a, &rq, e);
	if (r == 0)
		r = run_plan(&rq, &out, e);
	return r < 0 ? r : print_lines(&out, e);
}
