/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of linux.resources (see check.h), with paths that start there. What only cgroup v1 can do is refused,
 * unless the value says "unset": callers send zeros. Source: runtime-spec config-linux.md "Control groups",
 * cgroup-v2.rst.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/verdict.h"

static void check_rules(struct verdict *v, const struct spec_device_rules *list)
{
	struct quoted q;
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_device_rule *r = &list->v[i];
		if (r->access && (!*r->access || strspn(r->access, "rwm") != strlen(r->access)))
			breach(v, "devices[%zu].access: expected letters of rwm, got %s", i,
			       quote(&q, r->access));
		if (r->major.v < -1 || r->major.v > 4095)
			breach(v, "devices[%zu].major: expected -1 to 4095, got %" PRId64, i, r->major.v);
		if (r->minor.v < -1 || r->minor.v > 1048575)
			breach(v, "devices[%zu].minor: expected -1 to 1048575, got %" PRId64, i, r->minor.v);
	}
}

/* ---- memory ---- */

static void check_swap(struct verdict *v, const struct spec_memory *m)
{
	if (m->swap.v <= 0)
		return;
	if (m->limit.v <= 0)
		breach(v, "memory.swap: needs memory.limit, because it counts memory and swap together");
	else if (m->swap.v < m->limit.v)
		breach(v, "memory.swap: %" PRId64 " is less than memory.limit, %" PRId64, m->swap.v,
		       m->limit.v);
}

static void check_memory(struct verdict *v, const struct spec_memory *m)
{
	const struct {
		const char *key;
		const struct opt_i64 *n;
	} amounts[] = {
		{ "limit", &m->limit },	  { "reservation", &m->reservation }, { "swap", &m->swap },
		{ "kernel", &m->kernel }, { "kernelTCP", &m->kernel_tcp },
	};
	for (size_t i = 0; i < ARRAY_LEN(amounts); i++)
		if (amounts[i].n->v < -1)
			breach(v, "memory.%s: expected -1 or more, got %" PRId64, amounts[i].key,
			       amounts[i].n->v);
	check_swap(v, m);
	if (m->kernel.v > 0)
		breach(v, "memory.kernel: cgroup v2 has no limit for kernel memory");
	if (m->kernel_tcp.v > 0)
		breach(v, "memory.kernelTCP: cgroup v2 has no limit for TCP memory");
	if (m->swappiness.has)
		breach(v, "memory.swappiness: cgroup v2 has no swappiness");
	if (m->disable_oom_killer.v)
		breach(v, "memory.disableOOMKiller: cgroup v2 cannot disable the OOM killer");
}

/* ---- cpu ---- */

static void check_cpuset(struct verdict *v, const char *key, const char *list)
{
	struct quoted q;
	if (list && !is_number_list(list))
		breach(v, "cpu.%s: expected a list such as 0-3,7, got %s", key, quote(&q, list));
}

/* kernel/sched/core.c: a period of 1 ms to 1 s, a quota of at least 1 ms, a burst within the quota. */
static void check_bandwidth(struct verdict *v, const struct spec_cpu *c)
{
	if (c->quota.v < -1)
		breach(v, "cpu.quota: expected -1 or more, got %" PRId64, c->quota.v);
	if (c->quota.v > 0 && c->quota.v < 1000)
		breach(v, "cpu.quota: expected at least 1000 microseconds, got %" PRId64, c->quota.v);
	if (c->period.v != 0 && (c->period.v < 1000 || c->period.v > 1000000))
		breach(v, "cpu.period: expected 1000 to 1000000 microseconds, got %" PRIu64, c->period.v);
	if (c->burst.v > 0 && c->quota.has && (c->quota.v <= 0 || c->burst.v > (uint64_t)c->quota.v))
		breach(v, "cpu.burst: more than cpu.quota");
}

static void check_cpu(struct verdict *v, const struct spec_cpu *c)
{
	check_bandwidth(v, c);
	if (c->realtime_runtime.v != 0)
		breach(v, "cpu.realtimeRuntime: cgroup v2 has no real-time limits");
	if (c->realtime_period.v != 0)
		breach(v, "cpu.realtimePeriod: cgroup v2 has no real-time limits");
	check_cpuset(v, "cpus", c->cpus);
	check_cpuset(v, "mems", c->mems);
	if (c->idle.v != 0 && c->idle.v != 1)
		breach(v, "cpu.idle: expected 0 or 1, got %" PRId64, c->idle.v);
}

/* ---- block devices ---- */

static void check_weight(struct verdict *v, const char *path, uint32_t weight, uint32_t leaf_weight)
{
	if (weight != 0 && (weight < 10 || weight > 1000))
		breach(v, "%s.weight: expected 10 to 1000, got %" PRIu32, path, weight);
	if (leaf_weight != 0)
		breach(v, "%s.leafWeight: cgroup v2 has no leaf weights", path);
}

