/* SPDX-License-Identifier: Apache-2.0 */
/* See limits.h. The second stage: a plan reaches the files of a group. */
#include "cgroup/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cgroup/attr.h"
#include "util/fd.h"

/* Puts the group's own quota in the place of the first word of "max PERIOD". */
static int write_keeping_quota(int group_fd, const struct cgroup_write *w)
{
	char now[64], value[96];
	int r = attr_read(group_fd, w->file, now, sizeof(now));
	if (r < 0)
		return r;
	now[strcspn(now, " ")] = '\0';
	const char *period = strchr(w->value, ' ');
	snprintf(value, sizeof(value), "%s%s", now, period ? period : "");
	return file_write(group_fd, w->file, value);
}

static int write_one(int group_fd, const struct cgroup_write *w)
{
	int r = w->keeps_quota ? write_keeping_quota(group_fd, w) : file_write(group_fd, w->file, w->value);
	if (r == -ENOENT && w->alt_file)
		r = file_write(group_fd, w->alt_file, w->alt_value);
	/* Without swap accounting there is no file, and nothing that would let swap be used. */
	bool is_swap = strcmp(w->file, "memory.swap.max") == 0;
	if (r == -ENOENT && (w->is_default || (is_swap && strcmp(w->value, "0") == 0)))
		return 0;
	return r;
}

static int explain(int r, const struct cgroup_write *w, struct err *e)
{
	if (r == -ENOENT && w->alt_file)
		return err_new(e, EOPNOTSUPP, "%s: this kernel offers neither %s nor %s", w->path, w->file,
			       w->alt_file);
	if (r == -ENOENT)
		return err_new(e, EOPNOTSUPP, "%s: this kernel does not offer %s", w->path, w->file);
	return err_ret(e, r, "%s: %s %s", w->path, w->file, w->value);
}

static int apply(int group_fd, const struct cgroup_limits *limits, bool is_fresh, bool skips_last, struct err *e)
{
	bool is_retry_due = false;
	for (size_t i = 0; i < limits->n; i++) {
		const struct cgroup_write *w = &limits->v[i];
		if ((is_fresh && w->is_default) || (skips_last && strcmp(w->file, PIDS_MAX) == 0))
			continue;
		int r = write_one(group_fd, w);
		if (r == -EINVAL && w->is_retried)
			is_retry_due = true;
		else if (r < 0)
			return explain(r, w, e);
	}
	for (size_t i = 0; is_retry_due && i < limits->n; i++) {
		const struct cgroup_write *w = &limits->v[i];
		int r = w->is_retried ? write_one(group_fd, w) : 0;
		if (r < 0)
			return explain(r, w, e);
	}
	return 0;
}

int limits_apply(int group_fd, const struct cgroup_limits *limits, bool is_fresh, struct err *e)
{
	return apply(group_fd, limits, is_fresh, false, e);
}

int limits_apply_first(int group_fd, const struct cgroup_limits *limits, bool is_fresh, struct err *e)
{
	return apply(group_fd, limits, is_fresh, limits->has_last, e);
}

int limits_apply_last(int group_fd, const struct cgroup_limits *limits, struct err *e)
{
	for (size_t i = 0; limits->has_last && i < limits->n; i++) {
		const struct cgroup_write *w = &limits->v[i];
		int r = strcmp(w->file, PIDS_MAX) == 0 ? write_one(group_fd, w) : 0;
		if (r < 0)
			return explain(r, w, e);
	}
	return 0;
}

int limits_check_usage(int group_fd, const struct spec_resources *resources, const char *prefix, struct err *e)
{
	const struct spec_memory *m = resources ? resources->memory : NULL;
	uint64_t used, swapped = 0;
	if (!m || !m->check_before_update.v || m->limit.v <= 0)
		return 0;
	int r = attr_u64(group_fd, "memory.current", &used);
	/* Without the controller nothing has been counted so far. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_ret(e, r, "%smemory.checkBeforeUpdate: memory.current", prefix);
	attr_u64(group_fd, "memory.swap.current", &swapped);
	if (m->swap.v > 0 && (uint64_t)m->swap.v <= used + swapped)
		return err_new(e, EBUSY, "%smemory.swap: %" PRId64 " is not above the %" PRIu64 " bytes of memory and "
			       "swap in use now, and checkBeforeUpdate asks to refuse that", prefix, m->swap.v,
			       used + swapped);
	if ((uint64_t)m->limit.v <= used)
		return err_new(e, EBUSY, "%smemory.limit: %" PRId64 " is not above the %" PRIu64 " bytes in use now, "
			       "and checkBeforeUpdate asks to refuse that", prefix, m->limit.v, used);
	return 0;
}
