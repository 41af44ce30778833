/* SPDX-License-Identifier: Apache-2.0 */
/* From JSON text to a jansson tree that lives in an arena. For util/jx.c alone. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "util/arena.h"
#include "util/err.h"

/*
 * Parses a text. The tree is never to be released: it goes with the arena. Integers that jansson cannot hold
 * become strings that start with NUL, followed by the digits as written; no other string of the tree contains
 * a NUL.
 */
int jx_text_parse(const char *bytes, size_t len, const char *origin, struct arena *arena, json_t **ret_tree,
		  struct err *e);

/* Whether a value is such an integer; then its digits. */
const char *jx_text_big(const json_t *value);
