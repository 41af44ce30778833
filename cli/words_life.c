/* SPDX-License-Identifier: Apache-2.0 */
/* The words of commands that list, signal, stop, pause and remove containers. */
#include "cli/words.h"

/* clang-format off */
/* ---- state, list, ps ---- */

static const struct command_example state_examples[] = {
	{ "kist state web1", "the state object of the OCI runtime specification" },
};

static const struct command_text state_text = {
	.usage = "ID",
	.about =
		"Prints the state of a container as JSON: its ID, status (creating, created, running, "
		"paused or stopped), process id, bundle and annotations.",
	WORDS_EXAMPLES(state_examples),
};

#define L struct list_options
static const struct opt list_opts[] = {
	{ OPT_STR_AT(L, format), .name = "format", .letter = 'f', .arg = "FORMAT",
	  .help = "table (default), json (one array), or a template such as '{{.ID}} {{.Status}}'" },
	{ OPT_FLAG_AT(L, quiet), .name = "quiet", .letter = 'q', .help = "print IDs only" },
};

static const struct command_example list_examples[] = {
	{ "kist list --format json", "every container in the state directory, as OCI callers read it" },
};

static const struct command_text list_text = {
	.usage = "[OPTIONS]",
	.about =
		"Lists the containers in the state directory, whoever made them.",
	WORDS_EXAMPLES(list_examples),
};

#define P struct ps_options
static const struct opt ps_opts[] = {
	{ OPT_FLAG_AT(P, all), .name = "all", .letter = 'a', .faces = FACE_KIST,
	  .help = "list stopped containers too" },
	{ OPT_FLAG_AT(P, quiet), .name = "quiet", .letter = 'q', .faces = FACE_KIST,
	  .help = "print names only" },
	{ OPT_STR_AT(P, format), .name = "format", .letter = 'f', .arg = "FORMAT",
	  .help = "table (default), json (one array), or a template such as '{{.Names}} {{.Status}}'" },
};

static const struct command_example ps_examples[] = {
	{ "kist ps -a", "all containers" },
	{ "kist ps --format '{{.Names}} {{.Status}}'", "two fields of each" },
	{ "kist ps web1 -ef", "the processes of one container, as ps(1) shows them" },
	{ "kist ps --format json web1", "their process ids, as OCI callers read them" },
};

static const struct command_text ps_text = {
	.usage = "[OPTIONS]\n"
		 "[--format table|json] ID [PS-OPTION...]",
	.about =
		"Lists running containers. With an ID, lists the processes of that container instead; "
		"options after the ID are those of ps(1).",
	WORDS_EXAMPLES(ps_examples),
};

/* ---- kill, stop, pause, resume, wait ---- */

#define K struct kill_options
static const struct opt kill_opts[] = {
	{ OPT_STR_AT(K, signal), .name = "signal", .letter = 's', .faces = FACE_KIST, .arg = "SIGNAL",
	  .help = "signal to send; then every word is an ID" },
	{ OPT_FLAG_AT(K, all), .name = "all", .letter = 'a',
	  .help = "signal every process of the container" },
	{ OPT_FLAG_AT(K, regex), .name = "regex",
	  .help = "the ID is an extended regular expression: signal every container that matches" },
};

static const struct command_example kill_examples[] = {
	{ "kist kill web1 HUP", "send SIGHUP to the first process of a container" },
	{ "kist kill -s KILL web1 web2", "two containers at once" },
};

static const struct command_text kill_text = {
	.usage = "[-a] ID [SIGNAL]\n"
		 "[-a] -s SIGNAL ID...",
	.about =
		"Sends a signal to the first process of a container: TERM, or the one named with or "
		"without SIG, or by number.",
	WORDS_EXAMPLES(kill_examples),
};

#define S struct stop_options
static const struct opt stop_opts[] = {
	{ OPT_DURATION_AT(S, timeout_ms), .name = "time", .letter = 't', .arg = "SECONDS",
	  .help = "grace before KILL; -1: for ever (default: the container's, else 10)" },
	{ OPT_STR_AT(S, signal), .name = "signal", .letter = 's', .arg = "SIGNAL",
	  .help = "first signal (default: the container's, else TERM)" },
};

static const struct command_example stop_examples[] = {
	{ "kist stop -t 3 web1", "three seconds to end by itself" },
};

static const struct command_text stop_text = {
	.usage = "[OPTIONS] ID...",
	.about =
		"Sends the container's stop signal to its first process, waits for the grace period, then "
		"kills all processes of its cgroup. Prints the name of each container, and says on "
		"standard error when it had to kill. A container that has already stopped is success.",
	WORDS_EXAMPLES(stop_examples),
};

static const struct command_example pause_examples[] = {
	{ "kist pause web1", "no process of web1 runs until resume" },
};

static const struct command_text pause_text = {
	.usage = "ID",
	.about =
		"Freezes all processes of a container by the freezer of its cgroup.",
	WORDS_EXAMPLES(pause_examples),
};

static const struct command_example resume_examples[] = {
	{ "kist resume web1", "go on where pause stopped it" },
};

static const struct command_text resume_text = {
	.usage = "ID",
	.about =
		"Lets the processes of a paused container run again.",
	WORDS_EXAMPLES(resume_examples),
};

