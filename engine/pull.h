/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are not in the store when something is run from them. Callers: engine/run. Runs in the parent. */
#pragma once
#include <stdbool.h>

#include "util/err.h"
#include "util/jx.h"

/* --pull: when a registry is asked. */
enum pull_when {
	PULL_MISSING, /* for what the store does not have */
	PULL_ALWAYS,
	PULL_NEWER,   /* always, but what the store has does if the registry gives nothing */
	PULL_NEVER,
};

/* Whether a word can be a name in a registry; digests, and IDs of 64 digits, are not. */
bool pull_is_name(const char *word);

/*
 * Executes `kist-registry pull OPTIONS WORD` and waits for it; its warnings and its progress go to standard error. It ends
 * when we do.
 */
int pull_image(const char *store, const struct strs *options, const char *word, struct err *e);
