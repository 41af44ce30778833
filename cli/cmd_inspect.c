/* SPDX-License-Identifier: Apache-2.0 */
/* kist inspect: containers as one JSON array, or by a template. */
#include "cli/cmd.h"
#include "cli/out.h"
#include "engine/list.h"

int cmd_inspect(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct inspect_options *o = options;
	const struct engine g = { .state_root = cli->global->root, .store = cli->global->store };
	json_t *array = json_array();
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++) {
		json_t *one = NULL;
		r = engine_inspect(&g, argv[i], &one, e);
		if (r == 0)
			json_array_append_new(array, one);
	}
	if (r == 0)
		r = out_objects(array, o->format, e);
	json_decref(array);
	return r;
}
