/* SPDX-License-Identifier: Apache-2.0 */
/* kist mounts add, kist mounts remove: mounts of a running container. */
#include "cli/cmd.h"
#include "runtime/live.h"
#include "runtime/state.h"
#include "util/fd.h"

int cmd_mounts_add(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	fd_auto int root = state_open_root(cli->global->root, true, e);

	(void)options, (void)argc;
	return root < 0 ? root : container_mounts_add(root, argv[0], argv[1], e);
}

int cmd_mounts_remove(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	fd_auto int root = state_open_root(cli->global->root, true, e);

	(void)options, (void)argc;
	return root < 0 ? root : container_mounts_remove(root, argv[0], argv[1], e);
}
