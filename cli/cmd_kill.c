/* SPDX-License-Identifier: Apache-2.0 */
/* kist kill: `kill ID [SIGNAL]` as runc has it, `kill -s SIGNAL ID...` as Docker has it. */
#include <signal.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "runtime/control.h"
#include "util/fd.h"

struct kill {
	int root, sig;
	bool all;
};

static int kill_one(void *ctx, const char *id, struct err *e)
{
	const struct kill *k = ctx;

	return container_kill(k->root, id, k->sig, k->all, e);
}

int cmd_kill(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct kill_options *o = options;
	const char *word = o->signal ? o->signal : argc > 1 ? argv[1] : "TERM";

	if (!o->signal && argc > 2)
		return cmd_usage(e, "expected ID [SIGNAL], or -s SIGNAL ID...");
	/* 0 asks whether there is anything to signal. kill(2). */
	int sig = strcmp(word, "0") ? signal_number(word, e) : 0;
	fd_auto int root = sig < 0 ? -1 : state_open_root(cli->global->root, true, e);
	if (sig < 0 || root < 0)
		return sig < 0 ? sig : root;
	struct kill k = { .root = root, .sig = sig, .all = o->all };
	int r = 0;
	for (int i = 0; i < (o->signal ? argc : 1) && r == 0; i++)
		r = o->regex ? cmd_each_match(root, argv[i], kill_one, &k, e) : kill_one(&k, argv[i], e);
	return r;
}