static void check_block_io(struct verdict *v, const struct spec_block_io *b)
{
	const struct {
		const char *key;
		const struct spec_throttle_devices *list;
	} throttles[] = {
		{ "throttleReadBpsDevice", &b->throttle_read_bps },
		{ "throttleWriteBpsDevice", &b->throttle_write_bps },
		{ "throttleReadIOPSDevice", &b->throttle_read_iops },
		{ "throttleWriteIOPSDevice", &b->throttle_write_iops },
	};
	char path[96];
	check_weight(v, "blockIO", b->weight.v, b->leaf_weight.v);
	for (size_t i = 0; i < b->weight_device.n; i++) {
		const struct spec_weight_device *d = &b->weight_device.v[i];
		snprintf(path, sizeof(path), "blockIO.weightDevice[%zu]", i);
		check_device_number(v, path, d->major.v, d->minor.v);
		check_weight(v, path, d->weight.v, d->leaf_weight.v);
		if (!d->weight.has && !d->leaf_weight.has)
			breach(v, "%s: needs weight", path);
	}
	for (size_t t = 0; t < ARRAY_LEN(throttles); t++) {
		for (size_t i = 0; i < throttles[t].list->n; i++) {
			const struct spec_throttle_device *d = &throttles[t].list->v[i];
			snprintf(path, sizeof(path), "blockIO.%s[%zu]", throttles[t].key, i);
			check_device_number(v, path, d->major.v, d->minor.v);
		}
	}
}

/* ---- the rest ---- */

/* config-linux.md "Huge page limits": <size><unit>, a power of two. */
static bool is_page_size(const char *text)
{
	char *end;
	if (text[0] < '1' || text[0] > '9')
		return false;
	unsigned long size = strtoul(text, &end, 10);
	return size < 1UL << 40 && (size & (size - 1)) == 0 &&
	       (!strcmp(end, "KB") || !strcmp(end, "MB") || !strcmp(end, "GB"));
}

static void check_hugepages(struct verdict *v, const struct spec_hugepages *list)
{
	struct quoted q;
	for (size_t i = 0; i < list->n; i++) {
		const char *size = list->v[i].page_size;
		if (!is_page_size(size))
			breach(v, "hugepageLimits[%zu].pageSize: expected a size such as 2MB, got %s", i,
			       quote(&q, size));
		for (size_t j = 0; j < i; j++)
			if (!strcmp(size, list->v[j].page_size))
				breach(v, "hugepageLimits[%zu].pageSize: %s is there twice", i,
				       quote(&q, size));
	}
}

/* ^[a-z]+(\.[a-zA-Z0-9_]+)+$: the name of a file of a cgroup, never a path. */
static bool is_cgroup_file(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz");
	const char *p = name + len;
	if (len == 0 || *p != '.')
		return false;
	while (*p == '.') {
		len = strspn(p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		if (len == 0)
			return false;
		p += 1 + len;
	}
	return *p == '\0';
}

static void check_unified(struct verdict *v, const struct pairs *list)
{
	struct quoted q;
	for (size_t i = 0; i < list->n; i++)
		if (!is_cgroup_file(list->v[i].key))
			breach(v, "unified[%s]: expected a file of cgroup v2 such as memory.high",
			       quote(&q, list->v[i].key));
}

static void check_rdma(struct verdict *v, const struct spec_rdmas *list)
{
	struct quoted q;
	for (size_t i = 0; i < list->n; i++)
		if (!list->v[i].hca_handles.has && !list->v[i].hca_objects.has)
			breach(v, "rdma[%s]: needs hcaHandles or hcaObjects", quote(&q, list->v[i].key));
}

static void check_network(struct verdict *v, const struct spec_network *n)
{
	if (n->class_id.v != 0)
		breach(v, "network.classID: cgroup v2 has no network classes");
	if (n->priorities.n > 0)
		breach(v, "network.priorities: cgroup v2 has no network priorities");
}

void check_resources(struct verdict *v, const struct spec_resources *r)
{
	check_rules(v, &r->devices);
	if (r->memory)
		check_memory(v, r->memory);
	if (r->cpu)
		check_cpu(v, r->cpu);
	if (r->pids && r->pids->limit.v < -1)
		breach(v, "pids.limit: expected -1 or more, got %" PRId64, r->pids->limit.v);
	if (r->block_io)
		check_block_io(v, r->block_io);
	check_hugepages(v, &r->hugepage_limits);
	if (r->network)
		check_network(v, r->network);
	check_rdma(v, &r->rdma);
	check_unified(v, &r->unified);
}
