/* SPDX-License-Identifier: Apache-2.0 */
/* kist delete: takes away what a stopped container holds; --force ends it first and takes "not there" for done. */
#include <errno.h>

#include "cli/cmd.h"
#include "runtime/control.h"
#include "util/fd.h"

struct delete {
	int root;
	bool force;
};

static int delete_one(void *ctx, const char *id, struct err *e)
{
	const struct delete *d = ctx;

	return container_delete(d->root, id, d->force, e);
}

int cmd_delete(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct delete_options *o = options;
	fd_auto int root = state_open_root(cli->global->root, true, e);

	if (root < 0)
		return root;
	struct delete d = { .root = root, .force = o->force };
	int r = 0;
	for (int i = 0; i < argc && r == 0; i++)
		r = o->regex ? cmd_each_match(root, argv[i], delete_one, &d, e) : delete_one(&d, argv[i], e);
	return r;
}
