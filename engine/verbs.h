/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to containers by name: stop, wait, rm. A name without a record may still be an OCI container of the
 * state directory; stop and rm take it then. Caller: cli.
 */
#pragma once
#include <stdbool.h>

#include "engine/record.h"
#include "runtime/control.h"
#include "util/err.h"

struct engine {
	const char *state_root, *store;
};

/* How a stop went. */
struct stop_report {
	enum stop_outcome outcome;
	char signal[32];          /* that was sent: "SIGTERM" */
	int64_t grace_ms;
};

/*
 * Sends the stop signal (`signal`, else the container's, else TERM), waits for the grace period (`timeout_ms`, else the
 * container's, else 10 s; -1: for ever), then kills. Returns when the container's keeper has finished too.
 * -ENOENT: no such container.
 */
int engine_stop(const struct engine *g, const char *name, const char *signal, struct opt_i64 timeout_ms,
		struct stop_report *ret, struct err *e);

/* Waits for the end of a container, also of one that goes away by --rm. -ENODATA: nobody saw how it ended. */
int engine_wait(const struct engine *g, const char *name, int *ret_status, struct err *e);

/* Removes a container. `force`: kills it first, and what is not there is success. */
int engine_remove(const struct engine *g, const char *name, bool force, struct err *e);

/*
 * Removes a container that nobody was seen to run, under its lock, so that nobody makes or starts it meanwhile. -EBUSY: it
 * runs by now. -ENOENT: it is gone.
 */
int engine_remove_ended(const struct engine *g, const char *name, struct err *e);
