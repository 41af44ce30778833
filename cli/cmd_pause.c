/* SPDX-License-Identifier: Apache-2.0 */
/* kist pause, kist resume: freeze and thaw all processes of containers. */
#include "cli/cmd.h"
#include "runtime/control.h"
#include "util/fd.h"

static int each(const struct cli *cli, int argc, char **argv, int (*act)(int, const char *, struct err *), struct err *e)
{
	fd_auto int root = state_open_root(cli->global->root, true, e);
	int r = root < 0 ? root : 0;

	for (int i = 0; i < argc && r == 0; i++)
		r = act(root, argv[i], e);
	return r;
}

int cmd_pause(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	(void)options;
	return each(cli, argc, argv, container_pause, e);
}

int cmd_resume(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	(void)options;
	return each(cli, argc, argv, container_resume, e);
}
