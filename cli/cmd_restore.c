/* SPDX-License-Identifier: Apache-2.0 */
/* kist restore: a container out of the files of checkpoint; from a bundle as runc has it, or by its record. */
#include <errno.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/freeze_words.h"
#include "engine/record.h"
#include "engine/run.h"

static int restore_bundle(const struct cli *cli, const struct restore_options *o, const char *id,
			  const struct criu_options *c, struct err *e)
{
	const struct run_request rq = {
		.state_root = cli->global->root,
		.store = cli->global->store,
		.name = id,
		.bundle = o->bundle ? o->bundle : ".",
		.is_detached = o->detach,
		.is_input = !o->detach,
		.is_oci = true,
		.console_socket = o->console_socket,
		.pid_file = o->pid_file,
		.cgroup_manager = cmd_cgroup_manager(cli),
		.restore = c,
	};
	int status = 0;
	int r = run_bundle(&rq, &status, e);

	return r < 0 ? r : status;
}

/* Whether kist run has made it, so that there is a record. */
static bool is_recorded(const char *store, const char *name)
{
	struct store s store_auto = STORE_NONE;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct err ignored;

	return store_open(store, false, &s, &ignored) == 0 && record_open(&s, name, &d, &ignored) == 0;
}

int cmd_restore(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct restore_options *o = options;
	struct criu_options c = freeze_words(&o->image);
	int status = 0;

	(void)argc;
	if (o->no_pivot)
		return cmd_usage(e, "--no-pivot cannot be honoured: criu enters the root by pivot_root");
	c.tcp_close = o->tcp_close;
	c.lsm_profile = o->lsm_profile;
	c.lsm_mount_context = o->lsm_mount_context;
	if (cli->face == FACE_OCI || o->bundle || !is_recorded(cli->global->store, argv[0]))
		return restore_bundle(cli, o, argv[0], &c, e);
	if (o->console_socket || o->pid_file)
		return cmd_usage(e, "--console-socket and --pid-file go with a bundle: %s has a record of kist run",
				 argv[0]);
	int r = run_again(cli->global->root, cli->global->store, argv[0], false, &c, &status, e);
	if (r < 0)
		return r;
	return puts(argv[0]) == EOF || fflush(stdout) == EOF ? err_sys(e, "standard output") : status;
}
