/* SPDX-License-Identifier: Apache-2.0 */
/* kist start: opens the gate of a created container, or runs a stopped one of the engine again. */
#include <errno.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "engine/run.h"
#include "runtime/control.h"
#include "util/fd.h"

/* Whether an OCI container by that name waits at its gate. */
static bool is_created(int root, const char *id)
{
	struct state state state_done_auto = { 0 };
	enum state_status status;
	struct err ignored;

	return container_state(root, id, &state, &status, &ignored) == 0 && status == STATUS_CREATED;
}

int cmd_start(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct start_options *o = options;
	fd_auto int root = state_open_root(cli->global->root, true, e);
	struct err again = { 0 };
	const char *notify = NULL;
	int status = 0;

	(void)argc;
	if (root < 0 || cmd_notify_socket(&notify, e) < 0)
		return root < 0 ? root : -EINVAL;
	/* A caller of the runtime alone has no store: see main. */
	if (cli->face == FACE_OCI || !*cli->global->store || is_created(root, argv[0]))
		return container_start(root, argv[0], notify, e);
	int r = run_again(cli->global->root, cli->global->store, argv[0], o->attach, NULL, &status, &again);
	if (r == -ENOENT && !again.exit)
		return container_start(root, argv[0], notify, e);
	if (r < 0) {
		*e = again;
		return r;
	}
	if (!o->attach && (puts(argv[0]) == EOF || fflush(stdout) == EOF))
		return err_sys(e, "standard output");
	return status;
}
