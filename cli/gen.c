/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist-gen: writes man pages and shell completions from the tables of cli/words.h and the templates in man/
 * and completions/, so that they cannot drift. A tool of the build, run at the top of the source tree, never
 * installed. Usage: kist-gen man DIR | bash | zsh | fish
 */
#include "cli/gen.h"

#include <errno.h>
#include <string.h>

#include "cli/gen_man.h"
#include "cli/gen_shell.h"

enum { LINE_MAX_BYTES = 1024 };

static const struct gen_slot *find_slot(const struct gen_slot *slots, const char *line)
{
	size_t len = strlen(line);

	if (len < 4 || line[0] != '@' || line[len - 2] != '@')
		return NULL;
	for (; slots->name; slots++)
		if (strlen(slots->name) == len - 3 && !memcmp(line + 1, slots->name, len - 3))
			return slots;
	return NULL;
}

int gen_fill(const char *template, const struct gen_slot *slots, FILE *to)
{
	char line[LINE_MAX_BYTES];
	FILE *from = fopen(template, "re");

	if (!from) {
		fprintf(stderr, "kist-gen: %s: %s\n", template, strerror(errno));
		return -1;
	}
	while (fgets(line, sizeof(line), from)) {
		const struct gen_slot *slot = find_slot(slots, line);
		if (slot)
			slot->put(to);
		else
			fputs(line, to);
	}
	fclose(from);
	return 0;
}

void gen_commands(FILE *to, gen_command_fn *put)
{
	for (size_t i = 0; i < words_page_count; i++) {
		const struct page *page = words_pages[i];
		for (const struct command *c = page->commands; c < page->commands + page->count; c++) {
			char name[sizeof(page->group) + sizeof(c->name) + 1];
			snprintf(name, sizeof(name), "%s%s%s", page->group, *page->group ? " " : "", c->name);
			put(to, page, c, name);
			if (c->alias[0])
				put(to, page, c, c->alias);
		}
	}
}

void gen_spelling(FILE *to, const struct opt *o)
{
	fprintf(to, "--%s", o->name);
	if (o->letter)
		fprintf(to, " -%c", o->letter);
}

int main(int argc, char **argv)
{
	int r = -1;

	if (argc == 3 && !strcmp(argv[1], "man"))
		r = gen_man(argv[2]);
	else if (argc == 2)
		r = gen_shell(argv[1], stdout);
	if (r == -EINVAL || argc < 2)
		fputs("usage: kist-gen man DIR | bash | zsh | fish\n", stderr);
	return r < 0 || fflush(stdout) == EOF;
}
