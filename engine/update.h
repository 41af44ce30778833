/* SPDX-License-Identifier: Apache-2.0 */
/* New limits for a container by name. Caller: cli. */
#pragma once
#include "engine/verbs.h"
#include "runtime/update.h"

/*
 * Changes a container while it runs, and what `start` will make of it again; one that has stopped is changed for its
 * next start. A container without a record is an OCI container, which must be there. All of it, or nothing.
 */
int engine_update(const struct engine *g, const char *name, const struct update_request *rq, struct err *e);
