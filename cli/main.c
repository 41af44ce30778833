/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist: finds the command, reads its options, calls it, prints its error once and ends with its status. Kept
 * cheap: until the command runs, nothing is opened but a log file that was asked for.
 */
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "cli/help.h"
#include "cli/words.h"
#include "runtime/rootless.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/proc.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_KIST = 125, EXIT_RUNC_EXEC = 255 };

/* Names under which only the OCI face is shown. */
static const char *const oci_names[] = { "kist-oci", "runc", "crun" };

static bool is_oci_name(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash ? slash + 1 : argv0;

	for (size_t i = 0; i < ARRAY_LEN(oci_names); i++)
		if (!strcmp(name, oci_names[i]))
			return true;
	return false;
}

/* ---- global options ---- */

static const char *or_env(const char *given, const char *name)
{
	const char *value = given ? given : getenv(name);
	return value && *value ? value : NULL;
}

/* A directory below one that the environment names, for callers that are not root. */
static int below_env(const char *name, const char *home_part, const char **ret, struct err *e)
{
	const char *base = getenv(name), *home = getenv("HOME");

	if (base && *base == '/')
		*ret = mem_fmt("%s/kist", base);
	else if (home_part && home && *home == '/')
		*ret = mem_fmt("%s/%s/kist", home, home_part);
	else
		return err_new(e, ENOENT, "%s is not set: log in by a way that sets it (ssh, machinectl shell; su and sudo do "
			       "not), or name directories of your own by --root and --store", name);
	return 0;
}

/* Root of a user namespace that a user has made, as podman's, may not write there; root of a system container may. */
static bool owns_host(void)
{
	return getauxval(AT_EUID) == 0 && (!proc_is_in_userns() || access("/run", W_OK) == 0);
}

/* Fills in the directories that were not given. Without root, they belong to the user. */
static int set_dirs(struct global_options *g, struct err *e)
{
	struct err ignored;
	int r = 0;

	g->root = or_env(g->root, "KIST_ROOT");
	g->store = or_env(g->store, "KIST_STORE");
	if (!g->root && owns_host())
		g->root = "/run/kist";
	if (!g->store && owns_host())
		g->store = "/var/lib/kist";
	if (!g->root)
		r = below_env("XDG_RUNTIME_DIR", NULL, &g->root, e);
	/* Callers of the runtime alone, such as podman, leave us no HOME: who needs a store says so, store_open. */
	if (!r && !g->store && below_env("XDG_DATA_HOME", ".local/share", &g->store, &ignored) < 0)
		g->store = "";
	if (!r && !strcmp(g->root, "/"))
		return err_new(e, EINVAL, "option --root: / is no place for the state of containers");
	return r;
}

/* As root of its namespace, the second kist of a user (runtime/rootless.h) would take other directories. */
static int set_rootless(const struct global_options *g, struct err *e)
{
	if (g->rootless)
		rootless_set(!strcmp(g->rootless, "false") ? ROOTLESS_FALSE :
			     !strcmp(g->rootless, "true") ? ROOTLESS_TRUE : ROOTLESS_AUTO);
	if (getauxval(AT_EUID) != 0 && (setenv("KIST_ROOT", g->root, 1) < 0 || setenv("KIST_STORE", g->store, 1) < 0))
		return err_sys(e, "environment");
	return 0;
}

static enum log_level level_of(const struct global_options *g)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{ "error", LOG_ERROR }, { "warning", LOG_WARN }, { "info", LOG_INFO }, { "debug", LOG_DEBUG },
	};

	if (g->debug)
		return LOG_DEBUG;
	for (size_t i = 0; g->log_level && i < ARRAY_LEN(levels); i++)
		if (!strcmp(levels[i].name, g->log_level))
			return levels[i].level;
	return LOG_WARN;
}

static int open_log(const struct global_options *g, struct err *e)
{
	struct log_options log = {
		.level = level_of(g),
		.file = g->log,
		.is_json = g->log_format && !strcmp(g->log_format, "json"),
	};
	int r = log_open(&log);
	if (r == -EINVAL && log.is_json)
		return err_new(e, EINVAL, "option --log-format: json goes with a file, not with %s", g->log);
	return r < 0 ? err_ret(e, r, "log %s", g->log) : 0;
}

static int parse_global(struct global_options *g, int argc, char **argv, struct err *e)
{
	const struct opt_set set = {
		.rows = words_global, .count = words_global_count, .stops_at_word = true,
	};
	int words = opt_parse(&set, g, argc, argv, e);

	if (words >= 0 && g->systemd_cgroup && g->cgroup_manager && strcmp(g->cgroup_manager, "systemd") != 0)
		return err_new(e, EINVAL, "option --systemd-cgroup: contradicts --cgroup-manager %s",
			       g->cgroup_manager);
	return words;
}

/* ---- one command ---- */

