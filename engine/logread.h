/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A detached container's log, as it is read: through the rotated files in their order, and on with what comes, until
 * the container has ended. Pieces (P) of a line are joined. Reads only. Caller: cli. Sources: inotify(7); the format is
 * in engine/logfile.h.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "engine/record.h"
#include "util/err.h"

struct logread_options {
	bool is_follow;
	bool is_timed;            /* each line begins with its time */
	int64_t tail;             /* lines; -1: all */
	struct timespec since;    /* zero: from the beginning */
};

/* Prints a container's log: its stdout to our standard output, its stderr to our standard error. */
int logread(const struct record_dir *d, const struct logread_options *o, struct err *e);
