/* SPDX-License-Identifier: Apache-2.0 */
/* kist image: becomes kist-image, the program that moves bytes, or kist-registry, with the words as they were typed. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/words.h"
#include "util/helper.h"
#include "runtime/rootless.h"
#include "util/mem.h"

/* These look at the user's own files only, names, documents and blobs among them; layers belong to subordinate ids. */
static bool is_own(const char *verb)
{
	static const char *const verbs[] = { "ls", "list", "exists", "inspect", "history", "save", "verify", "login", "logout" };

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(verb, verbs[i]))
			return true;
	return false;
}

/* As kist-image knows it: `kist system df` is its verb system-df. */
static char *verb_of(const struct command *c)
{
	const struct page *page = words_page_of(c);

	return page == &words_image || !*page->group ? mem_str(c->name) : mem_fmt("%s-%s", page->group, c->name);
}

int cmd_image(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const char *name = cli->command->is_remote ? "kist-registry" : "kist-image";
	free_auto char *program = helper_find(name, e);
	size_t n = 0;

	(void)options;
	if (!program)
		return -ENOENT;
	int r = is_own(cli->command->name) ? 0 : rootless_enter(NULL, e);
	if (r < 0)
		return err_at(e, r, "image %s", cli->command->name);
	char **words = mem_zero((size_t)argc + 5, sizeof(*words));
	words[n++] = mem_str(name);
	words[n++] = mem_str("--store");
	words[n++] = mem_str(cli->global->store);
	words[n++] = verb_of(cli->command);
	for (int i = 0; i < argc; i++)
		words[n++] = argv[i];
	execv(program, words);
	r = err_sys(e, "%s", program);
	free(words);
	return r;
}
