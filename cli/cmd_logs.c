/* SPDX-License-Identifier: Apache-2.0 */
/* kist logs: what a detached container wrote. */
#include <errno.h>
#include <time.h>

#include "cli/cmd.h"
#include "cli/opt.h"
#include "engine/logread.h"
#include "image/store.h"
#include "util/clock.h"

enum { MS_PER_S = 1000 };

/* A moment, or how long ago. */
static int since_of(const char *text, struct timespec *ret, struct err *e)
{
	int64_t ms;

	if (clock_parse(text, ret) == 0)
		return 0;
	if (opt_duration(text, &ms) < 0 || ms < 0)
		return cmd_usage(e, "--since %s: expected a time such as 2026-11-22T08:15:30Z, or how long ago, such as "
				 "10m", text);
	clock_gettime(CLOCK_REALTIME, ret);
	ret->tv_sec -= ms / MS_PER_S;
	return 0;
}

int cmd_logs(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct logs_options *o = options;
	struct store s store_auto = STORE_NONE;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct logread_options lo = {
		.is_follow = o->follow, .is_timed = o->timestamps, .tail = o->tail.is_set ? o->tail.value : -1,
	};
	int r = o->since ? since_of(o->since, &lo.since, e) : 0;

	(void)argc;
	if (r == 0)
		r = store_open(cli->global->store, false, &s, e);
	if (r == 0)
		r = record_open(&s, argv[0], &d, e);
	return r < 0 ? r : logread(&d, &lo, e);
}
