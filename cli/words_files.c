/* SPDX-License-Identifier: Apache-2.0 */
/* The words of commands that read what a container has in its root file system. */
#include "cli/words.h"

/* clang-format off */
#define C struct commit_options
static const struct opt commit_opts[] = {
	{ OPT_STR_AT(C, author), .name = "author", .letter = 'a', .arg = "TEXT",
	  .help = "author of the image (default: that of the container's image)" },
	{ OPT_LIST_AT(C, changes), .name = "change", .letter = 'c', .arg = "LINE",
	  .help = "a line of a Dockerfile for the image's config: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, "
		  "VOLUME or WORKDIR" },
	{ OPT_STR_AT(C, iidfile), .name = "iidfile", .arg = "FILE", .help = "write the image's digest to FILE, too" },
	{ OPT_STR_AT(C, message), .name = "message", .letter = 'm', .arg = "TEXT",
	  .help = "comment of this step in the image's history" },
	{ OPT_TRI_AT(C, pause), .name = "pause", .letter = 'p',
	  .help = "freeze a running container while it is read (default, where it has a cgroup); --pause=false: let it run" },
	{ OPT_FLAG_AT(C, quiet), .name = "quiet", .letter = 'q', .help = "show no progress" },
};

static const struct command_example commit_examples[] = {
	{ "kist commit web1 app:2", "web1's changes as a layer upon its image" },
	{ "kist commit -c 'CMD [\"app\"]' -m 'with app' web1 app:2", "with another program to run, and a comment" },
};

static const struct command_text commit_text = {
	.usage = "[OPTIONS] ID [NAME]",
	.about =
		"Makes an image of a container: what it has changed becomes one more layer upon its image, whose "
		"config the new image has, with the lines of --change. What was given to run (command, environment, "
		"user) is not taken over, nor is what is mounted in the container, such as volumes. Prints the digest "
		"of the image; without a name it has none.\n\n"
		"A container that has changed nothing gives an image without a new layer. Sockets are left out. With "
		"--pause=false a program may write while the container is read: what is gone meanwhile is left out, and a "
		"file that becomes shorter is filled up with zeros.",
	WORDS_EXAMPLES(commit_examples),
};

#define D struct diff_options
static const struct opt diff_opts[] = {
	{ OPT_WORD_AT(D, format), .name = "format", .arg = "lines|json",
	  .help = "lines (default): A, C or D and a path; json: one object with added, changed and deleted" },
};

static const struct command_example diff_examples[] = {
	{ "kist diff web1", "what web1 has added (A), changed (C) and deleted (D)" },
};

static const struct command_text diff_text = {
	.usage = "[OPTIONS] ID",
	.about =
		"Lists what a container has changed in the tree of its image: files that were added (A), changed (C) or "
		"deleted (D), and the directories of the image that they lie in (C). Mount points that were made for the "
		"container are no changes of its own.",
	WORDS_EXAMPLES(diff_examples),
};

#define X struct export_options
static const struct opt export_opts[] = {
	{ OPT_STR_AT(X, output), .name = "output", .letter = 'o', .arg = "FILE",
	  .help = "file to write (default: standard output); it is there whole or not at all" },
};

static const struct command_example export_examples[] = {
	{ "kist export -o web1.tar web1", "the whole root file system of web1 as one tar archive" },
	{ "kist export web1 | kist import - flat:1", "as an image of one layer" },
};

static const struct command_text export_text = {
	.usage = "[OPTIONS] ID",
	.about =
		"Writes the whole tree of a container, its image's and its own files, as a tar archive with owners, modes, "
		"times, hard links, devices and xattrs. What is mounted in it is not part of it. The container may run: "
		"then what is gone when it is to be read is left out.",
	WORDS_EXAMPLES(export_examples),
};

static const struct command commands[] = {
	{ "commit", "", FACE_KIST, STATUS_PLAIN, 1, 2, WORDS_OPTS(commit_opts), .run = cmd_commit,
	  .summary = "make an image of what a container has changed", .text = &commit_text },
	{ "diff", "", FACE_KIST, STATUS_PLAIN, 1, 1, WORDS_OPTS(diff_opts), .run = cmd_diff,
	  .summary = "list what a container has changed", .text = &diff_text },
	{ "export", "", FACE_KIST, STATUS_PLAIN, 1, 1, WORDS_OPTS(export_opts), .run = cmd_export,
	  .summary = "write a container's files into an archive", .text = &export_text },
};
/* clang-format on */

const struct page words_files = {
	.name = "files", .title = "The files of containers",
	.commands = commands, .count = ARRAY_LEN(commands),
};
