/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share: see cmd.h. */
#include "cli/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <string.h>

int cmd_usage(struct err *e, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	int r = err_new(e, EINVAL, "%s", text);
	e->exit = CMD_EXIT_USAGE;
	return r;
}

bool cmd_is_cgroup_disabled(const struct cli *cli)
{
	const char *manager = cli->global->cgroup_manager;

	return manager && !strcmp(manager, "disabled");
}
