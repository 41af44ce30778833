/* SPDX-License-Identifier: Apache-2.0 */
/* kist state: the state document of the runtime-spec. */
#include <stdio.h>

#include "cli/cmd.h"
#include "runtime/control.h"
#include "util/fd.h"

int cmd_state(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	fd_auto int root = state_open_root(cli->global->root, true, e);
	struct state s state_done_auto = { 0 };
	enum state_status status;

	(void)options, (void)argc;
	int r = root < 0 ? root : container_state(root, argv[0], &s, &status, e);
	if (r < 0)
		return r;
	str_auto struct str text = STR_MAX(JX_BYTES_MAX);
	state_print(&text, &s, status, 2);
	if (puts(text.p) == EOF || fflush(stdout) == EOF)
		return err_sys(e, "standard output");
	return 0;
}
