/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of kist's command line: every command with its options, shapes, texts and examples, as constant
 * tables. main parses by them, help prints them, gen makes man pages and completions of them. What is not in
 * a table is not accepted; what is in a table is done.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "cli/cmd.h"
#include "cli/opt.h"
#include "util/mem.h"

/* What a command's exit status means. Under the OCI face 1 takes the place of 125, and 255 for exec, as with runc. */
enum status_rule {
	STATUS_PLAIN,    /* 0, 1 for a failure, 2 for wrong usage */
	STATUS_PROGRAM,  /* the program's; 125 for kist's own failures and wrong usage */
	STATUS_ATTACH,   /* start: as STATUS_PROGRAM with -a, else as STATUS_PLAIN */
	STATUS_EXEC,     /* as STATUS_PROGRAM */
};

enum { WORDS_ANY = UINT8_MAX };

struct command_example {
	const char *line;
	const char *what;     /* half a sentence, lower case, no full stop */
};

/* What only help and man pages read. */
struct command_text {
	const char *usage;    /* one line per shape, without "kist" and the command's name */
	const char *about;    /* paragraphs, apart by an empty line */
	const struct command_example *examples;
	size_t example_count;
};

struct command {
	char name[12];
	char alias[12];       /* for commands of a group: the one word that means both ("images") */
	uint8_t faces;        /* enum face */
	uint8_t status;       /* enum status_rule */
	uint8_t min_words;
	uint8_t max_words;    /* WORDS_ANY: no limit */
	bool stops_at_word;   /* options end at the first word: what follows belongs to another program */
	bool is_forwarded;    /* kist-image does it: cmd_image gets the words unparsed, and run is NULL */
	bool is_remote;       /* with is_forwarded: kist-registry does it */
	uint16_t opt_count;
	const struct opt *opts;
	command_fn *run;
	const char *summary;  /* half a sentence, lower case, no full stop */
	const struct command_text *text;
};

/* Commands that share a man page: kist-NAME(1). */
struct page {
	char name[12];
	char group[8];        /* word before the command's ("image"); empty: none */
	uint16_t count;
	const struct command *commands;
	const char *title;
};

/* The struct that a command's options land in. */
union command_options {
	struct no_options none;
	struct create_options create;
	struct run_options run;
	struct exec_options exec;
	struct start_options start;
	struct kill_options kill;
	struct delete_options delete;
	struct list_options list;
	struct ps_options ps;
	struct spec_options spec;
	struct stop_options stop;
	struct update_options update;
	struct events_options events;
	struct checkpoint_options checkpoint;
	struct restore_options restore;
	struct logs_options logs;
	struct wait_options wait;
	struct inspect_options inspect;
	struct rm_options rm;
	struct prune_options prune;
	struct system_prune_options system_prune;
	struct doctor_options doctor;
	struct commit_options commit;
	struct diff_options diff;
	struct export_options export;
};

extern const struct page *const words_pages[];
extern const size_t words_page_count;

extern const struct opt words_global[];
extern const size_t words_global_count;

/* The tables of one page each; image_words.c has that of kist-image. */
extern const struct page words_run, words_life, words_limits, words_freeze, words_logs,
	words_spec, words_about, words_image, words_mounts, words_system, words_registry, words_files;

/* What kist-image is told by kist alone, for the verbs of words_files and for system prune. */
extern const struct page words_files_work;

/* The options of run, which plan has too. */
enum { WORDS_RUN_OPTS = 62 };
extern const struct opt words_run_opts[];

/*
 * Finds the row for argv[0..argc): one word, or a group's word and a command's. *ret_taken is how many words
 * that were. NULL: no such command; *ret_page is set when the group was known.
 */
const struct command *words_find(enum face face, int argc, char **argv, int *ret_taken,
				 const struct page **ret_page);

/*
 * Finds the name of the command nearest in spelling, in one page or among those without a group. NULL: none
 * is near.
 */
const char *words_nearest(enum face face, const struct page *page, const char *word);

/* The page that a row belongs to. */
const struct page *words_page_of(const struct command *c);

#define WORDS_OPTS(rows) .opts = (rows), .opt_count = ARRAY_LEN(rows)
#define WORDS_EXAMPLES(rows) .examples = (rows), .example_count = ARRAY_LEN(rows)
