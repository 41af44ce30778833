/* SPDX-License-Identifier: Apache-2.0 */
/* The pages in the order of the help, the global options, and the look-up of commands. */
#include "cli/words.h"

#include <string.h>

#include "util/jx.h"
#include "util/mem.h"

enum { NEAR_MAX = 63 };

#define G struct global_options

const struct opt words_global[] = {
	{ OPT_STR_AT(G, root), .name = "root", .arg = "DIR",
	  .help = "state of containers (default $KIST_ROOT, /run/kist or $XDG_RUNTIME_DIR/kist)" },
	{ OPT_STR_AT(G, store), .name = "store", .arg = "DIR",
	  .help = "images and containers (default $KIST_STORE, /var/lib/kist or $XDG_DATA_HOME/kist)" },
	{ OPT_STR_AT(G, log), .name = "log", .arg = "FILE",
	  .help = "write warnings to FILE, and errors there too; file:FILE, syslog:TAG and journald:TAG say where" },
	{ OPT_WORD_AT(G, log_format), .name = "log-format", .arg = "text|json",
	  .help = "lines of the log file; json holds the error of a command and nothing else" },
	{ OPT_WORD_AT(G, log_level), .name = "log-level", .arg = "error|warning|info|debug",
	  .help = "most detailed messages that are shown (default warning)" },
	{ OPT_FLAG_AT(G, debug), .name = "debug", .help = "the same as --log-level debug" },
	{ OPT_WORD_AT(G, rootless), .name = "rootless", .arg = "auto|true|false",
	  .help = "auto (default): a user other than root gets a user namespace; true: besides, root too may go without a "
		  "cgroup; false: none is made" },
	{ OPT_WORD_AT(G, cgroup_manager), .name = "cgroup-manager", .arg = "cgroupfs|systemd|disabled",
	  .help = "who makes the container's cgroup: kist (default), systemd (a scope), or nobody" },
	{ OPT_FLAG_AT(G, systemd_cgroup), .name = "systemd-cgroup",
	  .help = "the same as --cgroup-manager systemd" },
	{ OPT_FLAG_AT(G, version), .name = "version", .letter = 'v', .help = "print the version" },
	{ OPT_FLAG_AT(G, help), .name = "help", .letter = 'h', .help = "print the list of commands" },
};
const size_t words_global_count = ARRAY_LEN(words_global);

/* run is first, since it is looked up most in haste. */
const struct page *const words_pages[] = {
	&words_run, &words_life, &words_limits, &words_freeze, &words_logs, &words_image,
	&words_registry, &words_system, &words_mounts, &words_files, &words_spec, &words_about,
};
const size_t words_page_count = ARRAY_LEN(words_pages);

static const struct command *find_in(const struct page *page, enum face face, const char *word)
{
	for (const struct command *c = page->commands; c < page->commands + page->count; c++)
		if ((c->faces & face) && !strcmp(c->name, word))
			return c;
	return NULL;
}

static const struct command *find_alias(const struct page *page, enum face face, const char *word)
{
	for (const struct command *c = page->commands; c < page->commands + page->count; c++)
		if ((c->faces & face) && c->alias[0] && !strcmp(c->alias, word))
			return c;
	return NULL;
}

const struct command *words_find(enum face face, int argc, char **argv, int *ret_taken,
				 const struct page **ret_page)
{
	*ret_page = NULL;
	*ret_taken = 1;
	for (size_t i = 0; i < words_page_count; i++) {
		const struct page *page = words_pages[i];
		const struct command *c;
		if (!page->group[0]) {
			c = find_in(page, face, argv[0]);
		} else if (strcmp(page->group, argv[0]) != 0) {
			c = find_alias(page, face, argv[0]);
		} else {
			*ret_page = page;
			*ret_taken = argc > 1 ? 2 : 1;
			return argc > 1 ? find_in(page, face, argv[1]) : NULL;
		}
		if (c)
			return c;
	}
	return NULL;
}

const char *words_nearest(enum face face, const struct page *only, const char *word)
{
	struct jx_word known[NEAR_MAX + 1] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < words_page_count; i++) {
		const struct page *page = words_pages[i];
		if (only ? page != only : page->group[0] != '\0')
			continue;
		for (const struct command *c = page->commands; c < page->commands + page->count; c++)
			if ((c->faces & face) && n < NEAR_MAX)
				known[n++].name = c->name;
	}
	return jx_nearest(known, word);
}

const struct page *words_page_of(const struct command *c)
{
	for (size_t i = 0; i < words_page_count; i++) {
		const struct page *page = words_pages[i];
		if (c >= page->commands && c < page->commands + page->count)
			return page;
	}
	return NULL;
}
