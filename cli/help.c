/* SPDX-License-Identifier: Apache-2.0 */
/* See help.h. */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "util/mem.h"

enum { HELP_COLUMN = 34, HELP_BYTES_MAX = 64 << 10, HELP_WIDTH = 100 };

const char *const help_sections[OPT_SECTIONS] = {
	[OPT_MAIN] = "Options",
	[OPT_RESOURCES] = "Resources",
	[OPT_SECURITY] = "Security",
	[OPT_LOGGING] = "Logs",
	[OPT_PULLING] = "The pull of an image",
	[OPT_BUNDLE] = "OCI bundles",
};

static const struct help_status plain_statuses[] = {
	{ "0", "success" },
	{ "1", "a failure, told on standard error" },
	{ "2", "wrong usage" },
	{ NULL, NULL },
};

static const struct help_status program_statuses[] = {
	{ "N", "the program's own exit status" },
	{ "128+N", "the program was ended by signal N" },
	{ "125", "kist itself failed, or wrong usage (under kist oci: 1)" },
	{ "126", "the program was found but cannot be executed" },
	{ "127", "the program was not found" },
	{ NULL, NULL },
};

static const struct help_status exec_statuses[] = {
	{ "N", "the program's own exit status" },
	{ "128+N", "the program was ended by signal N" },
	{ "125", "kist itself failed, or wrong usage (under kist oci: 255)" },
	{ "126", "the program was found but cannot be executed" },
	{ "127", "the program was not found" },
	{ NULL, NULL },
};

static const struct help_status attach_statuses[] = {
	{ "0, 1, 2", "without -a: success, a failure, wrong usage" },
	{ "N, 128+N", "with -a: as the program ended" },
	{ "125, 126, 127", "with -a: kist failed, the program cannot be executed, or was not found" },
	{ NULL, NULL },
};

static const struct help_status *const statuses[] = {
	[STATUS_PLAIN] = plain_statuses,
	[STATUS_PROGRAM] = program_statuses,
	[STATUS_ATTACH] = attach_statuses,
	[STATUS_EXEC] = exec_statuses,
};

const struct help_status *help_statuses(enum status_rule rule)
{
	return statuses[rule];
}

/* ---- pieces ---- */

static void print(const struct str *text, FILE *to)
{
	if (text->p)
		fputs(text->p, to);
}

/* Adds words, broken into lines of HELP_WIDTH with `indent` spaces before each but the first. */
static void add_wrapped(struct str *out, const char *text, size_t indent)
{
	size_t room = HELP_WIDTH - indent, used = 0;

	while (*text) {
		size_t len = strcspn(text, " \n");
		if (used && used + 1 + len > room) {
			str_fmt(out, "\n%*s", (int)indent, "");
			used = 0;
		} else if (used) {
			str_puts(out, " ");
			used++;
		}
		str_add(out, text, len);
		used += len;
		text += len;
		if (text[0] == '\n' && text[1] == '\n') {
			str_fmt(out, "\n\n%*s", (int)indent, "");
			used = 0;
		}
		text += strspn(text, " \n");
	}
	str_puts(out, "\n");
}

static void add_option(struct str *out, const struct opt *o)
{
	str_auto struct str left = STR_MAX(256);

	if (o->letter)
		str_fmt(&left, "  -%c, --%s", o->letter, o->name);
	else
		str_fmt(&left, "      --%s", o->name);
	if (o->arg)
		str_fmt(&left, " %s", o->arg);
	if (left.len + 2 > HELP_COLUMN)
		str_fmt(out, "%s\n%*s", left.p, HELP_COLUMN, "");
	else
		str_fmt(out, "%-*s", HELP_COLUMN, left.p);
	add_wrapped(out, o->help, HELP_COLUMN);
}