#define W struct wait_options
static const struct opt wait_opts[] = {
	{ OPT_FLAG_AT(W, exit), .name = "exit", .help = "end with the status of the last container, too" },
};

static const struct command_example wait_examples[] = {
	{ "kist wait job1 job2", "print two exit statuses, one per line" },
};

static const struct command_text wait_text = {
	.usage = "[OPTIONS] ID...",
	.about =
		"Waits until each container has stopped and prints its exit status, one per line, in the "
		"order of the words.",
	WORDS_EXAMPLES(wait_examples),
};

/* ---- delete, rm ---- */

#define D struct delete_options
static const struct opt delete_opts[] = {
	{ OPT_FLAG_AT(D, force), .name = "force", .letter = 'f',
	  .help = "kill it first if it runs; no such container is success" },
	{ OPT_FLAG_AT(D, regex), .name = "regex",
	  .help = "the ID is an extended regular expression: remove every container that matches" },
};

static const struct command_example delete_examples[] = {
	{ "kist delete web1", "release what a stopped container held" },
};

static const struct command_text delete_text = {
	.usage = "[OPTIONS] ID",
	.about =
		"Removes a stopped container: its cgroup, its state and what else kist made for it. With "
		"--force, also cleans up after a runtime that was killed half-way.",
	WORDS_EXAMPLES(delete_examples),
};

#define M struct rm_options
static const struct opt rm_opts[] = {
	{ OPT_FLAG_AT(M, force), .name = "force", .letter = 'f',
	  .help = "kill it first if it runs; no such container is success" },
};

static const struct command_example rm_examples[] = {
	{ "kist rm -f web1 web2", "remove two containers, running or not" },
};

static const struct command_text rm_text = {
	.usage = "[OPTIONS] ID...",
	.about =
		"Removes containers with their own layer and their logs, and prints the name of each.",
	WORDS_EXAMPLES(rm_examples),
};

static const struct opt prune_opts[] = {
	{ OPT_FLAG_AT(struct prune_options, force), .name = "force", .letter = 'f', .help = "do not ask at a terminal" },
};

static const struct command_example prune_examples[] = {
	{ "kist prune -f", "remove what has ended" },
};

static const struct command_text prune_text = {
	.usage = "[OPTIONS]",
	.about =
		"Removes all containers that do not run, with their own layer and their logs. Prints the name of each, and "
		"what the disk got back. \"kist system prune\" removes images, too.",
	WORDS_EXAMPLES(prune_examples),
};

/* ---- the page ---- */

static const struct command commands[] = {
	{ "state", "", FACE_BOTH, STATUS_PLAIN, 1, 1, .run = cmd_state,
	  .summary = "print the OCI state of a container", .text = &state_text },
	{ "kill", "", FACE_BOTH, STATUS_PLAIN, 1, WORDS_ANY, WORDS_OPTS(kill_opts), .run = cmd_kill,
	  .summary = "send a signal to a container", .text = &kill_text },
	{ "delete", "", FACE_BOTH, STATUS_PLAIN, 1, 1, WORDS_OPTS(delete_opts), .run = cmd_delete,
	  .summary = "remove a container as the OCI runtime specification has it", .text = &delete_text },
	{ "list", "", FACE_BOTH, STATUS_PLAIN, 0, 0, WORDS_OPTS(list_opts), .run = cmd_list,
	  .summary = "list the containers in the state directory", .text = &list_text },
	{ "ps", "", FACE_BOTH, STATUS_PLAIN, 0, WORDS_ANY, .stops_at_word = true, WORDS_OPTS(ps_opts),
	  .run = cmd_ps,
	  .summary = "list containers, or the processes of one", .text = &ps_text },
	{ "stop", "", FACE_KIST, STATUS_PLAIN, 1, WORDS_ANY, WORDS_OPTS(stop_opts), .run = cmd_stop,
	  .summary = "end containers: signal, grace, kill", .text = &stop_text },
	{ "pause", "", FACE_BOTH, STATUS_PLAIN, 1, 1, .run = cmd_pause,
	  .summary = "freeze a container", .text = &pause_text },
	{ "resume", "", FACE_BOTH, STATUS_PLAIN, 1, 1, .run = cmd_resume,
	  .summary = "let a paused container go on", .text = &resume_text },
	{ "wait", "", FACE_KIST, STATUS_PLAIN, 1, WORDS_ANY, WORDS_OPTS(wait_opts), .run = cmd_wait,
	  .summary = "wait for containers to end and print their status", .text = &wait_text },
	{ "rm", "", FACE_KIST, STATUS_PLAIN, 1, WORDS_ANY, WORDS_OPTS(rm_opts), .run = cmd_rm,
	  .summary = "remove containers", .text = &rm_text },
	{ "prune", "", FACE_KIST, STATUS_PLAIN, 0, 0, WORDS_OPTS(prune_opts), .run = cmd_prune,
	  .summary = "remove all containers that do not run", .text = &prune_text },
};
/* clang-format on */

const struct page words_life = {
	.name = "lifecycle", .title = "Watch and end containers",
	.commands = commands, .count = ARRAY_LEN(commands),
};
