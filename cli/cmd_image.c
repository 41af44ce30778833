/* SPDX-License-Identifier: Apache-2.0 */
/* kist image: becomes kist-image, the program that moves bytes, with the words as they were typed. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/words.h"
#include "util/helper.h"
#include "util/mem.h"

int cmd_image(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	free_auto char *program = helper_find("kist-image", e);
	size_t n = 0;

	(void)options;
	if (!program)
		return -ENOENT;
	char **words = mem_zero((size_t)argc + 5, sizeof(*words));
	words[n++] = mem_str("kist-image");
	words[n++] = mem_str("--store");
	words[n++] = mem_str(cli->global->store);
	words[n++] = mem_str(cli->command->name);
	for (int i = 0; i < argc; i++)
		words[n++] = argv[i];
	execv(program, words);
	int r = err_sys(e, "%s", program);
	free(words);
	return r;
}
