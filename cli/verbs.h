/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the helper programs that work on the store have in common: they find a verb, read its options by the rows of
 * cli/words.h, open the store, run it, and print its error once. Callers: kist-image, kist-registry.
 */
#pragma once
#include "cli/image_cmd.h"

enum verb_store {
	VERB_MAKES_STORE, /* and makes one that is not there */
	VERB_READS_STORE, /* one that is not there is an empty one */
	VERB_WITHOUT_STORE,
};

struct verb {
	const char *name;
	image_verb_fn *run;
	enum verb_store store;
};

/* Runs `PROGRAM [--store DIR] VERB [ARG...]`. Returns the exit status. */
int verbs_main(const char *program, const struct verb *verbs, size_t count, int argc, char **argv);
