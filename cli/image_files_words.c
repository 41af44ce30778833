/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words that kist itself gives to kist-image for commit, diff and export (cli/cmd_files.c) and for system prune
 * (cli/cmd_prune.c): no user types them, so neither help nor man pages have them.
 */
#include "cli/words.h"

/* clang-format off */
#define T struct files_options
static const struct opt files_opts[] = {
	{ OPT_COUNT_AT(T, upper), .name = "upper", .arg = "FD", .help = "what the container has changed" },
	{ OPT_COUNT_AT(T, lower), .name = "lower", .arg = "FD", .help = "its image's tree" },
	{ OPT_COUNT_AT(T, view), .name = "view", .arg = "FD", .help = "its whole tree" },
	{ OPT_LIST_AT(T, mounts), .name = "mount", .arg = "PATH", .help = "where something is mounted in it" },
	{ OPT_FLAG_AT(T, live), .name = "live", .help = "its processes run" },
	{ OPT_STR_AT(T, digest), .name = "digest", .arg = "DIGEST", .help = "its image" },
	{ OPT_STR_AT(T, created_by), .name = "created-by", .arg = "TEXT", .help = "its program" },
	{ OPT_STR_AT(T, author), .name = "author", .arg = "TEXT", .help = "as with commit" },
	{ OPT_STR_AT(T, message), .name = "message", .arg = "TEXT", .help = "as with commit" },
	{ OPT_LIST_AT(T, changes), .name = "change", .arg = "LINE", .help = "as with commit" },
	{ OPT_STR_AT(T, iidfile), .name = "iidfile", .arg = "FILE", .help = "as with commit" },
	{ OPT_FLAG_AT(T, quiet), .name = "quiet", .help = "as with commit" },
	{ OPT_STR_AT(T, format), .name = "format", .arg = "FORMAT", .help = "as with diff" },
	{ OPT_STR_AT(T, output), .name = "output", .arg = "FILE", .help = "as with export" },
};

static const struct command_text text = {
	.usage = "OPTIONS [NAME]",
	.about = "Does the work of kist commit, diff and export.",
};

#define P struct prune_rest_options
static const struct opt prune_opts[] = {
	{ OPT_FLAG_AT(P, all), .name = "all", .help = "as with system prune" },
	{ OPT_FLAG_AT(P, volumes), .name = "volumes", .help = "as with system prune" },
	{ OPT_COUNT_AT(P, freed), .name = "freed", .arg = "BYTES", .help = "what the disk has got back already" },
};

static const struct command_text prune_text = {
	.usage = "OPTIONS",
	.about = "Does the work of kist system prune, when stopped containers are gone.",
};

static const struct command commands[] = {
	{ "file-commit", "", FACE_KIST, STATUS_PLAIN, 0, 1, WORDS_OPTS(files_opts), .summary = "commit", .text = &text },
	{ "file-diff", "", FACE_KIST, STATUS_PLAIN, 0, 0, WORDS_OPTS(files_opts), .summary = "diff", .text = &text },
	{ "prune-rest", "", FACE_KIST, STATUS_PLAIN, 0, 0, WORDS_OPTS(prune_opts), .summary = "prune", .text = &prune_text },
	{ "file-export", "", FACE_KIST, STATUS_PLAIN, 0, 0, WORDS_OPTS(files_opts), .summary = "export", .text = &text },
};
/* clang-format on */

const struct page words_files_work = {
	.name = "files-work", .title = "A container's files, for kist",
	.commands = commands, .count = ARRAY_LEN(commands),
};
