/* SPDX-License-Identifier: Apache-2.0 */
/* kist wait: one exit status per line, in the order of the words. */
#include <stdio.h>

#include "cli/cmd.h"
#include "engine/verbs.h"

int cmd_wait(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct wait_options *o = options;
	const struct engine g = { .state_root = cli->global->root, .store = cli->global->store };
	int status = 0;

	for (int i = 0; i < argc; i++) {
		int r = engine_wait(&g, argv[i], &status, e);
		if (r < 0)
			return r;
		if (printf("%d\n", status) < 0 || fflush(stdout) == EOF)
			return err_sys(e, "standard output");
	}
	return o->exit ? status : 0;
}
