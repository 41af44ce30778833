/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs what fills the store in a child, so that an interrupt (Ctrl-C, SIGTERM, SIGHUP) takes all of its threads at any
 * instant, whatever they wait for, and the parent then cleans up at once what would be left for the next command. Part
 * of kist-image and kist-registry.
 */
#pragma once
#include "image/store.h"

/*
 * Returns what `run` returned in the child, with its words. A signal that ends the child ends this process too, the
 * same way, after the cleaning up.
 */
int guard_run(const struct store *s, int (*run)(const struct store *s, void *ctx, struct err *e), void *ctx,
	      struct err *e);
