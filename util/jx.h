/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by rows: a table says which key lands where in a struct, and jx reads or prints the struct by it.
 *
 * Callers: spec/ (config.json), image/ (index, manifest, image config), runtime/ (state.json). Reading is
 * strict: wrong types, numbers out of range, duplicate keys, NUL in strings, too deep or too large texts
 * are refused with the exact path. Unknown keys are left alone, unless somebody asks for them. null is
 * absent. Strings are borrowed from the arena.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "util/arena.h"
#include "util/err.h"
#include "util/mem.h"

/* ---- the member types that rows fill ---- */

struct opt_bool {
	bool has;  /* false: the key is absent or null; v is false */
	bool v;
};

struct opt_i32 {
	bool has;
	int32_t v;
};

struct opt_u32 {
	bool has;
	uint32_t v;
};

struct opt_i64 {
	bool has;
	int64_t v;
};

struct opt_u64 {
	bool has;
	uint64_t v;
};

struct strs {
	const char **v;  /* n strings; v[n] is NULL once the key is there, so a list serves as argv */
	size_t n;
};

struct u32s {
	uint32_t *v;
	size_t n;
};

struct pair {
	const char *key;
	const char *value;
};

struct pairs {
	struct pair *v;  /* in the order of the text */
	size_t n;
};

/* What each `struct X { struct Y *v; size_t n; }` of a LIST or MAP looks like to the reader. */
struct jx_list {
	void *v;
	size_t n;
};

/* A word and its number; a table ends with a row without a name. */
struct jx_word {
	const char *name;
	int64_t value;
};

/* ---- rows ---- */

enum jx_kind {
	JXK_END,
	JXK_STR,    /* const char *; NULL: absent */
	JXK_BOOL,   /* struct opt_bool */
	JXK_I32,    /* struct opt_i32 */
	JXK_U32,    /* struct opt_u32 */
	JXK_I64,    /* struct opt_i64 */
	JXK_U64,    /* struct opt_u64; the only kind that takes more than INT64_MAX */
	JXK_STRS,   /* struct strs */
	JXK_U32S,   /* struct u32s */
	JXK_PAIRS,  /* struct pairs: an object of strings */
	JXK_OBJ,    /* pointer to a struct; NULL: absent */
	JXK_LIST,   /* struct { T *v; size_t n; }: an array of objects */
	JXK_MAP,    /* as LIST, from an object of objects: each T starts with `const char *key` */
	JXK_ENUM,   /* int: a word of a table; 0: absent, if the table has no 0 */
	JXK_FLAGS,  /* struct opt_u64: an array of words, or-ed */
	JXK_SKIP,   /* a known key that is not read */
};

struct jx_field {
	const char *key;              /* the JSON name */
	enum jx_kind kind;
	bool must;                    /* absent is a breach */
	bool blank;                   /* STR: "" is absent, as callers in Go write it */
	bool flat;                    /* MAP: each value is not an object but what the first row of `sub` says */
	size_t off;                   /* where in the struct */
	size_t size;                  /* OBJ, LIST, MAP: bytes of one element */
	const struct jx_field *sub;   /* OBJ, LIST, MAP: its rows */
	const struct jx_word *words;  /* ENUM, FLAGS: its table */
};

/* The offset of member m, provided that its type is C; anything else does not compile. */
#define JX_AT(T, m, C) \
	(offsetof(T, m) + 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((T *)0)->m), C) ? 1 : -1]))

/* The offset of list m, provided that it is two members, v and n, of which v points to E. */
#define JX_AT_LIST(T, m, E) \
	(JX_AT(T, m.v, E *) - offsetof(struct jx_list, v) + \
	 0 * sizeof(char[sizeof(((T *)0)->m) == sizeof(struct jx_list) ? 1 : -1]))

