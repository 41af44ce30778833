/* SPDX-License-Identifier: Apache-2.0 */
/* Removes all containers that do not run: prune and system prune. Caller: cli. */
#pragma once
#include <stdint.h>

#include "engine/verbs.h"

/* Is told each name as soon as its container is gone; the walk ends when it returns non-zero. */
typedef int prune_fn(void *ctx, const char *name);

/*
 * Removes the containers that were never started, have ended, or are remains of a command that was killed. One that starts
 * to run meanwhile, or is removed by somebody else, is left alone. Each is tried; the error is that of the last that could
 * not go. *ret_bytes: what the disk got back. Returns what `gone` returned, 0, or -errno.
 */
int engine_prune(const struct engine *g, prune_fn *gone, void *ctx, uint64_t *ret_bytes, struct err *e);
