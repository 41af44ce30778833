/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists for people and for programs from one description: a table, a JSON array, a template of Docker's kind,
 * or keys only. Callers: ps, list, images (rows of structs), inspect (JSON). Prints to standard output.
 *
 * Templates have at least one {{...}}: {{.Field}} by Docker's name or the JSON key, {{json .Field}}, {{json .}}; and \t and
 * \n. "table " before a template is accepted and ignored. Nothing else of Go's template language is.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "util/arena.h"
#include "util/err.h"
#include "util/mem.h"

enum out_kind {
	OUT_STR,   /* const char *; NULL prints as nothing, in JSON as "" */
	OUT_I64,   /* int64_t */
	OUT_BOOL,  /* bool */
	OUT_JSON,  /* const char *: JSON text, such as an object of labels; not for tables */
};

struct out_field {
	const char *key;      /* JSON name */
	const char *header;   /* of its column; NULL: not in the table */
	const char *docker;   /* name in templates beside the key; NULL: none */
	enum out_kind kind;
	size_t off;           /* in the row's struct */
};

#define OUT_AT(T, m, C) \
	(offsetof(T, m) + 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((T *)0)->m), C) ? 1 : -1]))

/* One field: struct type, member, JSON name; then .header and .docker where it has them. */
#define OUT_STR(T, m, k, ...) \
	{ .key = (k), .kind = OUT_STR, .off = OUT_AT(T, m, const char *), __VA_ARGS__ }
#define OUT_I64(T, m, k, ...) \
	{ .key = (k), .kind = OUT_I64, .off = OUT_AT(T, m, int64_t), __VA_ARGS__ }
#define OUT_BOOL(T, m, k, ...) \
	{ .key = (k), .kind = OUT_BOOL, .off = OUT_AT(T, m, bool), __VA_ARGS__ }
#define OUT_JSON(T, m, k, ...) \
	{ .key = (k), .kind = OUT_JSON, .off = OUT_AT(T, m, const char *), __VA_ARGS__ }

struct out_list {
	const struct out_field *fields;
	size_t count;
	size_t row_size;
	size_t key;           /* index of the field that -q prints */
	bool has_no_heading;  /* a table without its first line */
};

/*
 * Prints rows: only keys if `is_quiet`, else by `format`: NULL or "table", "json", or a template. -EINVAL:
 * the template is wrong (nothing was printed); -EIO and others: standard output.
 */
int out_rows(const struct out_list *list, const char *format, bool is_quiet, const void *rows,
	     size_t row_count, struct err *e);

/*
 * Prints JSON objects, for inspect: NULL or "json": one array, indented; else a template whose {{.State.Pid}}
 * looks up keys, upper and lower case being the same. Missing keys are -EINVAL; nothing is printed then.
 */
int out_objects(json_t *array, const char *format, struct err *e);

/* "1.2GB", by powers of 1000 as Docker has it. Lives in the arena. */
const char *out_size(struct arena *a, int64_t bytes);