/* clang-format off: one macro per line */
/* One row: struct type, member, JSON name; then `.must = true` where the key is required. */
#define JX_STR(T, m, k, ...)   { .key = k, .kind = JXK_STR, .off = JX_AT(T, m, const char *), __VA_ARGS__ }
#define JX_BOOL(T, m, k, ...) { .key = k, .kind = JXK_BOOL, .off = JX_AT(T, m, struct opt_bool), __VA_ARGS__ }
#define JX_I32(T, m, k, ...)   { .key = k, .kind = JXK_I32, .off = JX_AT(T, m, struct opt_i32), __VA_ARGS__ }
#define JX_U32(T, m, k, ...)   { .key = k, .kind = JXK_U32, .off = JX_AT(T, m, struct opt_u32), __VA_ARGS__ }
#define JX_I64(T, m, k, ...)   { .key = k, .kind = JXK_I64, .off = JX_AT(T, m, struct opt_i64), __VA_ARGS__ }
#define JX_U64(T, m, k, ...)   { .key = k, .kind = JXK_U64, .off = JX_AT(T, m, struct opt_u64), __VA_ARGS__ }
#define JX_STRS(T, m, k, ...)  { .key = k, .kind = JXK_STRS, .off = JX_AT(T, m, struct strs), __VA_ARGS__ }
#define JX_U32S(T, m, k, ...)  { .key = k, .kind = JXK_U32S, .off = JX_AT(T, m, struct u32s), __VA_ARGS__ }
#define JX_PAIRS(T, m, k, ...) { .key = k, .kind = JXK_PAIRS, .off = JX_AT(T, m, struct pairs), __VA_ARGS__ }
#define JX_ENUM(T, m, k, w, ...) \
	{ .key = k, .kind = JXK_ENUM, .off = JX_AT(T, m, int), .words = (w), __VA_ARGS__ }
#define JX_FLAGS(T, m, k, w, ...) \
	{ .key = k, .kind = JXK_FLAGS, .off = JX_AT(T, m, struct opt_u64), .words = (w), __VA_ARGS__ }
/* E: the element's struct type; r: its rows. */
#define JX_OBJ(T, m, k, E, r, ...) \
	{ .key = k, .kind = JXK_OBJ, .off = JX_AT(T, m, E *), .size = sizeof(E), .sub = (r), __VA_ARGS__ }
#define JX_LIST(T, m, k, E, r, ...) \
	{ .key = k, .kind = JXK_LIST, .off = JX_AT_LIST(T, m, E), .size = sizeof(E), .sub = (r), __VA_ARGS__ }
#define JX_MAP(T, m, k, E, r, ...) \
	{ .key = k, .kind = JXK_MAP, .off = JX_AT_LIST(T, m, E) + 0 * JX_AT(E, key, const char *), \
	  .size = sizeof(E), .sub = (r), __VA_ARGS__ }
#define JX_SKIP(k) { .key = k, .kind = JXK_SKIP }
#define JX_END { .key = NULL, .kind = JXK_END }
/* clang-format on */

/* ---- reading ---- */

/* A longer text is refused, as is one of more than 2048 levels (jansson's limit). */
enum { JX_BYTES_MAX = 16 << 20 };

/* Gets one breach ("path: what is wrong") or one unknown key (path, and the nearest known key or NULL). */
typedef void jx_breach_fn(void *ctx, const char *message);
typedef void jx_unknown_fn(void *ctx, const char *path, const char *nearest);

/* Who wants to know more than the first breach. All may be NULL. */
struct jx_listener {
	jx_breach_fn *breach;    /* called for every breach; reading goes on, to -EINVAL at the end */
	jx_unknown_fn *unknown;  /* called for every key that has no row */
	void *ctx;
};

/*
 * Reads a text into `out` (zeroed by the caller) by rows. `origin` names the text in syntax errors
 * ("config.json:12:5: ..."). `listener` may be NULL. What is read lives as long as the arena. On failure
 * `out` is partly filled. -EINVAL: syntax or a breach, -EFBIG: too long. Runs in the parent; not for two
 * threads at a time.
 */
int jx_load(const char *bytes, size_t len, const char *origin, const struct jx_field *rows, void *out,
	    struct arena *arena, const struct jx_listener *listener, struct err *e);

/* As jx_load, from a regular file below `dirfd` (last component may be a symlink). */
int jx_load_file(int dirfd, const char *name, const struct jx_field *rows, void *out, struct arena *arena,
		 const struct jx_listener *listener, struct err *e);

/* The known word that is nearest to a misspelt one, or NULL when none is near. */
const char *jx_nearest(const struct jx_word *words, const char *word);

/* A word's row by name or by value, or NULL. */
const struct jx_word *jx_word_find(const struct jx_word *words, const char *name);
const char *jx_word_name(const struct jx_word *words, int64_t value);

/* ---- printing ---- */

/* Whether the member `at` of a row is there. A list is there as soon as its key is, even when it is empty. */
bool jx_has(const struct jx_field *row, const void *at);

/* Appends a struct as JSON text: absent members are left out. `indent` spaces per level; 0: one line. */
void jx_print(struct str *out, const struct jx_field *rows, const void *in, int indent);

/* Appends a string as a JSON literal with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void jx_print_string(struct str *out, const char *text);
