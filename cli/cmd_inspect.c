/* SPDX-License-Identifier: Apache-2.0 */
/* kist inspect: containers as one JSON array, or by a template; images, where the first word is no container but one. */
#include <errno.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "engine/list.h"
#include "image/image.h"
#include "util/helper.h"

static bool is_image(const char *store, const char *word)
{
	store_auto struct store s = STORE_NONE;
	image_auto struct image im = { .name = NULL };
	struct err ignored = { 0 };

	return store_open(store, false, &s, &ignored) == 0 && image_open(&s, word, &im, &ignored) == 0;
}

/* As docker inspect does it; becomes kist-image, which knows images. */
static int inspect_images(const struct cli *cli, const char *format, int argc, char **argv, struct err *e)
{
	free_auto char *program = helper_find("kist-image", e);
	size_t n = 0;

	if (!program)
		return -ENOENT;
	char **words = mem_zero((size_t)argc + 8, sizeof(*words));
	words[n++] = mem_str("kist-image");
	words[n++] = mem_str("--store");
	words[n++] = mem_str(cli->global->store);
	words[n++] = mem_str("inspect");
	if (format)
		words[n++] = mem_fmt("--format=%s", format);
	words[n++] = mem_str("--");
	for (int i = 0; i < argc; i++)
		words[n++] = argv[i];
	execv(program, words);
	int r = err_sys(e, "%s", program);
	free(words);
	return r;
}

int cmd_inspect(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct inspect_options *o = options;
	const struct engine g = { .state_root = cli->global->root, .store = cli->global->store };
	json_t *array = json_array();
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++) {
		json_t *one = NULL;
		r = engine_inspect(&g, argv[i], &one, e);
		/* -EINVAL: no container can have such a name (it has a tag), but an image. */
		if ((r == -ENOENT || r == -EINVAL) && i == 0 && is_image(g.store, argv[0])) {
			json_decref(array);
			err_clear(e);
			return inspect_images(cli, o->format, argc, argv, e);
		}
		if (r == 0)
			json_array_append_new(array, one);
	}
	if (r == 0)
		r = out_objects(array, o->format, e);
	json_decref(array);
	return r;
}
