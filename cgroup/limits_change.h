/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of a group that lives: what stood in its files before is kept, so that a change happens whole or not at all.
 * Caller: runtime/update.
 */
#pragma once
#include "cgroup/limits.h"
#include "util/arena.h"
#include "util/err.h"

struct limits_saved {
	struct limits_was {
		const char *file;
		const char *written;  /* by the plan; names the device in files with a line for each */
		const char *text;     /* what stood there; NULL: the file cannot be read */
		const char *effective;  /* of an empty list of processors or nodes: what that came to */
	} *v;
	size_t n;
};

/*
 * Applies a plan. `ret_saved` is for limits_put_back, should the caller fail later. On failure of its own everything
 * is as it was. What raises a memory limit is written before what lowers one, so that at no time less is left than
 * before and after.
 */
int limits_change(int group_fd, struct cgroup_limits *limits, struct arena *a, struct limits_saved *ret_saved,
		  struct err *e);

/* Writes back what stood in the files. What cannot be put back is told by a warning. */
void limits_put_back(int group_fd, const struct limits_saved *saved);
