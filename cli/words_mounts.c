/* SPDX-License-Identifier: Apache-2.0 */
/* mounts add, mounts remove: the words of commands that change what a running container has mounted. */
#include "cli/words.h"

/* clang-format off */
static const struct command_example add_examples[] = {
	{ "kist mounts add web1 data.json", "mount what data.json lists, e.g. "
	  "[{\"destination\":\"/data\",\"source\":\"/srv/data\",\"options\":[\"rbind\",\"ro\"]}]" },
};

static const struct command_text add_text = {
	.usage = "ID FILE",
	.about =
		"Mounts into a running container what FILE lists: an array of mounts as the mounts of an OCI "
		"config.json are, in its order, all of them or none. Everything is done as at the "
		"container's start: a relative source of a bind mount starts at the bundle, and no path "
		"leads out of the container's root. remount, copy-symlink and a new procfs are refused. "
		"The mounts go with the container; they are not made again when it is started again.",
	WORDS_EXAMPLES(add_examples),
};

static const struct command_example remove_examples[] = {
	{ "kist mounts remove web1 data.json", "take out again what add has mounted by the same file" },
};

static const struct command_text remove_text = {
	.usage = "ID FILE",
	.about =
		"Takes mounts out of a running container: those that mounts add has put at the destinations in "
		"FILE, the last one first, all of them or none. Files that the program has open there "
		"stay open. What was not added, and what lies under another mount, is refused.",
	WORDS_EXAMPLES(remove_examples),
};

static const struct command commands[] = {
	{ "add", "", FACE_BOTH, STATUS_PLAIN, 2, 2, .run = cmd_mounts_add,
	  .summary = "mount into a running container", .text = &add_text },
	{ "remove", "", FACE_BOTH, STATUS_PLAIN, 2, 2, .run = cmd_mounts_remove,
	  .summary = "take out again what add has mounted", .text = &remove_text },
};
/* clang-format on */

const struct page words_mounts = {
	.name = "mounts", .group = "mounts", .title = "Mounts of running containers",
	.commands = commands, .count = ARRAY_LEN(commands),
};
