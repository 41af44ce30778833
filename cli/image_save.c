/* SPDX-License-Identifier: Apache-2.0 */
/* kist image save. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/image_cmd.h"
#include "image/save.h"
#include "util/mem.h"

/* By the words of --format, in image_words.c. */
static const struct {
	const char *word;
	enum save_format format;
	bool is_dir;
} formats[] = {
	{ "docker-archive", SAVE_DOCKER_ARCHIVE, false },
	{ "oci-archive", SAVE_OCI_ARCHIVE, false },
	{ "oci-dir", SAVE_OCI_DIR, true },
	{ "docker-dir", SAVE_DOCKER_DIR, true },
};

int image_cmd_save(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_save_options *o = &options->save;
	size_t at = 0;
	while (o->format && strcmp(formats[at].word, o->format) != 0)
		at++;
	bool is_stdout = !o->output || strcmp(o->output, "-") == 0;
	if (is_stdout && formats[at].is_dir)
		return err_new(e, EINVAL, "save: format %s: needs -o DIR", formats[at].word);
	if (is_stdout && isatty(STDOUT_FILENO))
		return err_new(e, EINVAL, "save: no archive is written to a terminal: use -o FILE, or a pipe");
	const struct save_request request = {
		.format = formats[at].format,
		.path = o->output,
		.words = (const char *const *)argv,
		.count = (size_t)argc,
		.leaves_signatures = o->remove_signatures,
		.style = progress_style(o->quiet, false),
	};
	int r = image_save(s, &request, e);
	if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG)
		return err_at(e, r, "save: %s", is_stdout ? "standard output" : o->output);
	return r < 0 ? err_at(e, r, "save") : 0;
}
