/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest known key to a misspelt one. For util/jx.c alone; words have jx_nearest (jx.h). */
#pragma once
#include "util/jx.h"

/* The key of the row that is nearest to `key`, or NULL when none is near. */
const char *jx_near_field(const struct jx_field *rows, const char *key);
