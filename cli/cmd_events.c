/* SPDX-License-Identifier: Apache-2.0 */
/* kist events: counters and memory kills of one container as JSON lines, as runc prints them. */
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/events_json.h"
#include "runtime/state.h"
#include "util/fd.h"

enum { LINE_MAX_BYTES = 1 << 20, INTERVAL_MS = 5000 };

static int print(void *ctx, const struct event *ev, struct err *e)
{
	str_auto struct str line = STR_MAX(LINE_MAX_BYTES);

	(void)ctx;
	events_json(&line, ev);
	return fputs(line.p, stdout) == EOF || fflush(stdout) == EOF ? err_sys(e, "standard output") : 0;
}

int cmd_events(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct events_options *o = options;
	int64_t interval_ms = o->interval_ms.is_set ? o->interval_ms.value : INTERVAL_MS;

	(void)argc;
	if (interval_ms <= 0)
		return cmd_usage(e, "--interval: expected a duration above 0");
	fd_auto int root = state_open_root(cli->global->root, true, e);
	return root < 0 ? root : container_events(root, argv[0], o->stats ? 0 : interval_ms, print, NULL, e);
}
