/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist-image, the program that moves bytes: kist executes it as `kist-image --store DIR VERB ARG...` for the
 * verbs of `kist image`. It lives in libexec, links what kist does not (zstd, ISA-L, libcrypto), and prints
 * its own errors.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cli/image_cmd.h"
#include "cli/words.h"
#include "util/log.h"

static const struct {
	const char *name;
	image_verb_fn *run;
	bool is_reading; /* does not make a store that is not there */
} verbs[] = {
	{ "load", image_cmd_load, false },      { "import", image_cmd_import, false },
	{ "unpack", image_cmd_unpack, false },  { "ls", image_cmd_ls, true },
	{ "inspect", image_cmd_inspect, true }, { "rm", image_cmd_rm, true },
	{ "prune", image_cmd_prune, true },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < words_image.count; i++)
		if (strcmp(words_image.commands[i].name, name) == 0)
			return &words_image.commands[i];
	return NULL;
}

/*
 * Layers hold whatever modes they say; deep trees need many descriptors; a closed pipe is an error like
 * others.
 */
static void prepare_process(void)
{
	struct rlimit files;
	umask(0);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int usage(const struct command *c, const struct err *e)
{
	log_error("%s", e->text);
	if (c)
		fprintf(stderr, "usage: kist image %s %s\n", c->name, c->text->usage);
	return 2;
}

static int run(const struct command *c, size_t verb, const char *path, int argc, char **argv)
{
	struct err e = { .num = 0 };
	union image_options options;
	memset(&options, 0, sizeof(options));
	const struct opt_set set = { .rows = c->opts, .count = c->opt_count };
	int words = opt_parse(&set, &options, argc, argv, &e);
	if (words == -ECANCELED) {
		printf("usage: kist image %s %s\n\n%s\n", c->name, c->text->usage, c->text->about);
		return 0;
	}
	if (words >= 0 && (words < c->min_words || (c->max_words != WORDS_ANY && words > c->max_words)))
		words = err_new(&e, EINVAL, "%s: %s", c->name,
				words < c->min_words ? "too few arguments" : "too many arguments");
	if (words < 0)
		return usage(c, &e);
	argv[words] = NULL;
	store_auto struct store s = STORE_NONE;
	int r = store_open(path, !verbs[verb].is_reading, &s, &e);
	if (r == 0)
		r = verbs[verb].run(&s, &options, words, argv, &e);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = err_sys(&e, "standard output");
	if (r < 0)
		log_error("%s", e.text);
	return r < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct err e = { .num = 0 };
	const char *store = "/var/lib/kist";
	int at = 1;
	if (at + 1 < argc && strcmp(argv[at], "--store") == 0) {
		store = argv[at + 1];
		at += 2;
	}
	if (at >= argc) {
		err_new(&e, EINVAL, "usage: kist-image [--store DIR] VERB [ARG...]");
		return usage(NULL, &e);
	}
	prepare_process();
	const struct command *c = find_command(argv[at]);
	for (size_t i = 0; c && i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, c->name) == 0)
			return run(c, i, store, argc - at - 1, argv + at + 1);
	err_new(&e, EINVAL, "unknown command image %s", argv[at]);
	return usage(NULL, &e);
}