static void add_options(struct str *out, enum face face, const struct opt *rows, size_t count)
{
	for (int section = 0; section < OPT_SECTIONS; section++) {
		bool is_open = false;
		for (const struct opt *o = rows; o < rows + count; o++) {
			if (o->section != section || (o->faces && !(o->faces & face)))
				continue;
			if (!is_open)
				str_fmt(out, "\n%s:\n", help_sections[section]);
			is_open = true;
			add_option(out, o);
		}
	}
}

static void add_usage(struct str *out, const struct command *c)
{
	const struct page *page = words_page_of(c);
	const char *line = c->text->usage;

	do {
		size_t len = strcspn(line, "\n");
		str_fmt(out, "%s kist %s%s%s%s%.*s\n", line == c->text->usage ? "Usage:" : "      ",
			page->group, *page->group ? " " : "", c->name, len ? " " : "", (int)len, line);
		line += len + (line[len] == '\n');
	} while (*line);
}

static void add_commands(struct str *out, enum face face, const struct page *page)
{
	bool is_open = false;

	for (const struct command *c = page->commands; c < page->commands + page->count; c++) {
		char name[sizeof(page->group) + sizeof(c->name) + 1];
		if (!(c->faces & face))
			continue;
		if (!is_open)
			str_fmt(out, "\n%s:\n", page->title);
		is_open = true;
		snprintf(name, sizeof(name), "%s%s%s", page->group, page->group[0] ? " " : "", c->name);
		str_fmt(out, "  %-16s %s", name, c->summary);
		if (c->alias[0])
			str_fmt(out, " (kist %s)", c->alias);
		str_puts(out, "\n");
	}
}

/* ---- whole ---- */

void help_overview(enum face face)
{
	str_auto struct str out = STR_MAX(HELP_BYTES_MAX);

	str_fmt(&out, "Usage: kist [GLOBAL-OPTIONS] %sCOMMAND [ARG...]\n", face == FACE_OCI ? "oci " : "");
	str_puts(&out, face == FACE_OCI ? "The command line of an OCI runtime, as runc has it.\n" :
		       "Runs containers without a daemon.\n");
	for (size_t i = 0; i < words_page_count; i++)
		if (face == FACE_KIST || !words_pages[i]->group[0])
			add_commands(&out, face, words_pages[i]);
	str_puts(&out, "\nGlobal options (before the command):\n");
	for (size_t i = 0; i < words_global_count; i++)
		add_option(&out, &words_global[i]);
	str_puts(&out, "\nkist COMMAND --help tells more of one command. kist oci COMMAND, or a call by the "
		       "name of runc, crun or\nkist-oci, has the meaning that callers of OCI runtimes "
		       "expect.\n");
	print(&out, stdout);
}

void help_page(const struct page *page)
{
	str_auto struct str out = STR_MAX(HELP_BYTES_MAX);

	str_fmt(&out, "Usage: kist %s COMMAND [ARG...]\n", page->group);
	add_commands(&out, FACE_KIST, page);
	print(&out, stdout);
}

void help_command(enum face face, const struct command *c)
{
	str_auto struct str out = STR_MAX(HELP_BYTES_MAX);

	add_usage(&out, c);
	str_puts(&out, "\n");
	add_wrapped(&out, c->text->about, 0);
	add_options(&out, face, c->opts, c->opt_count);
	if (c->text->example_count)
		str_puts(&out, "\nExamples:\n");
	for (size_t i = 0; i < c->text->example_count; i++)
		str_fmt(&out, "  %s\n      %s\n", c->text->examples[i].line, c->text->examples[i].what);
	str_puts(&out, "\nExit status:\n");
	for (const struct help_status *s = help_statuses(c->status); s->text; s++)
		str_fmt(&out, "  %-13s %s\n", s->number, s->text);
	print(&out, stdout);
}

void help_usage(const struct command *c)
{
	str_auto struct str out = STR_MAX(HELP_BYTES_MAX);

	add_usage(&out, c);
	print(&out, stderr);
}
