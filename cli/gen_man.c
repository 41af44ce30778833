/* SPDX-License-Identifier: Apache-2.0 */
/* See gen_man.h. Sources: man(7), man-pages(7). */
#include "cli/gen_man.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/gen.h"
#include "cli/help.h"

enum { NAME_MAX_BYTES = 32, PATH_MAX_BYTES = 4096 };

/* ---- roff ---- */

/* Text as roff wants it: hyphens that can be copied, no accidental requests at the beginning of a line. */
static void put_text(FILE *to, const char *text, size_t len)
{
	bool is_start = true;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (is_start && (c == '.' || c == '\''))
			fputs("\\&", to);
		if (c == '\\')
			fputs("\\e", to);
		else if (c == '-')
			fputs("\\-", to);
		else if (c == '\'')
			fputs("\\(aq", to);
		else if (c == '\n')
			fputs(text[i + 1] == '\n' ? "\n.PP" : "\n", to);
		else
			fputc(c, to);
		is_start = c == '\n';
	}
}

static void put(FILE *to, const char *text)
{
	put_text(to, text, strlen(text));
}

static void put_title(FILE *to, const char *name)
{
	fprintf(to, ".TH %s 1 \"\" \"kist %s\" \"kist\"\n", name, KIST_VERSION);
}

static void put_begin(FILE *to, const char *name, const char *what)
{
	fputs(".\\\" SPDX-License-Identifier: Apache-2.0\n"
	      ".\\\" Made by kist-gen from the tables of cli/words*.c.\n", to);
	put_title(to, name);
	fputs(".SH NAME\n", to);
	put(to, name);
	fputs(" \\- ", to);
	put(to, what);
	fputs("\n", to);
}

/* ---- options ---- */

static void put_option(FILE *to, const struct opt *o)
{
	fputs(".TP\n", to);
	if (o->letter)
		fprintf(to, "\\fB\\-%c\\fR, ", o->letter);
	fputs("\\fB\\-\\-", to);
	put(to, o->name);
	fputs("\\fR", to);
	if (o->arg) {
		fputs(" \\fI", to);
		put(to, o->arg);
		fputs("\\fR", to);
	}
	fputs("\n", to);
	put(to, o->help);
	fputs("\n", to);
}

static void put_options(FILE *to, const struct opt *rows, size_t count)
{
	for (int section = 0; section < OPT_SECTIONS; section++) {
		bool is_open = false;
		for (const struct opt *o = rows; o < rows + count; o++) {
			if (o->section != section)
				continue;
			if (!is_open)
				fprintf(to, ".PP\n\\fI%s\\fR\n", help_sections[section]);
			is_open = true;
			put_option(to, o);
		}
	}
}

/* ---- commands ---- */

static void put_synopsis(FILE *to, const struct page *page, const struct command *c)
{
	const char *line = c->text->usage;

	do {
		size_t len = strcspn(line, "\n");
		fprintf(to, ".PP\n.B kist %s%s%s\n", page->group, page->group[0] ? " " : "", c->name);
		put_text(to, line, len);
		fputs(len ? "\n" : "", to);
		line += len + (line[len] == '\n');
	} while (*line);
}

static void put_command(FILE *to, const struct page *page, const struct command *c)
{
	fprintf(to, ".SS kist %s%s%s\n", page->group, page->group[0] ? " " : "", c->name);
	if (c->alias[0])
		fprintf(to, "In short: \\fBkist %s\\fR.\n.PP\n", c->alias);
	put(to, c->text->about);
	fputs("\n", to);
	if (c->opts == words_run_opts && page != &words_run) {
		fputs(".PP\nOptions: those of \\fBkist run\\fR, see \\fBkist\\-run\\fR(1).\n", to);
		return;
	}
	put_options(to, c->opts, c->opt_count);
}

static void put_examples(FILE *to, const struct page *page)
{
	fputs(".SH EXAMPLES\n", to);
	for (const struct command *c = page->commands; c < page->commands + page->count; c++)
		for (size_t i = 0; i < c->text->example_count; i++) {
			fputs(".TP\n.B ", to);
			put(to, c->text->examples[i].line);
			fputs("\n", to);
			put(to, c->text->examples[i].what);
			fputs("\n", to);
		}
}

