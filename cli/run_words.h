/* SPDX-License-Identifier: Apache-2.0 */
/* From the options and words of run and plan to the engine's request. Callers: cmd_run, cmd_plan. */
#pragma once
#include "cli/cmd.h"
#include "engine/run.h"
#include "util/arena.h"

/* Borrows all strings; lists live in the arena. */
int run_words(const struct cli *cli, const struct run_options *o, int argc, char **argv, struct arena *a,
	      struct run_request *ret, struct err *e);

/* An option's list as the engine takes it. Borrowed. */
struct strs words_strs(const struct opt_list *list);
