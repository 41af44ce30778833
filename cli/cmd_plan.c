/* SPDX-License-Identifier: Apache-2.0 */
/* kist plan: what run would do with the same words, as JSON. Changes nothing. */
#include <errno.h>
#include <unistd.h>

#include "cli/run_words.h"
#include "util/fd.h"

enum { PLAN_MAX = 64 << 20 };

int cmd_plan(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	struct run_options o = *(const struct run_options *)options;
	struct arena arena_auto a = { 0 };
	str_auto struct str out = STR_MAX(PLAN_MAX);
	struct run_request rq;

	if (o.oci.bundle && argc == 0 && !o.name)
		o.name = "new";
	int r = run_words(cli, &o, argc, argv, &a, &rq, e);
	if (r == 0)
		r = run_plan(&rq, &out, e);
	if (r < 0)
		return r;
	if (out.len && out.p[out.len - 1] != '\n')
		str_puts(&out, "\n");
	r = fd_write_all(STDOUT_FILENO, out.p, out.len);
	return r < 0 ? err_ret(e, r, "standard output") : 0;
}
