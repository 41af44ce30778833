/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's containers are and do, for ps and inspect. Reads only. Caller: cli. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

#include "engine/verbs.h"
#include "util/arena.h"

/* One container in a list; strings live in the arena. */
struct engine_row {
	const char *name;
	const char *image;        /* NULL: none */
	const char *command;      /* quoted and cut, for people */
	const char *created;      /* RFC 3339 */
	const char *age;          /* "3 minutes ago" */
	const char *status;       /* "Up 3 minutes", "Exited (0) 3 minutes ago", "Created", "Dead" */
	const char *state;        /* "running", "paused", "exited", "created", "dead" */
	const char *labels;       /* JSON object */
	int64_t pid;              /* 0: it does not run */
	int64_t exit_code;
};

/* Lists the containers with a record, oldest first; only those that run unless `all`. */
int engine_list(const struct engine *g, bool all, struct arena *a, struct engine_row **ret_rows, size_t *ret_count,
		struct err *e);

/* All that is known of one container, as an object with Docker's keys and the OCI configuration as "Spec". */
int engine_inspect(const struct engine *g, const char *name, json_t **ret_object, struct err *e);
