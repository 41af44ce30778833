/* SPDX-License-Identifier: Apache-2.0 */
/* The words of `kist system`: what the store takes, which kist-image finds out, and what can go. */
#include "cli/words.h"

/* prune is kist's own: in kist-image, which has these rows for df, it is NULL. */
#pragma weak cmd_system_prune

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
		"share counts once. RECLAIMABLE is what goes with \"kist system prune -a --volumes\"; SAVED is what images "
		"would take more if they did not share layers, and layers files.",
	WORDS_EXAMPLES(df_examples),
};

#define P struct system_prune_options
static const struct opt prune_opts[] = {
	{ OPT_FLAG_AT(P, all), .name = "all", .letter = 'a',
	  .help = "images that have names too, if no container is made from them" },
	{ OPT_FLAG_AT(P, force), .name = "force", .letter = 'f', .help = "do not ask at a terminal" },
	{ OPT_FLAG_AT(P, volumes), .name = "volumes", .help = "named volumes, too, if no container has them" },
};

static const struct command_example prune_examples[] = {
	{ "kist system prune", "remove stopped containers, and images that lost their name" },
	{ "kist system prune -af --volumes", "leave only what running containers need; do not ask" },
};

static const struct command_text prune_text = {
	.usage = "[OPTIONS]",
	.about =
		"Removes all containers that do not run; then images without names, and all blobs and layers that neither an "
		"image nor a container needs. Prints what went, and what the disk got back.",
	WORDS_EXAMPLES(prune_examples),
};

static const struct command commands[] = {
	{ "df", "", FACE_KIST, STATUS_PLAIN, 0, 0, .is_forwarded = true, WORDS_OPTS(df_opts),
	  .summary = "print what the store takes of the disk", .text = &df_text },
	{ "prune", "", FACE_KIST, STATUS_PLAIN, 0, 0, WORDS_OPTS(prune_opts), .run = cmd_system_prune,
	  .summary = "remove stopped containers and what nothing needs", .text = &prune_text },
};
/* clang-format on */

const struct page words_system = {
	.name = "system", .group = "system", .title = "The store",
	.commands = commands, .count = ARRAY_LEN(commands),
};
