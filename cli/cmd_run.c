/* SPDX-License-Identifier: Apache-2.0 */
/* kist run: an image, a --config file or a bundle, in the foreground or with a keeper. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/run_words.h"

/* Docker's words for a mistake that scripts make: a terminal for a program whose input is a pipe. */
static int check_terminal(const struct run_options *o, struct err *e)
{
	if (o->tty == OPT_YES && o->interactive && !o->detach && !isatty(STDIN_FILENO))
		return err_new(e, ENOTTY, "the input device is not a TTY: -t with -i needs a terminal as standard input");
	return 0;
}

static int print_name(const char *name, struct err *e)
{
	return puts(name) == EOF || fflush(stdout) == EOF ? err_sys(e, "standard output") : 0;
}

int cmd_run(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct run_options *o = options;
	struct arena arena_auto a = { 0 };
	struct run_request rq;
	char name[RUN_NAME_MAX];
	int status = 0;
	int r = run_words(cli, o, argc, argv, &a, &rq, e);

	if (r == 0)
		r = check_terminal(o, e);
	if (r < 0)
		return r;
	r = rq.bundle ? run_bundle(&rq, &status, e) : run_container(&rq, name, &status, e);
	if (r < 0)
		return r;
	if (rq.is_detached && !rq.is_oci)
		r = print_name(rq.bundle ? rq.name : name, e);
	return r < 0 ? r : status;
}
