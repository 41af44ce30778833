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

enum cgroup_manager cmd_cgroup_manager(const struct cli *cli)
{
	const char *manager = cli->global->cgroup_manager;

	if (cli->global->systemd_cgroup || (manager && !strcmp(manager, "systemd")))
		return CGROUP_BY_SYSTEMD;
	return manager && !strcmp(manager, "disabled") ? CGROUP_BY_NOBODY : CGROUP_BY_US;
}
