/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist prune, which removes stopped containers, and kist system prune, which removes images and volumes besides: for
 * these it becomes kist-image. Sources: docker-system-prune(1), podman-system-prune(1).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "engine/prune.h"
#include "runtime/rootless.h"
#include "util/helper.h"
#include "util/mem.h"

/* Somebody at a terminal is asked, as docker and podman do it; a script is not. */
static int ask(const char *what, struct err *e)
{
	char answer[8] = "";

	if (!isatty(STDIN_FILENO))
		return 0;
	fprintf(stderr, "WARNING! This will remove:\n%sAre you sure you want to continue? [y/N] ", what);
	if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
		return 0;
	return err_new(e, ECANCELED, "prune: nothing was removed");
}

struct listing {
	const char *title; /* comes before the first name; NULL: none */
	struct err *e;
};

static int print_name(void *ctx, const char *name)
{
	struct listing *l = ctx;

	if (l->title)
		puts(l->title);
	l->title = NULL;
	return puts(name) == EOF || fflush(stdout) == EOF ? err_sys(l->e, "standard output") : 0;
}

static int prune_containers(const struct cli *cli, struct listing *l, uint64_t *ret_bytes, struct err *e)
{
	const struct engine g = { .state_root = cli->global->root, .store = cli->global->store };

	l->e = e;
	return engine_prune(&g, print_name, l, ret_bytes, e);
}

int cmd_prune(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct prune_options *o = options;
	struct arena arena_auto a = { 0 };
	struct listing l = { 0 };
	uint64_t bytes;
	int r = o->force ? 0 : ask("  - all containers that do not run\n", e);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = rootless_enter(NULL, e);
	if (r == 0)
		r = prune_containers(cli, &l, &bytes, e);
	if (r == 0 &&
	    (printf("Total reclaimed space: %s\n", out_size(&a, (int64_t)bytes)) < 0 || fflush(stdout) == EOF))
		r = err_sys(e, "standard output");
	return r;
}

/* kist-image does the rest. */
static int become(const char *program, const char *store, const struct system_prune_options *o, uint64_t bytes,
		  struct err *e)
{
	char *words[9] = { mem_str("kist-image"), mem_str("--store"), mem_str(store), mem_str("prune-rest"),
			   mem_fmt("--freed=%llu", (unsigned long long)bytes) };
	size_t n = 5;

	if (o->all)
		words[n++] = mem_str("--all");
	if (o->volumes)
		words[n++] = mem_str("--volumes");
	execv(program, words);
	int r = err_sys(e, "%s", program);
	while (n)
		free(words[--n]);
	return r;
}

int cmd_system_prune(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct system_prune_options *o = options;
	struct listing l = { .title = "Deleted Containers:" };
	char what[160];
	uint64_t bytes;

	(void)argc;
	(void)argv;
	snprintf(what, sizeof(what), "  - all containers that do not run\n  - all images without a %s\n%s",
		 o->all ? "container" : "name", o->volumes ? "  - all volumes that no container has\n" : "");
	int r = o->force ? 0 : ask(what, e);
	free_auto char *program = r == 0 ? helper_find("kist-image", e) : NULL;
	if (!program)
		return r < 0 ? r : -ENOENT;
	r = rootless_enter(NULL, e);
	if (r == 0)
		r = prune_containers(cli, &l, &bytes, e);
	if (r == 0 && !l.title && (putchar('\n') == EOF || fflush(stdout) == EOF))
		r = err_sys(e, "standard output");
	if (r < 0)
		return r;
	return become(program, cli->global->store, o, bytes, e);
}
