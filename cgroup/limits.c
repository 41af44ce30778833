/* SPDX-License-Identifier: Apache-2.0 */
/* See limits.h. One row per key; a row's rule turns its value into writes. Lists are in limits_list.c. */
#include "cgroup/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cgroup/convert.h"
#include "cgroup/limits_list.h"
#include "util/mem.h"

static const char *limit_text(struct arena *a, int64_t v)
{
	return v == -1 ? "max" : arena_fmt(a, "%" PRId64, v);
}

/* Bytes or counts, -1 for "max". A zero is a limit too, where the row's key says so. */
static int rule_limit(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	const struct opt_i64 *o = field;
	(void)object;
	if (!o->has)
		return 0;
	if (o->v < -1)
		return limits_refuse(b, row->key, EINVAL, "%" PRId64 " is neither a size nor -1", o->v);
	limits_add(b, row->key, (struct cgroup_write){
		.controller = row->controller, .file = row->file, .value = limit_text(b->arena, o->v),
		.is_default = o->v == -1,
	});
	return 0;
}

/* As rule_limit, but 0 is "unset", which is what memory.limit 0 has always meant. */
static int rule_limit_or_unset(struct limits_build *b, const struct limits_row *row, const void *object,
			       const void *field)
{
	const struct opt_i64 *o = field;
	return o->v == 0 ? 0 : rule_limit(b, row, object, field);
}

/* memory.low: -1 protects all of it; 0 nothing, which is the default. */
static int rule_reservation(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	const struct opt_i64 *o = field;
	size_t before = b->limits->n;
	int r = rule_limit(b, row, object, field);
	if (r == 0 && b->limits->n > before)
		b->limits->v[before].is_default = o->v == 0;
	return r;
}

static int rule_swap(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	const struct spec_memory *m = object;
	const struct opt_i64 *o = field;
	int64_t limit = m->limit.has ? m->limit.v : 0, swap;
	/* Unlimited memory with nothing said of swap makes swap unlimited too: of v1, where it counts both. */
	if (!o->has && limit != -1)
		return 0;
	if (o->v < -1)
		return limits_refuse(b, row->key, EINVAL, "%" PRId64 " is neither a size nor -1", o->v);
	int r = convert_swap(limit, o->v, &swap);
	if (r == -EDOM)
		return limits_refuse(b, row->key, EINVAL, "needs a memory limit beside it, because it counts both");
	if (r < 0)
		return limits_refuse(b, row->key, EINVAL, "%" PRId64 " is below the memory limit %" PRId64
				     ", though it counts both", o->v, limit);
	limits_add(b, o->has ? row->key : "memory.limit", (struct cgroup_write){
		.controller = row->controller, .file = row->file, .value = limit_text(b->arena, swap),
		.is_default = swap == -1,
	});
	return 0;
}

/* cpu.weight is refused by the kernel while cpu.idle is 1. */
static int rule_shares(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	const struct spec_cpu *cpu = object;
	const struct opt_u64 *o = field;
	if (o->v == 0 || cpu->idle.v == 1)
		return 0;
	uint64_t weight = convert_shares(o->v);
	limits_add(b, row->key, (struct cgroup_write){
		.controller = row->controller, .file = row->file,
		.value = arena_fmt(b->arena, "%" PRIu64, weight), .is_default = weight == 100,
	});
	return 0;
}

static int rule_idle(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	const struct opt_i64 *o = field;
	(void)object;
	if (!o->has)
		return 0;
	if (o->v != 0 && o->v != 1)
		return limits_refuse(b, row->key, EINVAL, "%" PRId64 " is neither 0 nor 1", o->v);
	limits_add(b, row->key, (struct cgroup_write){
		.controller = row->controller, .file = row->file, .value = o->v ? "1" : "0", .is_default = o->v == 0,
	});
	return 0;
}