static void put_statuses(FILE *to, const struct page *page)
{
	fputs(".SH EXIT STATUS\n", to);
	for (int rule = STATUS_PLAIN; rule <= STATUS_EXEC; rule++) {
		bool is_open = false;
		for (const struct command *c = page->commands; c < page->commands + page->count; c++) {
			if (c->status != rule)
				continue;
			fprintf(to, "%s%s", is_open ? ", " : ".PP\n", c->name);
			is_open = true;
		}
		if (!is_open)
			continue;
		fputs(":\n", to);
		for (const struct help_status *s = help_statuses((enum status_rule)rule); s->text; s++) {
			fprintf(to, ".TP\n.B %s\n", s->number);
			put(to, s->text);
			fputs("\n", to);
		}
	}
}

static void put_see_also(FILE *to, const struct page *except)
{
	if (except)
		fputs(".BR kist (1)", to);
	for (size_t i = 0; i < words_page_count; i++)
		if (words_pages[i] != except && words_pages[i]->name[0])
			fprintf(to, "%s.BR kist\\-%s (1)", i || except ? ",\n" : "", words_pages[i]->name);
	fputs("\n", to);
}

static void put_page(FILE *to, const struct page *page)
{
	char name[NAME_MAX_BYTES];

	snprintf(name, sizeof(name), "kist-%s", page->name);
	put_begin(to, name, page->title);
	fputs(".SH SYNOPSIS\n", to);
	for (const struct command *c = page->commands; c < page->commands + page->count; c++)
		put_synopsis(to, page, c);
	fputs(".SH COMMANDS\n", to);
	for (const struct command *c = page->commands; c < page->commands + page->count; c++)
		put_command(to, page, c);
	put_statuses(to, page);
	put_examples(to, page);
	fputs(".SH SEE ALSO\n", to);
	put_see_also(to, page);
}

/* ---- kist(1) ---- */

static void slot_title(FILE *to)
{
	put_title(to, "kist");
}

static void slot_commands(FILE *to)
{
	for (size_t i = 0; i < words_page_count; i++) {
		const struct page *page = words_pages[i];
		fprintf(to, ".SS %s", page->title);
		if (page->name[0])
			fprintf(to, ": kist\\-%s(1)", page->name);
		fputs("\n", to);
		for (const struct command *c = page->commands; c < page->commands + page->count; c++) {
			fprintf(to, ".TP\n.B %s%s%s\n", page->group, page->group[0] ? " " : "", c->name);
			put(to, c->summary);
			fputs("\n", to);
		}
	}
}

static void slot_global(FILE *to)
{
	for (size_t i = 0; i < words_global_count; i++)
		put_option(to, &words_global[i]);
}

static void slot_see_also(FILE *to)
{
	put_see_also(to, NULL);
}

static const struct gen_slot overview[] = {
	{ "TITLE", slot_title },
	{ "COMMANDS", slot_commands },
	{ "GLOBAL", slot_global },
	{ "SEEALSO", slot_see_also },
	{ NULL, NULL },
};

static int write_page(const char *dir, const struct page *page)
{
	char path[PATH_MAX_BYTES];
	bool is_page = page->name[0] != 0;

	snprintf(path, sizeof(path), "%s/kist%s%s.1", dir, is_page ? "-" : "", is_page ? page->name : "");
	FILE *to = fopen(path, "we");
	if (!to) {
		fprintf(stderr, "kist-gen: %s: %s\n", path, strerror(errno));
		return -1;
	}
	int r = 0;
	if (is_page)
		put_page(to, page);
	else
		r = gen_fill("man/kist.1.in", overview, to);
	return fclose(to) == EOF ? -1 : r;
}

int gen_man(const char *dir)
{
	for (size_t i = 0; i < words_page_count; i++)
		if (write_page(dir, words_pages[i]) < 0)
			return -1;
	return 0;
}