/* The status of a failure that names none itself. Under the OCI face those of runc: callers of it know no 125. */
static int status_of(enum face face, const struct command *c, const union command_options *o, bool is_usage)
{
	bool is_program = c->status == STATUS_PROGRAM || c->status == STATUS_EXEC ||
			  (c->status == STATUS_ATTACH && o->start.attach);

	if (is_program && face == FACE_OCI)
		return c->status == STATUS_EXEC ? EXIT_RUNC_EXEC : EXIT_FAILED;
	return is_program ? EXIT_KIST : is_usage ? EXIT_USAGE : EXIT_FAILED;
}

static int usage_error(enum face face, const struct command *c, const union command_options *o, const struct err *e)
{
	log_error("%s: %s", c->name, e->text);
	help_usage(c);
	return status_of(face, c, o, true);
}

static int check_words(const struct command *c, int words, struct err *e)
{
	if (words >= c->min_words && (words <= c->max_words || c->max_words == WORDS_ANY))
		return 0;
	int wanted = words < c->min_words ? c->min_words : c->max_words;
	const char *bound = c->min_words == c->max_words ? "" : words < wanted ? "at least " : "at most ";
	return err_new(e, EINVAL, "expected %s%d argument%s, got %d", bound, wanted,
		       wanted == 1 ? "" : "s", words);
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

/* Ends a command whose function has returned. */
static int finish(const struct cli *cli, const union command_options *o, int r, const struct err *e)
{
	const struct command *c = cli->command;

	if (r >= 0)
		return r;
	if (e->exit == CMD_EXIT_USAGE)
		return usage_error(cli->face, c, o, e);
	log_error("%s", e->text);
	return e->exit ? e->exit : status_of(cli->face, c, o, false);
}

static int run_command(struct cli *cli, int argc, char **argv)
{
	const struct command *c = cli->command;
	union command_options options = { 0 };
	struct err e = { 0 };

	if (c->is_forwarded) {
		if (!asks_for_help(argc, argv))
			return finish(cli, &options, cmd_image(cli, NULL, argc, argv, &e), &e);
		help_command(cli->face, c);
		return 0;
	}
	const struct opt_set set = {
		.rows = c->opts, .count = c->opt_count, .face = cli->face, .stops_at_word = c->stops_at_word,
	};
	int words = opt_parse(&set, &options, argc, argv, &e);
	if (words == -ECANCELED) {
		help_command(cli->face, c);
		return 0;
	}
	if (words < 0 || check_words(c, words, &e) < 0)
		return usage_error(cli->face, c, &options, &e);
	argv[words] = NULL;
	return finish(cli, &options, c->run(cli, &options, words, argv, &e), &e);
}

static int unknown_command(const struct cli *cli, const struct page *page, const char *word)
{
	const char *near = words_nearest(cli->face, page, word);
	const char *group = page ? page->group : "", *space = page ? " " : "";

	if (near)
		log_error("unknown command %s%s%s (did you mean %s?)", group, space, word, near);
	else
		log_error("unknown command %s%s%s; kist --help lists them", group, space, word);
	return EXIT_USAGE;
}

/* What can be answered without a command. -1: there is one. */
static int without_command(const struct cli *cli, const struct global_options *g, int argc)
{
	struct err e;

	if (g->version)
		return cmd_version(cli, NULL, 0, NULL, &e);
	if (argc > 0 && !g->help)
		return -1;
	if (g->help) {
		help_overview(cli->face);
		return 0;
	}
	log_error("no command; kist --help lists them");
	return EXIT_USAGE;
}

static int dispatch(struct cli *cli, struct global_options *g, int argc, char **argv)
{
	const struct page *page;
	struct err e = { 0 };
	int taken;
	int status = without_command(cli, g, argc);

	if (status >= 0)
		return status;
	cli->command = words_find(cli->face, argc, argv, &taken, &page);
	if (!cli->command && page && (argc == 1 || asks_for_help(1, argv + 1))) {
		help_page(page);
		return argc == 1 ? EXIT_USAGE : 0;
	}
	if (!cli->command)
		return unknown_command(cli, page, argv[taken - 1]);
	if (set_dirs(g, &e) < 0 || set_rootless(g, &e) < 0) {
		log_error("%s", e.text);
		return EXIT_FAILED;
	}
	return run_command(cli, argc - taken, argv + taken);
}

int main(int argc, char **argv)
{
	struct global_options g = { 0 };
	struct cli cli = { .global = &g, .face = FACE_KIST };
	struct err e = { 0 };

	if (argc < 1)
		return EXIT_USAGE;
	if (is_oci_name(argv[0]))
		cli.face = FACE_OCI;
	argc--;
	argv++;
	int words = parse_global(&g, argc, argv, &e);
	if (words > 0 && cli.face == FACE_KIST && !strcmp(argv[0], "oci")) {
		cli.face = FACE_OCI;
		argv++;
		words = parse_global(&g, words - 1, argv, &e);
	}
	/* What was wrong with the global options belongs into the log that they name. */
	struct err log = { 0 };
	int opened = open_log(&g, &log);
	if (words < 0) {
		log_error("%s", e.text);
		return EXIT_USAGE;
	}
	if (opened < 0) {
		log_error("%s", log.text);
		return EXIT_FAILED;
	}
	return dispatch(&cli, &g, words, argv);
}
