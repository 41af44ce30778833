/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Help made from the tables of cli/words.h: whole on standard output, short on standard error. Caller: main,
 * cmd_help.
 */
#pragma once
#include "cli/words.h"

/* Prints the list of commands, or of one group's. */
void help_overview(enum face face);
void help_page(const struct page *page);

/* Prints one command: usage, summary, options, examples. */
void help_command(enum face face, const struct command *c);

/* Prints the usage lines of one command to standard error. */
void help_usage(const struct command *c);

/* The headings of enum opt_section. */
extern const char *const help_sections[OPT_SECTIONS];

/* What the exit statuses of a rule mean; rows end with a NULL text. */
struct help_status {
	const char *number;
	const char *text;
};
const struct help_status *help_statuses(enum status_rule rule);