/* The kernel wants burst <= quota at any time: with a new quota, one of both orders is right. */
static int rule_burst(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	const struct opt_u64 *o = field;
	(void)object;
	if (!o->has)
		return 0;
	limits_add(b, row->key, (struct cgroup_write){
		.controller = row->controller, .file = row->file, .value = arena_fmt(b->arena, "%" PRIu64, o->v),
		.is_default = o->v == 0, .is_retried = true,
	});
	return 0;
}

/*
 * "QUOTA PERIOD". A quota alone keeps the group's period, which is 100000 in a new group; a period alone keeps the
 * group's quota. Unset: quota 0 (none given, by custom), period 0.
 */
static int rule_quota(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	const struct spec_cpu *cpu = object;
	const struct opt_i64 *quota = field;
	bool has_quota = quota->has && quota->v != 0, has_period = cpu->period.v != 0;
	if (!has_quota && !has_period)
		return 0;
	const char *max = has_quota && quota->v > 0 ? arena_fmt(b->arena, "%" PRId64, quota->v) : "max";
	limits_add(b, has_quota ? row->key : "cpu.period", (struct cgroup_write){
		.controller = row->controller, .file = row->file,
		.value = has_period ? arena_fmt(b->arena, "%s %" PRIu64, max, cpu->period.v) : max,
		.is_default = (!has_quota || quota->v < 0) && (!has_period || cpu->period.v == 100000),
		.keeps_quota = !has_quota,
	});
	return 0;
}

static int rule_text(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	const char *text = *(const char *const *)field;
	(void)object;
	if (!text || !*text)
		return 0;
	if (strchr(text, '\n'))
		return limits_refuse(b, row->key, EINVAL, "holds a newline");
	limits_add(b, row->key, (struct cgroup_write){
		.controller = row->controller, .file = row->file, .value = text,
	});
	return 0;
}

/* Where BFQ schedules, its own file takes the number as it is; else the converted one goes to the cost model. */
static int rule_io_weight(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	const struct opt_u32 *o = field;
	(void)object;
	if (o->v == 0)
		return 0;
	if (o->v < 10 || o->v > 1000)
		return limits_refuse(b, row->key, EINVAL, "%" PRIu32 " is not between 10 and 1000", o->v);
	limits_add(b, row->key, (struct cgroup_write){
		.controller = row->controller, .file = row->file, .value = arena_fmt(b->arena, "%" PRIu32, o->v),
		.alt_file = "io.weight",
		.alt_value = arena_fmt(b->arena, "%" PRIu64, convert_io_weight(o->v)),
		.is_default = o->v == 100,
	});
	return 0;
}

/* Keys that only cgroup v1 has. Values that ask for nothing pass. */
static int refuse_v1(struct limits_build *b, const struct limits_row *row, bool is_asked)
{
	if (!is_asked)
		return 0;
	return limits_refuse(b, row->key, EOPNOTSUPP, "cgroup v2 has nothing of this kind: leave it out");
}

static int rule_v1_i64(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	(void)object;
	return refuse_v1(b, row, ((const struct opt_i64 *)field)->v > 0);
}

static int rule_v1_u64(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	(void)object;
	return refuse_v1(b, row, ((const struct opt_u64 *)field)->v > 0);
}

static int rule_v1_u32(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	(void)object;
	return refuse_v1(b, row, ((const struct opt_u32 *)field)->v > 0);
}

static int rule_v1_swappiness(struct limits_build *b, const struct limits_row *row, const void *object,
			      const void *field)
{
	(void)object;
	return refuse_v1(b, row, ((const struct opt_u64 *)field)->has);
}

static int rule_v1_true(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	(void)object;
	return refuse_v1(b, row, ((const struct opt_bool *)field)->v);
}

/* v2 is always hierarchical, so that only "false" cannot be had. */
static int rule_v1_false(struct limits_build *b, const struct limits_row *row, const void *object, const void *field)
{
	const struct opt_bool *o = field;
	(void)object;
	return refuse_v1(b, row, o->has && !o->v);
}

static int rule_v1_priorities(struct limits_build *b, const struct limits_row *row, const void *object,
			      const void *field)
{
	(void)object;
	return refuse_v1(b, row, ((const struct spec_priorities *)field)->n > 0);
}

