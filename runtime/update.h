/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New limits for a container that is there. What the change does not name stays as it is; the configuration that the
 * state directory keeps follows, so that the next update and a restore start from it. Callers: engine, cli.
 * Source: runtime-spec config-linux.md "Control groups".
 */
#pragma once
#include <stddef.h>

#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"
#include "util/mem.h"

/* What is asked for. What it does not name stays as it is. */
struct update_request {
	const struct spec_resources *resources;
	const char *l3_cache_schema, *mem_bw_schema;   /* of linux.intelRdt; NULL: as they are */
};

/* A change and what comes of it. */
struct update {
	struct spec_resources change;  /* what is to be written now, with what the change depends on */
	struct spec_resources joined;  /* what the container has afterwards */
};

/*
 * Joins a change with what was there and judges both; paths in messages start at linux.resources. Zeros that mean
 * "unset" say nothing. Pure. `base` may be NULL.
 */
int update_plan(const struct spec_resources *base, const struct spec_resources *change, struct arena *a,
		struct update *ret, struct err *e);

/* Reads the config.json below `dirfd`, joins the change into it, and gives the new text. Changes nothing. */
int update_config(int dirfd, const struct update_request *rq, struct str *ret_text, struct err *e);

/*
 * Changes the group's limits, the device program and the resctrl class of a container that is created, running or
 * paused, and its stored configuration: all of it, or nothing. "container not running": it has stopped.
 */
int container_update(int root, const char *id, const struct update_request *rq, struct err *e);
