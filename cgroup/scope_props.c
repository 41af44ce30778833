/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From limits to properties of a unit (see scope.h). Whenever systemd is reloaded, or a neighbour changes, it writes
 * what it knows of a unit into its group's files again; a limit that it does not know of would be gone then.
 * Source: org.freedesktop.systemd1(5), "Scope Unit Objects"; systemd.resource-control(5).
 */
#include "cgroup/scope.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/num.h"

enum { PERCENT_USEC = 10000, PERIOD_USEC = 100000, SECOND_USEC = 1000000, BITS_MAX = 8192, PROPERTIES_MAX = 64 };

#define ANNOTATION "org.systemd.property."

static void add(struct arena *a, struct strs *list, const char *word)
{
	const char **v = arena_array(a, list->n + 2, sizeof(*v));
	if (list->n)
		memcpy(v, list->v, list->n * sizeof(*v));
	v[list->n] = word;
	*list = (struct strs){ .v = v, .n = list->n + 1 };
}

/* ---- limits ---- */

/* "max", or a number. */
static bool is_plain(const char *value)
{
	return strcmp(value, "max") == 0 || (*value && value[strspn(value, "0123456789")] == '\0');
}

static void put_number(const char *name, const char *value, struct arena *a, struct strs *ret)
{
	if (strcmp(value, "max") == 0)
		add(a, ret, arena_fmt(a, "%s=t:%" PRIu64, name, UINT64_MAX));
	else
		add(a, ret, arena_fmt(a, "%s=t:%s", name, value));
}

/* A weight of 0 is systemd's word for an idle group; what is not idle has the weight that the next row says. */
static void put_idle(const char *name, const char *value, struct arena *a, struct strs *ret)
{
	if (strcmp(value, "1") == 0)
		put_number(name, "0", a, ret);
}

/*
 * "QUOTA PERIOD". systemd counts in microseconds per second and keeps whole percents: rounded up, so that what the
 * group's file says after a reload is not less than what was asked for.
 */
static void put_quota(const char *name, const char *value, struct arena *a, struct strs *ret)
{
	const char *blank = strchr(value, ' ');
	uint64_t period = blank ? strtoull(blank + 1, NULL, 10) : PERIOD_USEC, rate = UINT64_MAX;
	if (strncmp(value, "max", 3) != 0) {
		rate = strtoull(value, NULL, 10) * SECOND_USEC / (period ? period : PERIOD_USEC);
		rate = (rate + PERCENT_USEC - 1) / PERCENT_USEC * PERCENT_USEC;
	}
	add(a, ret, arena_fmt(a, "%s=t:%" PRIu64, name, rate));
	add(a, ret, arena_fmt(a, "CPUQuotaPeriodUSec=t:%" PRIu64, period));
}

/* "0-2,5" as a mask of bits in hexadecimal, the lowest byte first. */
static void put_set(const char *name, const char *value, struct arena *a, struct strs *ret)
{
	unsigned char bits[BITS_MAX / 8] = { 0 };
	size_t used = 0;
	uint64_t first, last;
	for (const char *p = value; num_range(&p, &first, &last);)
		for (uint64_t n = first; n <= last && n < BITS_MAX; n++) {
			bits[n / 8] |= (unsigned char)(1 << n % 8);
			used = n / 8 + 1 > used ? n / 8 + 1 : used;
		}
	str_auto struct str s = STR_MAX(2 * sizeof(bits) + 64);
	str_fmt(&s, "%s=ay:", name);
	for (size_t i = 0; i < used; i++)
		str_fmt(&s, "%02x", bits[i]);
	add(a, ret, arena_str(a, s.p));
}

/* systemd has no limit of 0. The container's process alone is at that of 1 already. */
static void put_tasks(const char *name, const char *value, struct arena *a, struct strs *ret)
{
	if (is_plain(value))
		put_number(name, strcmp(value, "0") == 0 ? "1" : value, a, ret);
}

static const struct row {
	const char *file, *name;
	void (*put)(const char *name, const char *value, struct arena *a, struct strs *ret);
} rows[] = {
	{ "memory.max", "MemoryMax", put_number },
	{ "memory.high", "MemoryHigh", put_number },
	{ "memory.low", "MemoryLow", put_number },
	{ "memory.min", "MemoryMin", put_number },
	{ "memory.swap.max", "MemorySwapMax", put_number },
	{ "pids.max", "TasksMax", put_tasks },
	{ "cpu.idle", "CPUWeight", put_idle },
	{ "cpu.weight", "CPUWeight", put_number },
	{ "cpu.max", "CPUQuotaPerSecUSec", put_quota },
	{ "cpuset.cpus", "AllowedCPUs", put_set },
	{ "cpuset.mems", "AllowedMemoryNodes", put_set },
	{ "io.weight", "IOWeight", put_number },
};

static void put(const char *file, const char *value, struct arena *a, struct strs *ret)
{
	for (size_t i = 0; file && i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		/* "8:0 200" is the weight of one device. */
		if (strcmp(r->file, file) == 0 && (r->put != put_number || is_plain(value)))
			r->put(r->name, value, a, ret);
	}
}

void scope_limits(const struct cgroup_limits *limits, struct arena *a, struct strs *ret)
{
	bool has_pids = false;
	for (size_t i = 0; i < limits->n; i++) {
		const struct cgroup_write *w = &limits->v[i];
		put(w->file, w->value, a, ret);
		put(w->alt_file, w->alt_value, a, ret);
		has_pids |= strcmp(w->file, "pids.max") == 0;
	}
	/* Without a word systemd would set a limit of its own (DefaultTasksMax), which nobody has asked for. */
	if (!has_pids)
		put("pids.max", "max", a, ret);
}

/* ---- annotations ---- */

static bool is_name(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
	return n > 2 && !s[n] && (s[0] < '0' || s[0] > '9');
}

/* What makes the scope the container's. */
static bool is_ours(const char *name)
{
	static const char *const names[] = { "PIDs", "Slice", "Delegate", "Description" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

int scope_annotations(const struct pairs *annotations, struct arena *a, struct strs *ret, struct err *e)
{
	size_t len = strlen(ANNOTATION);
	for (size_t i = 0; i < annotations->n; i++) {
		const char *key = annotations->v[i].key, *name = key + len;
		if (strncmp(key, ANNOTATION, len) != 0)
			continue;
		if (!is_name(name))
			return err_new(e, EINVAL, "annotations.%s: \"%s\" is not the name of a property", key, name);
		if (is_ours(name))
			return err_new(e, EINVAL, "annotations.%s: kist sets this property itself", key);
		add(a, ret, arena_fmt(a, "%s=v:%s", name, annotations->v[i].value));
	}
	return 0;
}
