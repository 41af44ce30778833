/* SPDX-License-Identifier: Apache-2.0 */
/* See stat.h. */
#include "cgroup/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup/attr.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/num.h"

enum { STAT_TEXT_MAX = 16384, IO_TEXT_MAX = 1 << 20 };

/*
 * One counter: a file and, for flat keyed files, the line's key. Rows of one file stand together: it is read
 * once.
 */
struct counter {
	const char *file, *key;
	size_t at;
};

#define AT(member) offsetof(struct cgroup_stat, member)

static const struct counter counters[] = {
	{ "cpu.stat", "usage_usec", AT(cpu.usage_usec) },
	{ "cpu.stat", "user_usec", AT(cpu.user_usec) },
	{ "cpu.stat", "system_usec", AT(cpu.system_usec) },
	{ "cpu.stat", "nr_periods", AT(cpu.nr_periods) },
	{ "cpu.stat", "nr_throttled", AT(cpu.nr_throttled) },
	{ "cpu.stat", "throttled_usec", AT(cpu.throttled_usec) },
	{ "memory.current", NULL, AT(memory.current) },
	{ "memory.peak", NULL, AT(memory.peak) },
	{ "memory.max", NULL, AT(memory.limit) },
	{ "memory.low", NULL, AT(memory.low) },
	{ "memory.swap.current", NULL, AT(memory.swap_current) },
	{ "memory.swap.max", NULL, AT(memory.swap_limit) },
	{ "memory.stat", "anon", AT(memory.anon) },
	{ "memory.stat", "file", AT(memory.file) },
	{ "memory.stat", "kernel", AT(memory.kernel) },
	{ "memory.stat", "slab", AT(memory.slab) },
	{ "memory.stat", "sock", AT(memory.sock) },
	{ "memory.stat", "shmem", AT(memory.shmem) },
	{ "memory.stat", "inactive_file", AT(memory.inactive_file) },
	{ "memory.stat", "pgfault", AT(memory.pgfault) },
	{ "memory.stat", "pgmajfault", AT(memory.pgmajfault) },
	{ "memory.events", "oom", AT(memory.oom) },
	{ "memory.events", "oom_kill", AT(memory.oom_kill) },
	{ "memory.events", "max", AT(memory.max_events) },
	{ "memory.events", "high", AT(memory.high_events) },
	{ "pids.current", NULL, AT(pids.current) },
	{ "pids.peak", NULL, AT(pids.peak) },
	{ "pids.max", NULL, AT(pids.limit) },
};

static struct stat_u64 *counter_of(struct cgroup_stat *st, const struct counter *c)
{
	return (struct stat_u64 *)(void *)((char *)st + c->at);
}

/* Reads the keyed file of rows i.. and returns the index after its last row. */
static size_t read_keyed(int group_fd, size_t i, struct cgroup_stat *st, int *ret_r)
{
	char text[STAT_TEXT_MAX];
	const char *file = counters[i].file;
	*ret_r = attr_read(group_fd, file, text, sizeof(text));
	for (; i < ARRAY_LEN(counters) && strcmp(counters[i].file, file) == 0; i++) {
		struct stat_u64 *to = counter_of(st, &counters[i]);
		to->has = *ret_r >= 0 && attr_key(text, counters[i].key, &to->v) == 0;
	}
	return i;
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6"; a device without traffic has no pairs. */
static bool parse_io(const char *line, struct stat_io *ret_io)
{
	static const struct { const char *key; size_t at; } keys[] = {
		{ " rbytes=", offsetof(struct stat_io, rbytes) }, { " wbytes=", offsetof(struct stat_io, wbytes) },
		{ " rios=", offsetof(struct stat_io, rios) }, { " wios=", offsetof(struct stat_io, wios) },
	};
	uint64_t device[2];
	if (num_list(line, ":", device, 2) != 2)
		return false;
	struct stat_io io = { .major = (uint32_t)device[0], .minor = (uint32_t)device[1] };
	bool has_traffic = false;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *p = strstr(line, keys[i].key);
		if (!p)
			continue;
		*(uint64_t *)(void *)((char *)&io + keys[i].at) = strtoull(p + strlen(keys[i].key), NULL, 10);
		has_traffic = true;
	}
	*ret_io = io;
	return has_traffic;
}

static int read_io(int group_fd, struct arena *a, struct cgroup_stat *st)
{
	free_auto char *text = NULL;
	int r = file_read(group_fd, "io.stat", IO_TEXT_MAX, false, &text, NULL);
	if (r < 0)
		return r;
	size_t lines = 0;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	st->io.v = arena_array(a, lines + 1, sizeof(*st->io.v));
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		st->io.n += parse_io(line, &st->io.v[st->io.n]);
	return 0;
}

/*
 * A missing file is a controller that is off; what is left tells of a group that is gone, or of a real fault.
 */
static int judge(int r, int group_fd, const char *file, struct err *e)
{
	if (r >= 0 || r == -EOPNOTSUPP)
		return 0;
	struct stat st;
	if (r == -ENODEV || (r == -ENOENT && fstat(group_fd, &st) == 0 && st.st_nlink == 0))
		return err_new(e, ENODEV, "the cgroup has been removed");
	return r == -ENOENT ? 0 : err_ret(e, r, "%s", file);
}

int cgroup_stat_read(int group_fd, struct arena *a, struct cgroup_stat *ret_stat, struct err *e)
{
	struct cgroup_stat st = { 0 };
	int r = 0;
	for (size_t i = 0; i < ARRAY_LEN(counters);) {
		const struct counter *c = &counters[i];
		if (c->key) {
			i = read_keyed(group_fd, i, &st, &r);
		} else {
			struct stat_u64 *to = counter_of(&st, c);
			r = attr_u64(group_fd, c->file, &to->v);
			to->has = r == 0;
			i++;
		}
		r = judge(r, group_fd, c->file, e);
		if (r < 0)
			return r;
	}
	r = judge(read_io(group_fd, a, &st), group_fd, "io.stat", e);
	if (r == 0)
		*ret_stat = st;
	return r;
}

int cgroup_oom_count(int group_fd, uint64_t *ret_count)
{
	char text[1024];
	int r = attr_read(group_fd, "memory.events", text, sizeof(text));
	if (r == -ENOENT) {
		*ret_count = 0;
		return 0;
	}
	return r < 0 ? r : attr_key(text, "oom_kill", ret_count);
}
