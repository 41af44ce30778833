/* SPDX-License-Identifier: Apache-2.0 */
/* kist rm: takes containers away with their layer and logs. With -f, what is not there is success. */
#include <stdio.h>

#include "cli/cmd.h"
#include "engine/verbs.h"
#include "runtime/rootless.h"
#include "util/log.h"

int cmd_rm(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct rm_options *o = options;
	const struct engine g = { .state_root = cli->global->root, .store = cli->global->store };
	int failed = 0;
	int r = rootless_enter(NULL, e);

	if (r < 0)
		return r;
	for (int i = 0; i < argc; i++) {
		struct err one = { 0 };
		r = engine_remove(&g, argv[i], o->force, &one);
		if (r < 0 && argc == 1) {
			*e = one;
			return r;
		}
		if (r < 0) {
			log_error("%s", one.text);
			failed = 1;
			continue;
		}
		if (puts(argv[i]) == EOF || fflush(stdout) == EOF)
			return err_sys(e, "standard output");
	}
	return failed;
}
