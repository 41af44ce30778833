/* SPDX-License-Identifier: Apache-2.0 */
/* kist delete: takes away what a stopped container holds; --force ends it first and takes "not there" for done. */
#include <errno.h>

#include "cli/cmd.h"
#include "runtime/control.h"
#include "util/fd.h"

int cmd_delete(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct delete_options *o = options;
	fd_auto int root = state_open_root(cli->global->root, true, e);

	if (root < 0)
		return root;
	int r = 0;
	for (int i = 0; i < argc && r == 0; i++)
		r = container_delete(root, argv[i], o->force, e);
	return r;
}
