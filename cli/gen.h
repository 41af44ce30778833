/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers of man pages and completions share. Callers: cli/gen*.c, which run at build time only. */
#pragma once
#include <stdio.h>
#include "cli/words.h"

/* A line of a template that stands for a table: "@NAME@". */
struct gen_slot {
	const char *name;
	void (*put)(FILE *to);
};

/*
 * Copies the template file to `to` with its slots filled; rows end with a NULL name. Tells of failures
 * itself.
 */
int gen_fill(const char *template, const struct gen_slot *slots, FILE *to);

/*
 * Calls `put` for each command with its full name ("run", "image ls"), and again with its alias where it has
 * one.
 */
typedef void gen_command_fn(FILE *to, const struct page *page, const struct command *c, const char *name);
void gen_commands(FILE *to, gen_command_fn *put);

/* "--long -l", with `letter` only where the option has one. */
void gen_spelling(FILE *to, const struct opt *o);
