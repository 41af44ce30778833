/* SPDX-License-Identifier: Apache-2.0 */
/* kist help [COMMAND]: what --help prints. */
#include <errno.h>

#include "cli/help.h"

int cmd_help(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct page *page;
	int taken;

	(void)options;
	if (!argc) {
		help_overview(cli->face);
		return 0;
	}
	const struct command *c = words_find(cli->face, argc, argv, &taken, &page);
	if (c)
		help_command(cli->face, c);
	else if (page && argc == 1)
		help_page(page);
	else
		return cmd_usage(e, "unknown command %s", argv[taken - 1]);
	return 0;
}
