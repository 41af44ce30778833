/* SPDX-License-Identifier: Apache-2.0 */
/* The words of commands that look into containers. */
#include "cli/words.h"

/* clang-format off */
#define L struct logs_options
static const struct opt logs_opts[] = {
	{ OPT_FLAG_AT(L, follow), .name = "follow", .letter = 'f',
	  .help = "go on until the container has stopped" },
	{ OPT_INT_AT(L, tail), .name = "tail", .letter = 'n', .arg = "N",
	  .help = "only the last N lines; -1: all" },
	{ OPT_STR_AT(L, since), .name = "since", .arg = "TIME",
	  .help = "only lines from TIME on: RFC 3339, or how long ago, such as 10m" },
	{ OPT_FLAG_AT(L, timestamps), .name = "timestamps", .letter = 't',
	  .help = "begin each line with its time" },
};

static const struct command_example logs_examples[] = {
	{ "kist logs -f --tail 20 web1", "the last lines, and what follows" },
	{ "kist logs --since 1h -t web1", "the last hour, with times" },
};

static const struct command_text logs_text = {
	.usage = "[OPTIONS] ID",
	.about =
		"Prints what a detached container wrote: its standard output to standard output, its "
		"standard error to standard error. The file has the log format of the Kubernetes CRI and "
		"is rotated by size.",
	WORDS_EXAMPLES(logs_examples),
};

#define I struct inspect_options
static const struct opt inspect_opts[] = {
	{ OPT_STR_AT(I, format), .name = "format", .letter = 'f', .arg = "FORMAT",
	  .help = "json (default), or a template such as '{{.State.Pid}}'" },
};

static const struct command_example inspect_examples[] = {
	{ "kist inspect web1", "all that kist knows of a container, as JSON" },
	{ "kist inspect -f '{{.State.ExitCode}}' job1", "one field" },
};

static const struct command_text inspect_text = {
	.usage = "[OPTIONS] ID...\n[OPTIONS] IMAGE...",
	.about =
		"Prints containers as one JSON array, or a template's fields, one line per container. Where the first word "
		"is no container but an image, all are images, as for kist image inspect.",
	WORDS_EXAMPLES(inspect_examples),
};

static const struct command commands[] = {
	{ "logs", "", FACE_KIST, STATUS_PLAIN, 1, 1, WORDS_OPTS(logs_opts), .run = cmd_logs,
	  .summary = "print what a detached container wrote", .text = &logs_text },
	{ "inspect", "", FACE_KIST, STATUS_PLAIN, 1, WORDS_ANY, WORDS_OPTS(inspect_opts), .run = cmd_inspect,
	  .summary = "print what kist knows of containers, or images", .text = &inspect_text },
};
/* clang-format on */

const struct page words_logs = {
	.name = "logs", .title = "Look into containers",
	.commands = commands, .count = ARRAY_LEN(commands),
};
