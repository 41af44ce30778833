/* SPDX-License-Identifier: Apache-2.0 */
/* See gen_shell.h. Names of containers and images are asked of kist itself at completion. */
#include "cli/gen_shell.h"

#include <errno.h>
#include <string.h>

#include "cli/gen.h"

enum { CONDITION_MAX = 96 };

/* What a command's words are. */
static const char *words_kind(const struct page *page, const struct command *c)
{
	const char *usage = c->text->usage;

	if (page == &words_image)
		return strstr(usage, "IMAGE") ? "image" : c->max_words ? "file" : "none";
	if (strstr(usage, "] IMAGE"))
		return "image";
	return strstr(usage, "ID") ? "id" : "none";
}

/* What an option's value is: a file, a directory, one of some words, or anything. */
static const char *value_kind(const struct opt *o)
{
	bool is_inside = !strcmp(o->name, "workdir") || !strcmp(o->name, "cwd");

	if (!o->arg)
		return "flag";
	if (o->kind == OPT_WORD)
		return o->arg;
	if (!strcmp(o->arg, "DIR") && !is_inside)
		return "dir";
	return !strcmp(o->arg, "FILE") || !strcmp(o->arg, "PATH") ? "file" : "any";
}

static void put_words(FILE *to, const char *words)
{
	for (; *words; words++)
		fputc(*words == '|' ? ' ' : *words, to);
}

/* ---- bash: rows for the tables in the template ---- */

static void bash_rows(FILE *to, const char *command, const struct opt *rows, size_t count)
{
	for (const struct opt *o = rows; o < rows + count; o++) {
		fprintf(to, "%s;", command);
		gen_spelling(to, o);
		fprintf(to, ";%s\n", value_kind(o));
	}
}

static void bash_command_options(FILE *to, const struct page *page, const struct command *c, const char *name)
{
	(void)page;
	bash_rows(to, name, c->opts, c->opt_count);
}

static void bash_options(FILE *to)
{
	bash_rows(to, "", words_global, words_global_count);
	gen_commands(to, bash_command_options);
}

static void bash_command(FILE *to, const struct page *page, const struct command *c, const char *name)
{
	fprintf(to, "%s;%s\n", name, words_kind(page, c));
}

static void bash_commands(FILE *to)
{
	gen_commands(to, bash_command);
}

/* ---- zsh: arguments of _arguments and _describe ---- */

static const struct zsh_action {
	const char *kind, *action;
} zsh_actions[] = {
	{ "dir", "_files -/" },
	{ "file", "_files" },
	{ "any", " " },
	{ "none", " " },
	{ "id", "_kist_ids" },
	{ "image", "_kist_images" },
};

static const char *zsh_action(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(zsh_actions); i++)
		if (!strcmp(zsh_actions[i].kind, kind))
			return zsh_actions[i].action;
	return NULL;
}

/* Text within single quotes, where _arguments reads brackets and colons. */
static void zsh_quoted(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", to);
		else if (strchr("[]:\\", *text))
			fprintf(to, "\\%c", *text);
		else
			fputc(*text, to);
	}
}

static void zsh_value(FILE *to, const struct opt *o)
{
	const char *kind = value_kind(o), *action = zsh_action(kind);

	if (!o->arg)
		return;
	fputs(":", to);
	zsh_quoted(to, o->kind == OPT_WORD ? o->name : o->arg);
	if (action) {
		fprintf(to, ":%s", action);
		return;
	}
	fputs(":(", to);
	put_words(to, kind);
	fputs(")", to);
}

static void zsh_rows(FILE *to, const struct opt *rows, size_t count)
{
	for (const struct opt *o = rows; o < rows + count; o++) {
		for (int is_letter = 0; is_letter <= (o->letter ? 1 : 0); is_letter++) {
			fprintf(to, "\t\t'%s", o->kind == OPT_LIST ? "*" : "");
			if (is_letter)
				fprintf(to, "-%c", o->letter);
			else
				fprintf(to, "--%s%s", o->name, o->arg ? "=" : "");
			fputs("[", to);
			zsh_quoted(to, o->help);
			fputs("]", to);
			zsh_value(to, o);
			fputs("' \\\n", to);
		}
	}
}

static void zsh_global(FILE *to)
{
	zsh_rows(to, words_global, words_global_count);
}

static void zsh_case(FILE *to, const struct page *page, const struct command *c, const char *name)
{
	fprintf(to, "\t'%s')\n\t\t_arguments -s -S \\\n", name);
	zsh_rows(to, c->opts, c->opt_count);
	fprintf(to, "\t\t'*:word:%s' ;;\n", zsh_action(words_kind(page, c)));
}

