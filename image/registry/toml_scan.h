/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest pieces of TOML: blanks, keys, strings, numbers. For image/registry/toml alone. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "util/err.h"
#include "util/mem.h"

struct toml_scan {
	const char *p;
	const char *end;
	unsigned int line;
	const char *origin;
};

/* Starts a chain with "ORIGIN:LINE: ". Returns -EINVAL. */
int toml_wrong(const struct toml_scan *s, struct err *e, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The next character; NUL at the end. */
char toml_peek(const struct toml_scan *s);
bool toml_is_end(const struct toml_scan *s);
bool toml_take(struct toml_scan *s, char c);

/* Skips blanks; blanks, newlines and comments; what may follow in a line behind a value. */
void toml_blank(struct toml_scan *s);
int toml_lines(struct toml_scan *s, struct err *e);
int toml_line_end(struct toml_scan *s, struct err *e);

/* A bare or quoted part of a key; a string (of several lines, if `may_span`). Without NUL in it. The caller frees. */
int toml_key(struct toml_scan *s, char **ret, size_t *ret_len, struct err *e);
int toml_string(struct toml_scan *s, bool may_span, char **ret, size_t *ret_len, struct err *e);

bool toml_bool(struct toml_scan *s, bool *ret);
int toml_integer(struct toml_scan *s, int64_t *ret, struct err *e);
