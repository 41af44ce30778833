/* SPDX-License-Identifier: Apache-2.0 */
/* The words of commands about configurations and the host, and of kist itself. */
#include "cli/words.h"

/* clang-format off */
/* ---- spec, plan ---- */

#define S struct spec_options
static const struct opt spec_opts[] = {
	{ OPT_STR_AT(S, bundle), .name = "bundle", .letter = 'b', .arg = "DIR",
	  .help = "write to DIR/config.json (default: the current directory)" },
	{ OPT_FLAG_AT(S, rootless), .name = "rootless",
	  .help = "a configuration with a user namespace, for a caller who is not root" },
	{ OPT_STR_AT(S, check), .name = "check", .arg = "FILE", .faces = FACE_KIST,
	  .help = "judge FILE instead: list every breach and every unknown key" },
};

static const struct command_example spec_examples[] = {
	{ "kist spec", "write a config.json to begin with" },
	{ "kist spec --check config.json", "what is wrong with it, line by line" },
};

static const struct command_text spec_text = {
	.usage = "[--rootless] [--bundle DIR]\n"
		 "--check FILE",
	.about =
		"Writes a default config.json, and never over an existing one. With --check, reads a "
		"configuration and prints every breach of the specification with its JSON path, keys that "
		"cgroup v2 has nothing for, and unknown keys with the nearest known one. "
		"Wrong types and missing keys come first: the rest is judged once they are right. Status "
		"1 when run would refuse the file for what was found.",
	WORDS_EXAMPLES(spec_examples),
};

static const struct command_example features_examples[] = {
	{ "kist features", "what this runtime supports, as engines ask for it" },
};

static const struct command_text features_text = {
	.usage = "",
	.about =
		"Prints the features document of the OCI runtime specification as JSON.",
	WORDS_EXAMPLES(features_examples),
};

static const struct command_example plan_examples[] = {
	{ "kist plan --bundle . c1", "what run would do with a bundle" },
	{ "kist plan -m 64m debian sh", "what run would do with an image" },
};

static const struct command_text plan_text = {
	.usage = "[RUN-OPTIONS] IMAGE [COMMAND [ARG...]]\n"
		 "[RUN-OPTIONS] --config FILE [COMMAND [ARG...]]\n"
		 "[RUN-OPTIONS] --bundle DIR [ID]",
	.about =
		"Prints as JSON what run would do with the same options, without doing it: namespaces, "
		"mounts with their flags, cgroup writes, capability sets and the size of the seccomp "
		"filter. The options are those of kist run. Nothing is pulled or unpacked for it: the image "
		"must be in the store.",
	WORDS_EXAMPLES(plan_examples),
};

/* ---- doctor ---- */

#define D struct doctor_options
static const struct opt doctor_opts[] = {
	{ OPT_WORD_AT(D, format), .name = "format", .arg = "table|json",
	  .help = "how to print it (default table)" },
};

static const struct command_example doctor_examples[] = {
	{ "kist doctor", "what works here, what is missing, and the remedy" },
};

static const struct command_text doctor_text = {
	.usage = "[OPTIONS]",
	.about =
		"Asks the host for what containers need: namespaces, cgroup controllers, overlay, seccomp "
		"and the calls of newer kernels. For each, says whether it is there and, if not, what to "
		"do about it.",
	WORDS_EXAMPLES(doctor_examples),
};

static const struct command spec_commands[] = {
	{ "spec", "", FACE_BOTH, STATUS_PLAIN, 0, 0, WORDS_OPTS(spec_opts), .run = cmd_spec,
	  .summary = "write a default config.json, or judge one", .text = &spec_text },
	{ "plan", "", FACE_KIST, STATUS_PLAIN, 0, WORDS_ANY, .stops_at_word = true, .opts = words_run_opts,
	  .opt_count = WORDS_RUN_OPTS, .run = cmd_plan,
	  .summary = "print what run would do", .text = &plan_text },
	{ "features", "", FACE_BOTH, STATUS_PLAIN, 0, 0, .run = cmd_features,
	  .summary = "print what this runtime supports", .text = &features_text },
	{ "doctor", "", FACE_KIST, STATUS_PLAIN, 0, 0, WORDS_OPTS(doctor_opts), .run = cmd_doctor,
	  .summary = "say what this host offers and what is missing", .text = &doctor_text },
};

const struct page words_spec = {
	.name = "spec", .title = "Configurations and the host", .commands = spec_commands,
	.count = ARRAY_LEN(spec_commands),
};

/* ---- kist itself ---- */

static const struct command_text version_text = {
	.usage = "",
	.about =
		"Prints the versions of kist, its commit, the OCI runtime specification and the libraries "
		"within.",
};

static const struct command_text help_text = {
	.usage = "[COMMAND]",
	.about =
		"Prints the list of commands, or the help of one, as --help does.",
};

static const struct command about_commands[] = {
	{ "version", "", FACE_BOTH, STATUS_PLAIN, 0, 0, .run = cmd_version,
	  .summary = "print the version", .text = &version_text },
	{ "help", "", FACE_BOTH, STATUS_PLAIN, 0, 2, .run = cmd_help,
	  .summary = "print the list of commands, or the help of one", .text = &help_text },
};
/* clang-format on */

const struct page words_about = {
	.name = "", .title = "kist itself",
	.commands = about_commands, .count = ARRAY_LEN(about_commands),
};
