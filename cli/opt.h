/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of a command line from a table of rows: name, letter, kind, where the value lands, one line of
 * help. The same rows feed the parser here, --help (cli/help), the man pages and the shell completions
 * (cli/gen). Used by kist and kist-image. Parsing allocates nothing but the arrays of repeated options.
 *
 * Accepted spellings: --name=V, --name V, -name V (urfave/cli callers), -n V, -nV, -abc for flags,
 * --flag=false, --.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "cli/options.h"
#include "util/err.h"

enum opt_kind {
	OPT_FLAG,      /* bool; --x, --x=true, --x=false */
	OPT_TRI,       /* enum opt_tri, spelled as OPT_FLAG */
	OPT_STR,       /* const char * */
	OPT_WORD,      /* const char *, one of the words in `arg`: "table|json" */
	OPT_LIST,      /* struct opt_list: may be repeated */
	OPT_INT,       /* struct opt_num */
	OPT_COUNT,     /* struct opt_num, not negative */
	OPT_SIZE,      /* struct opt_num, bytes: 64m, 1.5g, -1 */
	OPT_DURATION,  /* struct opt_num, milliseconds: 10 (seconds), 1m30s, 250ms, -1 */
	OPT_NANO,      /* struct opt_num, 1e-9: 1.5 */
};

/* Headings under which help and man pages list the options. */
enum opt_section { OPT_MAIN, OPT_PULLING, OPT_RESOURCES, OPT_SECURITY, OPT_LOGGING, OPT_BUNDLE, OPT_SECTIONS };

struct opt {
	char name[24];      /* without dashes */
	char letter;        /* 0: none */
	uint8_t kind;       /* enum opt_kind */
	uint8_t faces;      /* enum face; 0: both */
	uint8_t section;    /* enum opt_section */
	uint16_t off;       /* where the value lands in the command's struct */
	const char *arg;    /* word for the value in the help; NULL for flags */
	const char *help;   /* one line, lower case, no full stop */
};

/* Offset of a member, which must have type C (or the table does not compile). */
#define OPT_AT(T, m, C) (uint16_t)(offsetof(T, m) + \
	0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((T *)0)->m), C) ? 1 : -1]))

#define OPT_FLAG_AT(T, m)     .kind = OPT_FLAG, .off = OPT_AT(T, m, bool)
#define OPT_TRI_AT(T, m)      .kind = OPT_TRI, .off = OPT_AT(T, m, enum opt_tri)
#define OPT_STR_AT(T, m)      .kind = OPT_STR, .off = OPT_AT(T, m, const char *)
#define OPT_WORD_AT(T, m)     .kind = OPT_WORD, .off = OPT_AT(T, m, const char *)
#define OPT_LIST_AT(T, m)     .kind = OPT_LIST, .off = OPT_AT(T, m, struct opt_list)
#define OPT_INT_AT(T, m)      .kind = OPT_INT, .off = OPT_AT(T, m, struct opt_num)
#define OPT_COUNT_AT(T, m)    .kind = OPT_COUNT, .off = OPT_AT(T, m, struct opt_num)
#define OPT_SIZE_AT(T, m)     .kind = OPT_SIZE, .off = OPT_AT(T, m, struct opt_num)
#define OPT_DURATION_AT(T, m) .kind = OPT_DURATION, .off = OPT_AT(T, m, struct opt_num)
#define OPT_NANO_AT(T, m)     .kind = OPT_NANO, .off = OPT_AT(T, m, struct opt_num)

/* The rows of one command, and how its line is read. */
struct opt_set {
	const struct opt *rows;
	size_t count;
	uint8_t face;           /* rows of other faces are unknown; 0: all rows count */
	bool stops_at_word;     /* options end at the first word (run, exec), not only at "--" */
};

/*
 * Parses argv[0..argc) into `target`, the zeroed struct of the rows. Moves the words that are no options to
 * the front of argv and returns their count. -EINVAL: wrong usage, told in `e`. -ECANCELED: --help was asked
 * for (-h too, where no row has that letter).
 */
int opt_parse(const struct opt_set *set, void *target, int argc, char **argv, struct err *e);

/* Finds a row by its long name. NULL: none. */
const struct opt *opt_find(const struct opt_set *set, const char *name, size_t len);

/* The values of the number kinds, for other users: 0 or -EINVAL. */
int opt_size(const char *text, int64_t *ret_bytes);
int opt_duration(const char *text, int64_t *ret_ms);
