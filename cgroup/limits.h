/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources to writes of cgroup v2 files, in two stages. Callers: runtime/plan, runtime/update, `kist plan`.
 * Device rules are not here but in cgroup/devices. Source: config-linux.md, "Control groups"; cgroup-v2.rst.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "cgroup/controllers.h"
#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

/* One write of one line. */
struct cgroup_write {
	const char *path;        /* of the key that asks for it: "linux.resources.memory.limit" */
	const char *controller;  /* NULL: core files, always there */
	const char *file;        /* "memory.max" */
	const char *value;       /* "67108864" */
	const char *alt_file;    /* to be written instead when `file` does not exist; or NULL */
	const char *alt_value;
	bool is_default;         /* what a new group has anyway: needs no controller, a missing file is no loss */
	bool is_retried;         /* on EINVAL once more after all others: it depends on one of them */
	bool keeps_quota;        /* cpu.max: an existing quota takes the place of the first word */
};

#define PIDS_MAX "pids.max"

struct cgroup_limits {
	struct cgroup_write *v;      /* in the order to write them; in the arena */
	size_t n;
	struct cgroup_need need;     /* controllers without which they cannot be set */
	bool has_last;               /* pids.max is so low that no process might be cloned into the group after that */
};

/*
 * Plans all that `resources` (NULL: nothing) asks for. Pure: no system call. `prefix` starts the JSON paths:
 * "linux.resources." or, for an update's own file, "". -EINVAL or -EOPNOTSUPP (a key of cgroup v1 that v2 cannot do):
 * the message has the path. Strings live in the arena, or are those of the spec.
 */
int limits_plan(const struct spec_resources *resources, const char *prefix, struct arena *a,
		struct cgroup_limits *ret_limits, struct err *e);

/*
 * Writes the plan into a group, stopping at the first failure: "linux.resources.memory.limit: memory.max 1: Invalid
 * argument". `is_fresh`: the group was made just now, so that defaults need not be written. Runs in the parent.
 */
int limits_apply(int group_fd, const struct cgroup_limits *limits, bool is_fresh, struct err *e);

/* The same for a group that has no process yet, in two parts: with has_last, pids.max is for the second alone. */
int limits_apply_first(int group_fd, const struct cgroup_limits *limits, bool is_fresh, struct err *e);
int limits_apply_last(int group_fd, const struct cgroup_limits *limits, struct err *e);

/*
 * For an update with memory.checkBeforeUpdate: -EBUSY when the new memory limit is not above what the group uses now,
 * or that of memory and swap together not above what it uses of both.
 * config-linux.md, "Memory".
 */
int limits_check_usage(int group_fd, const struct spec_resources *resources, const char *prefix, struct err *e);
