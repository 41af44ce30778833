/* SPDX-License-Identifier: Apache-2.0 */
/* See limits_change.h. */
#include "cgroup/limits_change.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/attr.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"

enum { FILE_TEXT_MAX = 64 << 10 };

/* ---- what was there ---- */

/* Files with a line for each device, and what a device has whose line is missing. cgroup-v2.rst. */
static const struct keyed {
	const char *file, *unset;
} keyed_files[] = {
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default" },
	{ "io.bfq.weight", "default" },
	{ "rdma.max", "hca_handle=max hca_object=max" },
};

static const struct keyed *find_keyed(const char *file)
{
	for (size_t i = 0; i < ARRAY_LEN(keyed_files); i++)
		if (strcmp(keyed_files[i].file, file) == 0)
			return &keyed_files[i];
	return NULL;
}

static void save(int group_fd, const struct cgroup_limits *limits, struct arena *a, struct limits_saved *ret)
{
	free_auto char *text = mem_alloc(FILE_TEXT_MAX);
	ret->v = arena_array(a, limits->n, sizeof(*ret->v));
	ret->n = limits->n;
	for (size_t i = 0; i < limits->n; i++) {
		const struct cgroup_write *w = &limits->v[i];
		bool is_alt = w->alt_file && faccessat(group_fd, w->file, F_OK, 0) < 0;
		struct limits_was *was = &ret->v[i];
		was->file = is_alt ? w->alt_file : w->file;
		was->written = is_alt ? w->alt_value : w->value;
		was->text = attr_read(group_fd, was->file, text, FILE_TEXT_MAX) < 0 ? NULL : arena_str(a, text);
		if (was->text && !*was->text &&
		    attr_read(group_fd, arena_fmt(a, "%s.effective", was->file), text, FILE_TEXT_MAX) >= 0)
			was->effective = arena_str(a, text);
	}
}

/* ---- the way back ---- */

/* The line of a device, or what it has without one. Weights of all others stand in a line "default N", or alone. */
static int put_back_keyed(int group_fd, const struct limits_was *was, const struct keyed *k)
{
	bool is_device = strchr(was->written, ' ') && strncmp(was->written, "default ", 8) != 0;
	const char *key = is_device ? was->written : "default ";
	size_t len = strcspn(key, " ") + 1;
	for (const char *line = was->text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 || !is_device)
			return file_write_bytes(group_fd, was->file, line, strcspn(line, "\n"));
	}
	free_auto char *unset = mem_fmt("%.*s%s", (int)len, key, k->unset);
	return file_write(group_fd, was->file, unset);
}

static int put_back(int group_fd, const struct limits_was *was)
{
	const struct keyed *k = find_keyed(was->file);
	if (k)
		return put_back_keyed(group_fd, was, k);
	/*
	 * An empty list of processors is written as an empty line: a write of no bytes does not reach the kernel. One
	 * that refuses it for a group with processes (Linux 6.1) takes the list that it came to.
	 */
	int r = *was->text ? 0 : file_write(group_fd, was->file, "\n");
	if (r == -ENOSPC && was->effective)
		r = file_write(group_fd, was->file, was->effective);
	for (const char *line = was->text; r == 0 && line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		r = file_write_bytes(group_fd, was->file, line, strcspn(line, "\n"));
	}
	return r;
}

void limits_put_back(int group_fd, const struct limits_saved *saved)
{
	/* In a second round, what the kernel refuses as long as another file is not back: cpu.max and its burst. */
	for (size_t round = 0, failed = 1; round < 2 && failed; round++) {
		failed = 0;
		for (size_t i = saved->n; i-- > 0;) {
			const struct limits_was *was = &saved->v[i];
			int r = was->text ? put_back(group_fd, was) : 0;
			failed += r < 0;
			if (r < 0 && round == 1)
				log_warn("cgroup: %s could not be put back to \"%s\": %s", was->file, was->text,
					 strerror(-r));
		}
	}
}

/* ---- the change ---- */

static uint64_t amount(const char *text)
{
	return strcmp(text, "max") == 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

/* Swap that grows comes before memory that shrinks: what no longer fits can go there. */
static void order_memory(int group_fd, struct cgroup_limits *limits)
{
	struct cgroup_write *memory = NULL, *swap = NULL;
	uint64_t now;
	for (size_t i = 0; i < limits->n; i++) {
		struct cgroup_write *w = &limits->v[i];
		if (!memory && strcmp(w->file, "memory.max") == 0)
			memory = w;
		if (!swap && strcmp(w->file, "memory.swap.max") == 0)
			swap = w;
	}
	if (!memory || !swap || attr_u64(group_fd, swap->file, &now) < 0 || amount(swap->value) <= now)
		return;
	struct cgroup_write first = *swap;
	*swap = *memory;
	*memory = first;
}

int limits_change(int group_fd, struct cgroup_limits *limits, struct arena *a, struct limits_saved *ret_saved,
		  struct err *e)
{
	struct limits_saved saved = { 0 };
	order_memory(group_fd, limits);
	save(group_fd, limits, a, &saved);
	int r = limits_apply(group_fd, limits, false, e);
	if (r < 0)
		limits_put_back(group_fd, &saved);
	else
		*ret_saved = saved;
	return r;
}
