/* SPDX-License-Identifier: Apache-2.0 */
/* kist image check: one line on standard output for each thing that is wrong; what was done about it follows. */
#include <errno.h>
#include <stdio.h>

#include "cli/image_cmd.h"
#include "image/repair.h"

static void on_told(void *ctx, bool is_wrong, const char *line)
{
	size_t *wrong = ctx;
	puts(line);
	*wrong += is_wrong;
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
	size_t wrong = o->repair ? 0 : result.n;
	const struct repair_request repair = { .told = on_told, .ctx = &wrong };
	for (size_t i = 0; i < result.n; i++)
		puts(result.lines[i]);
	if (o->repair && (r = repair_run(s, &result, &repair, e)) < 0)
		return r;
	if (!o->quiet)
		fprintf(stderr, "%zu blobs and %zu layers checked, %zu wrong\n", result.blobs, result.layers, result.n);
	return wrong ? err_new(e, EBADMSG, o->repair ? "store %s: not all could be repaired" :
						      "store %s: is not what it says",
			       s->path) : 0;
}