static void zsh_options(FILE *to)
{
	gen_commands(to, zsh_case);
}

static void zsh_describe(FILE *to, const char *name, const char *summary)
{
	fprintf(to, "\t\t'%s:", name);
	zsh_quoted(to, summary);
	fputs("'\n", to);
}

static void zsh_command(FILE *to, const struct page *page, const struct command *c, const char *name)
{
	(void)page;
	if (!strchr(name, ' '))
		zsh_describe(to, name, c->summary);
}

static void zsh_commands(FILE *to)
{
	gen_commands(to, zsh_command);
}

static void zsh_image(FILE *to)
{
	for (size_t i = 0; i < words_image.count; i++)
		zsh_describe(to, words_image.commands[i].name, words_image.commands[i].summary);
}

/* ---- fish: calls of complete ---- */

static void fish_quoted(FILE *to, const char *text)
{
	fputc('\'', to);
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', to);
		fputc(*text, to);
	}
	fputs("'\n", to);
}

static void fish_option(FILE *to, const char *condition, const struct opt *o)
{
	const char *kind = value_kind(o);

	fprintf(to, "complete -c kist -n '%s' -l %s", condition, o->name);
	if (o->letter)
		fprintf(to, " -s %c", o->letter);
	if (!strcmp(kind, "file")) {
		fputs(" -r -F", to);
	} else if (!strcmp(kind, "dir")) {
		fputs(" -x -a '(__fish_complete_directories)'", to);
	} else if (o->kind == OPT_WORD) {
		fputs(" -x -a '", to);
		put_words(to, kind);
		fputs("'", to);
	} else if (o->arg) {
		fputs(" -x", to);
	}
	fputs(" -d ", to);
	fish_quoted(to, o->help);
}

static void fish_global(FILE *to)
{
	for (size_t i = 0; i < words_global_count; i++)
		fish_option(to, "__kist_at", &words_global[i]);
}

static void fish_valued(FILE *to)
{
	fputs("set -g __kist_valued", to);
	for (size_t i = 0; i < words_global_count; i++)
		if (words_global[i].arg)
			fprintf(to, " --%s", words_global[i].name);
	fputs("\n", to);
}

static void fish_words(FILE *to, const char *condition, const char *kind)
{
	if (!strcmp(kind, "id"))
		fprintf(to, "complete -c kist -n '%s' -a '(kist ps -a -q 2>/dev/null)'\n", condition);
	else if (!strcmp(kind, "image"))
		fprintf(to, "complete -c kist -n '%s' -a "
			"'(kist image ls --format \"{{.Repository}}:{{.Tag}}\" 2>/dev/null)'\n", condition);
	else if (!strcmp(kind, "file"))
		fprintf(to, "complete -c kist -n '%s' -F\n", condition);
}

static void fish_command(FILE *to, const struct page *page, const struct command *c, const char *name)
{
	char condition[CONDITION_MAX];
	bool is_grouped = strchr(name, ' ') != NULL;

	snprintf(condition, sizeof(condition), "__kist_in %s", name);
	fprintf(to, "complete -c kist -n '__kist_at%s%s' -a %s -d ", is_grouped ? " " : "",
		is_grouped ? page->group : "", is_grouped ? c->name : name);
	fish_quoted(to, c->summary);
	for (size_t i = 0; i < c->opt_count; i++)
		fish_option(to, condition, &c->opts[i]);
	fish_words(to, condition, words_kind(page, c));
}

static void fish_commands(FILE *to)
{
	gen_commands(to, fish_command);
}

/* ---- the shells ---- */

static const struct gen_slot bash_slots[] = {
	{ "OPTIONS", bash_options }, { "COMMANDS", bash_commands }, { NULL, NULL },
};

static const struct gen_slot zsh_slots[] = {
	{ "OPTIONS", zsh_options }, { "COMMANDS", zsh_commands }, { "IMAGE", zsh_image },
	{ "GLOBAL", zsh_global }, { NULL, NULL },
};

static const struct gen_slot fish_slots[] = {
	{ "VALUED", fish_valued }, { "GLOBAL", fish_global }, { "COMMANDS", fish_commands }, { NULL, NULL },
};

static const struct shell {
	const char *name, *template;
	const struct gen_slot *slots;
} shells[] = {
	{ "bash", "completions/kist.bash.in", bash_slots },
	{ "zsh", "completions/kist.zsh.in", zsh_slots },
	{ "fish", "completions/kist.fish.in", fish_slots },
};

int gen_shell(const char *shell, FILE *to)
{
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (!strcmp(shells[i].name, shell))
			return gen_fill(shells[i].template, shells[i].slots, to);
	return -EINVAL;
}
