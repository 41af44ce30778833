/* SPDX-License-Identifier: Apache-2.0 */
/* kist kill: `kill ID [SIGNAL]` as runc has it, `kill -s SIGNAL ID...` as Docker has it. */
#include <signal.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "runtime/control.h"
#include "util/fd.h"

int cmd_kill(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct kill_options *o = options;
	const char *word = o->signal ? o->signal : argc > 1 ? argv[1] : "TERM";

	if (!o->signal && argc > 2)
		return cmd_usage(e, "expected ID [SIGNAL], or -s SIGNAL ID...");
	int sig = signal_number(word, e);
	fd_auto int root = sig < 0 ? -1 : state_open_root(cli->global->root, true, e);
	if (sig < 0 || root < 0)
		return sig < 0 ? sig : root;
	int r = 0;
	for (int i = 0; i < (o->signal ? argc : 1) && r == 0; i++)
		r = container_kill(root, argv[i], sig, o->all, e);
	return r;
}
