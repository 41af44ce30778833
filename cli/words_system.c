/* SPDX-License-Identifier: Apache-2.0 */
/* The words of `kist system`, which kist-image does: what the store takes, and what can go. */
#include "cli/words.h"

/* clang-format off */
#define D struct system_df_options
static const struct opt df_opts[] = {
	{ OPT_FLAG_AT(D, verbose), .name = "verbose", .letter = 'v',
	  .help = "list each image, container and volume" },
	{ OPT_STR_AT(D, format), .name = "format", .letter = 'f', .arg = "FORMAT",
	  .help = "table (default), json (one array), or a template such as '{{.Type}} {{.Size}}'" },
};

static const struct command_example df_examples[] = {
	{ "kist system df", "what images, containers and volumes take of the disk" },
	{ "kist system df -v", "each of them" },
};

static const struct command_text df_text = {
	.usage = "[OPTIONS]",
	.about =
		"Prints what images, containers and volumes take of the disk, as du(1) counts it: what several images "
		"share counts once. RECLAIMABLE is what goes with \"kist image prune -a\", the removal of containers "
		"that do not run, and of volumes that no container has; SAVED is what images would take more if they "
		"did not share layers, and layers files.",
	WORDS_EXAMPLES(df_examples),
};

static const struct command commands[] = {
	{ "df", "", FACE_KIST, STATUS_PLAIN, 0, 0, .is_forwarded = true, WORDS_OPTS(df_opts),
	  .summary = "print what the store takes of the disk", .text = &df_text },
};
/* clang-format on */

const struct page words_system = {
	.name = "system", .group = "system", .title = "The store",
	.commands = commands, .count = ARRAY_LEN(commands),
};
