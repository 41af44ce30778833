/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands: one function per verb, each in cli/cmd_<verb>.c, called by main through the row of the
 * command table.
 *
 * A command gets its parsed options (the struct of cli/options.h that its row names), its words (what is left
 * of the command line, options taken out) and an error to fill. It returns its exit status (0..255), or
 * -errno with `e` filled: main prints the error once and exits with e->exit, or with the command's status for
 * its own failures (125 for run, exec and start -a; 1 for others). For wrong usage it returns cmd_usage().
 */
#pragma once
#include "cli/options.h"
#include "runtime/create.h"
#include "util/err.h"

/* Which program the caller believes to have called. */
enum face {
	FACE_KIST = 1,  /* kist VERB: engine verbs, and OCI verbs told apart by shape */
	FACE_OCI = 2,   /* kist oci VERB, or called as kist-oci, runc or crun */
	FACE_BOTH = FACE_KIST | FACE_OCI,
};

struct command;

struct cli {
	const struct global_options *global;
	enum face face;
	const struct command *command;  /* the row that was found */
};

typedef int command_fn(const struct cli *cli, const void *options, int argc, char **argv, struct err *e);

/* The status that marks an error as wrong usage, within kist only. */
enum { CMD_EXIT_USAGE = -1 };

/* Fills `e` with a rule of the command line that was broken; main adds the usage. Returns -EINVAL. */
int cmd_usage(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What --cgroup-manager and --systemd-cgroup say. */
enum cgroup_manager cmd_cgroup_manager(const struct cli *cli);

/*
 * Calls `fn` for every container below the state root whose id matches an extended regular expression, until one fails.
 * None at all is success, as with crun.
 */
int cmd_each_match(int root, const char *regex, int (*fn)(void *ctx, const char *id, struct err *e), void *ctx,
		   struct err *e);

struct create_service;

/* What a service manager has put into our environment (LISTEN_FDS, NOTIFY_SOCKET), for a container. */
int cmd_service(struct create_service *ret, struct err *e);

/* The value of NOTIFY_SOCKET; NULL: none. */
int cmd_notify_socket(const char **ret, struct err *e);

/* Verbs of the OCI runtime command line; the struct after each is what `options` points to. */
command_fn cmd_create;    /* struct create_options */
command_fn cmd_start;     /* struct start_options */
command_fn cmd_run;       /* struct run_options */
command_fn cmd_exec;      /* struct exec_options */
command_fn cmd_kill;      /* struct kill_options */
command_fn cmd_delete;    /* struct delete_options */
command_fn cmd_state;     /* struct no_options */
command_fn cmd_list;      /* struct list_options */
command_fn cmd_ps;        /* struct ps_options */
command_fn cmd_pause;     /* struct no_options */
command_fn cmd_resume;    /* struct no_options */
command_fn cmd_update;    /* struct update_options */
command_fn cmd_events;    /* struct events_options */
command_fn cmd_checkpoint; /* struct checkpoint_options */
command_fn cmd_restore;   /* struct restore_options */
command_fn cmd_spec;      /* struct spec_options */
command_fn cmd_features;  /* struct no_options */

/* mounts add, mounts remove. */
command_fn cmd_mounts_add;     /* struct no_options */
command_fn cmd_mounts_remove;  /* struct no_options */

/* Verbs of the engine. */
command_fn cmd_stop;      /* struct stop_options */
command_fn cmd_logs;      /* struct logs_options */
command_fn cmd_wait;      /* struct wait_options */
command_fn cmd_inspect;   /* struct inspect_options */
command_fn cmd_rm;        /* struct rm_options */
command_fn cmd_prune;     /* struct prune_options */
command_fn cmd_system_prune; /* struct system_prune_options */
command_fn cmd_plan;      /* struct run_options */
command_fn cmd_doctor;    /* struct doctor_options */

/* A container's files: kist opens them, kist-image reads them. */
command_fn cmd_commit;    /* struct commit_options */
command_fn cmd_diff;      /* struct diff_options */
command_fn cmd_export;    /* struct export_options */

/*
 * All `kist image VERB` commands: executes kist-image. `options` is NULL; argv holds the words after the verb
 * as they were typed, because kist-image parses them with the same rows (cli/image_words.c).
 */
command_fn cmd_image;

/* About kist itself. */
command_fn cmd_version;   /* struct no_options */
command_fn cmd_help;      /* struct no_options */
