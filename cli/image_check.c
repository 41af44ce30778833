/* SPDX-License-Identifier: Apache-2.0 */
/* kist image check: one line on standard output for each thing that is wrong; what was done about it follows. */
#include <errno.h>
#include <stdio.h>

#include "cli/image_cmd.h"
#include "image/repair.h"

static void on_told(void *ctx, bool is_wrong, const char *line)
{
	(void)ctx;
	(void)is_wrong;
	puts(line);
}

/* What is still wrong is found out by looking again. */
static int mend(const struct store *s, const struct check_request *request, const struct check_result *found,
		size_t *ret_left, struct err *e)
{
	check_auto struct check_result left = { .n = 0 };
	const struct repair_request repair = { .told = on_told };
	int r = repair_run(s, found, &repair, e);
	if (r == 0 && found->n)
		r = check_run(s, request, &left, e);
	*ret_left = left.n;
	return r;
}

int image_cmd_check(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_check_options *o = &options->check;
	check_auto struct check_result result = { .n = 0 };
	const struct check_request request = {
		.is_quick = o->quick, .images = (const char *const *)argv, .image_count = (size_t)argc,
	};
	int r = check_run(s, &request, &result, e);
	if (r < 0)
		return r;
	size_t wrong = result.n;
	for (size_t i = 0; i < result.n; i++)
		puts(result.lines[i]);
	if (o->repair && (r = mend(s, &request, &result, &wrong, e)) < 0)
		return r;
	if (!o->quiet)
		fprintf(stderr, "%zu blobs and %zu layers checked, %zu wrong\n", result.blobs, result.layers, result.n);
	return wrong ? err_new(e, EBADMSG, o->repair ? "store %s: not all could be repaired" :
						      "store %s: is not what it says",
			       s->path) : 0;
}