#define IN(OBJECT, FIELD) \
	.object = offsetof(struct spec_resources, OBJECT), .field = offsetof(struct spec_##OBJECT, FIELD)

/* In the order of writing: cpu.idle before cpu.weight, cpu.max.burst before cpu.max (and after it, if need be). */
static const struct limits_row rows[] = {
	{ "memory.limit", "memory", "memory.max", rule_limit_or_unset, IN(memory, limit) },
	{ "memory.swap", "memory", "memory.swap.max", rule_swap, IN(memory, swap) },
	{ "memory.reservation", "memory", "memory.low", rule_reservation, IN(memory, reservation) },
	{ "memory.kernel", NULL, NULL, rule_v1_i64, IN(memory, kernel) },
	{ "memory.kernelTCP", NULL, NULL, rule_v1_i64, IN(memory, kernel_tcp) },
	{ "memory.swappiness", NULL, NULL, rule_v1_swappiness, IN(memory, swappiness) },
	{ "memory.disableOOMKiller", NULL, NULL, rule_v1_true, IN(memory, disable_oom_killer) },
	{ "memory.useHierarchy", NULL, NULL, rule_v1_false, IN(memory, use_hierarchy) },
	{ "cpu.idle", "cpu", "cpu.idle", rule_idle, IN(cpu, idle) },
	{ "cpu.shares", "cpu", "cpu.weight", rule_shares, IN(cpu, shares) },
	{ "cpu.burst", "cpu", "cpu.max.burst", rule_burst, IN(cpu, burst) },
	{ "cpu.quota", "cpu", "cpu.max", rule_quota, IN(cpu, quota) },
	{ "cpu.realtimeRuntime", NULL, NULL, rule_v1_i64, IN(cpu, realtime_runtime) },
	{ "cpu.realtimePeriod", NULL, NULL, rule_v1_u64, IN(cpu, realtime_period) },
	{ "cpu.cpus", "cpuset", "cpuset.cpus", rule_text, IN(cpu, cpus) },
	{ "cpu.mems", "cpuset", "cpuset.mems", rule_text, IN(cpu, mems) },
	{ "pids.limit", "pids", "pids.max", rule_limit, IN(pids, limit) },
	{ "blockIO.weight", "io", "io.bfq.weight", rule_io_weight, IN(block_io, weight) },
	{ "blockIO.leafWeight", NULL, NULL, rule_v1_u32, IN(block_io, leaf_weight) },
	{ "network.classID", NULL, NULL, rule_v1_u32, IN(network, class_id) },
	{ "network.priorities", NULL, NULL, rule_v1_priorities, IN(network, priorities) },
};

static int plan_row(struct limits_build *b, const struct limits_row *row, const struct spec_resources *r)
{
	const char *object = *(const char *const *)(const void *)((const char *)r + row->object);
	return object ? row->rule(b, row, object, object + row->field) : 0;
}

static int collect_need(struct cgroup_limits *limits, struct err *e)
{
	for (size_t i = 0; i < limits->n; i++) {
		const struct cgroup_write *w = &limits->v[i];
		if (w->controller && !w->is_default && cgroup_need_add(&limits->need, w->controller, w->path) < 0)
			return err_new(e, EINVAL, "%s: more controllers than any kernel has", w->path);
	}
	return 0;
}

int limits_plan(const struct spec_resources *resources, const char *prefix, struct arena *a,
		struct cgroup_limits *ret_limits, struct err *e)
{
	struct cgroup_limits limits = { 0 };
	struct limits_build b = { .arena = a, .prefix = prefix, .limits = &limits, .e = e };
	int r = 0;
	for (size_t i = 0; resources && i < ARRAY_LEN(rows) && r == 0; i++)
		r = plan_row(&b, &rows[i], resources);
	if (resources && r == 0)
		r = limits_plan_lists(&b, resources);
	if (r == 0)
		r = collect_need(&limits, e);
	if (r == 0)
		*ret_limits = limits;
	return r;
}
