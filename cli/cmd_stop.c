/* SPDX-License-Identifier: Apache-2.0 */
/* kist stop: signal, grace, kill. Says which of the two ended the container. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "engine/verbs.h"
#include "util/log.h"

/* One line each on standard error: the reason is news, and killed more than ended. */
static void report(const char *name, const struct stop_report *r)
{
	switch (r->outcome) {
	case STOP_ALREADY:
		log_info("%s: had already stopped", name);
		break;
	case STOP_BY_SIGNAL:
		fprintf(stderr, "%s: ended by %s\n", name, r->signal);
		break;
	case STOP_BY_KILL:
		fprintf(stderr, "%s: killed after %" PRId64 " s\n", name, (r->grace_ms + 500) / 1000);
		break;
	}
}

int cmd_stop(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct stop_options *o = options;
	const struct engine g = { .state_root = cli->global->root, .store = cli->global->store };
	const struct opt_i64 timeout = { .has = o->timeout_ms.is_set, .v = o->timeout_ms.value };
	int failed = 0;

	for (int i = 0; i < argc; i++) {
		struct stop_report said = { 0 };
		struct err one = { 0 };
		int r = engine_stop(&g, argv[i], o->signal, timeout, &said, &one);
		if (r < 0 && argc == 1) {
			*e = one;
			return r;
		}
		if (r < 0) {
			log_error("%s", one.text);
			failed = 1;
			continue;
		}
		report(argv[i], &said);
		if (puts(argv[i]) == EOF || fflush(stdout) == EOF)
			return err_sys(e, "standard output");
	}
	return failed;
}
