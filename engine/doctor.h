/* SPDX-License-Identifier: Apache-2.0 */
/* What this host offers: each thing that containers need is tried, not looked up. Caller: cli (doctor). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "util/arena.h"

enum doctor_state { DOCTOR_OK, DOCTOR_MISSING, DOCTOR_FAILED };

struct doctor_check {
	const char *name;
	enum doctor_state state;     /* FAILED: missing, and nothing runs without */
	const char *found;           /* what is there */
	const char *remedy;          /* "" when nothing is to be done */
};

/* "ok", "missing", "failed" */
const char *doctor_word(enum doctor_state state);

/* Makes all checks. Leaves nothing behind: what has to be tried for real is tried in children. In the arena. */
void doctor(struct arena *a, struct doctor_check **ret_checks, size_t *ret_count);
