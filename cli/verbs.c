/* SPDX-License-Identifier: Apache-2.0 */
/* See verbs.h. */
#include "cli/verbs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cli/words.h"
#include "util/log.h"
#include "util/outfile.h"

/* The pages whose verbs helpers do. */
static const struct page *const pages[] = { &words_image, &words_system, &words_registry, &words_files_work };

/* A helper's verb is the command's own name; of a group other than `image`, the group's word comes first. */
static bool is_named(const struct page *page, const struct command *c, const char *verb)
{
	size_t len = strlen(page->group);
	if (page == &words_image || !*page->group)
		return strcmp(c->name, verb) == 0;
	return strncmp(verb, page->group, len) == 0 && verb[len] == '-' && strcmp(c->name, verb + len + 1) == 0;
}

static const struct command *find_command(const char *name, const struct page **ret_page)
{
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		for (size_t j = 0; j < pages[i]->count; j++)
			if (is_named(pages[i], &pages[i]->commands[j], name)) {
				*ret_page = pages[i];
				return &pages[i]->commands[j];
			}
	return NULL;
}

/*
 * Layers hold whatever modes they say; deep trees need many descriptors; a closed pipe is an error like
 * others.
 */
static void prepare_process(void)
{
	struct rlimit files;
	outfile_mask(umask(0));
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static void print_usage(FILE *to, const struct page *page, const struct command *c)
{
	fprintf(to, "usage: kist %s%s%s %s\n", page->group, *page->group ? " " : "", c->name, c->text->usage);
}

static int usage(const struct page *page, const struct command *c, const struct err *e)
{
	log_error("%s", e->text);
	if (c && page)
		print_usage(stderr, page, c);
	return 2;
}

static int run_verb(const struct page *page, const struct command *c, const struct verb *verb, const char *path,
		    const union image_options *options, int words, char **argv)
{
	struct err e = { .num = 0 };
	store_auto struct store s = STORE_NONE;
	int r = 0;
	if (verb->store != VERB_WITHOUT_STORE)
		r = store_open(path, verb->store == VERB_MAKES_STORE, &s, &e);
	if (r == 0)
		r = verb->run(&s, options, words, argv, &e);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = err_sys(&e, "standard output");
	if (r < 0 && e.exit == CMD_EXIT_USAGE)
		return usage(page, c, &e);
	if (r < 0 && e.text[0])
		log_error("%s", e.text);
	return r < 0 ? (e.exit ? e.exit : 1) : 0;
}

static int run(const struct page *page, const struct command *c, const struct verb *verb, const char *path, int argc,
	       char **argv)
{
	struct err e = { .num = 0 };
	union image_options options;
	memset(&options, 0, sizeof(options));
	const struct opt_set set = { .rows = c->opts, .count = c->opt_count };
	int words = opt_parse(&set, &options, argc, argv, &e);
	if (words == -ECANCELED) {
		print_usage(stdout, page, c);
		printf("\n%s\n", c->text->about);
		return 0;
	}
	if (words >= 0 && (words < c->min_words || (c->max_words != WORDS_ANY && words > c->max_words)))
		words = err_new(&e, EINVAL, "%s: %s", c->name,
				words < c->min_words ? "too few arguments" : "too many arguments");
	if (words < 0)
		return usage(page, c, &e);
	argv[words] = NULL;
	return run_verb(page, c, verb, path, &options, words, argv);
}

int verbs_main(const char *program, const struct verb *verbs, size_t count, int argc, char **argv)
{
	struct err e = { .num = 0 };
	const struct page *page = NULL;
	const char *store = "/var/lib/kist";
	int at = 1;
	if (at + 1 < argc && strcmp(argv[at], "--store") == 0) {
		store = argv[at + 1];
		at += 2;
	}
	if (at >= argc) {
		err_new(&e, EINVAL, "usage: %s [--store DIR] VERB [ARG...]", program);
		return usage(NULL, NULL, &e);
	}
	prepare_process();
	const struct command *c = find_command(argv[at], &page);
	for (size_t i = 0; c && i < count; i++)
		if (strcmp(verbs[i].name, argv[at]) == 0)
			return run(page, c, &verbs[i], store, argc - at - 1, argv + at + 1);
	err_new(&e, EINVAL, "%s: unknown command %s", program, argv[at]);
	return usage(NULL, NULL, &e);
}
