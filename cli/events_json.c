/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See events_json.h. The keys are those of runc's `events`, which come from cgroup v1: what v2 does not count is 0 or
 * left out there too. Times are nanoseconds, and swap is memory and swap together.
 */
#include "cli/events_json.h"

#include <inttypes.h>
#include <string.h>

#include "util/jx.h"
#include "util/num.h"

enum { NANO_PER_USEC = 1000 };

/* ---- members ---- */

/* Puts a comma before each member but the first. */
static void key(struct str *out, const char *name)
{
	if (out->len && out->p[out->len - 1] != '{' && out->p[out->len - 1] != '[')
		str_puts(out, ",");
	str_fmt(out, "\"%s\":", name);
}

static void number(struct str *out, const char *name, uint64_t v)
{
	key(out, name);
	str_fmt(out, "%" PRIu64, v);
}

/* Left out when it is 0, as runc does. */
static void counter(struct str *out, const char *name, uint64_t v)
{
	if (v)
		number(out, name, v);
}

static void pressure_line(struct str *out, const char *name, const struct stat_pressure_line *l)
{
	key(out, name);
	str_fmt(out, "{\"avg10\":%.2f,\"avg60\":%.2f,\"avg300\":%.2f,\"total\":%" PRIu64 "}", l->avg10, l->avg60,
		l->avg300, l->total);
}

static void pressure(struct str *out, const struct stat_pressure *p)
{
	if (!p->has)
		return;
	key(out, "psi");
	str_puts(out, "{");
	pressure_line(out, "some", &p->some);
	pressure_line(out, "full", &p->full);
	str_puts(out, "}");
}

/* ---- cpu, cpuset ---- */

static void cpu(struct str *out, const struct event *ev)
{
	key(out, "cpu");
	str_puts(out, "{\"usage\":{");
	counter(out, "total", ev->stat.cpu.usage_usec.v * NANO_PER_USEC);
	number(out, "kernel", ev->stat.cpu.system_usec.v * NANO_PER_USEC);
	number(out, "user", ev->stat.cpu.user_usec.v * NANO_PER_USEC);
	str_puts(out, "},\"throttling\":{");
	counter(out, "periods", ev->stat.cpu.nr_periods.v);
	counter(out, "throttledPeriods", ev->stat.cpu.nr_throttled.v);
	counter(out, "throttledTime", ev->stat.cpu.throttled_usec.v * NANO_PER_USEC);
	str_puts(out, "}");
	pressure(out, &ev->more.cpu);
	str_puts(out, "}");
}

/* "0-2,5" as [0,1,2,5] */
static void number_list(struct str *out, const char *name, const char *list)
{
	if (!list || !*list)
		return;
	key(out, name);
	str_puts(out, "[");
	uint64_t first, last;
	for (const char *p = list; num_range(&p, &first, &last);)
		for (uint64_t n = first; n <= last; n++)
			str_fmt(out, "%s%" PRIu64, out->p[out->len - 1] == '[' ? "" : ",", n);
	str_puts(out, "]");
}

static void cpuset(struct str *out, const struct event *ev)
{
	static const char *const of_v1[] = {
		"mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page", "memory_spread_slab",
		"memory_pressure", "sched_load_balance", "sched_relax_domain_level",
	};

	key(out, "cpuset");
	str_puts(out, "{");
	number_list(out, "cpus", ev->more.cpus);
	number(out, "cpu_exclusive", 0);
	number_list(out, "mems", ev->more.mems);
	for (size_t i = 0; i < ARRAY_LEN(of_v1); i++)
		number(out, of_v1[i], 0);
	str_puts(out, "}");
}

/* ---- memory ---- */

static void memory_entry(struct str *out, const char *name, uint64_t limit, uint64_t usage, uint64_t max,
			 uint64_t failcnt)
{
	key(out, name);
	str_puts(out, "{");
	number(out, "limit", limit);
	counter(out, "usage", usage);
	counter(out, "max", max);
	number(out, "failcnt", failcnt);
	str_puts(out, "}");
}

static uint64_t sum_of_limits(struct stat_u64 a, struct stat_u64 b)
{
	return a.v == UINT64_MAX || b.v == UINT64_MAX ? UINT64_MAX : a.v + b.v;
}

static void memory(struct str *out, const struct event *ev)
{
	const struct cgroup_stat *st = &ev->stat;

	key(out, "memory");
	str_puts(out, "{");
	counter(out, "cache", st->memory.file.v);
	memory_entry(out, "usage", st->memory.limit.v, st->memory.current.v, st->memory.peak.v, st->memory.max_events.v);
	memory_entry(out, "swap", sum_of_limits(st->memory.limit, st->memory.swap_limit),
		     st->memory.current.v + st->memory.swap_current.v, 0, 0);
	memory_entry(out, "kernel", 0, st->memory.kernel.v, 0, 0);
	memory_entry(out, "kernelTCP", 0, st->memory.sock.v, 0, 0);
	if (ev->more.raw_count) {
		key(out, "raw");
		str_puts(out, "{");
		for (size_t i = 0; i < ev->more.raw_count; i++)
			number(out, ev->more.raw[i].key, ev->more.raw[i].v);
		str_puts(out, "}");
	}
	pressure(out, &ev->more.memory);
	str_puts(out, "}");
}

/* ---- pids, disks, huge pages, network ---- */

static void pids(struct str *out, const struct event *ev)
{
	key(out, "pids");
	str_puts(out, "{");
	counter(out, "current", ev->stat.pids.current.v);
	counter(out, "limit", ev->stat.pids.limit.v == UINT64_MAX ? 0 : ev->stat.pids.limit.v);
	str_puts(out, "}");
}

static void io_entry(struct str *out, const struct stat_io *io, const char *op, uint64_t value)
{
	str_puts(out, out->p[out->len - 1] == '[' ? "{" : ",{");
	counter(out, "major", io->major);
	counter(out, "minor", io->minor);
	str_fmt(out, "%s\"op\":\"%s\"", out->p[out->len - 1] == '{' ? "" : ",", op);
	counter(out, "value", value);
	str_puts(out, "}");
}

/* Two entries for each device: bytes, or operations. */
static void io_list(struct str *out, const char *name, const struct cgroup_stat *st, bool is_bytes)
{
	if (!st->io.n)
		return;
	key(out, name);
	str_puts(out, "[");
	for (size_t i = 0; i < st->io.n; i++) {
		const struct stat_io *io = &st->io.v[i];
		io_entry(out, io, "Read", is_bytes ? io->rbytes : io->rios);
		io_entry(out, io, "Write", is_bytes ? io->wbytes : io->wios);
	}
	str_puts(out, "]");
}

static void disks(struct str *out, const struct event *ev)
{
	key(out, "blkio");
	str_puts(out, "{");
	io_list(out, "ioServiceBytesRecursive", &ev->stat, true);
	io_list(out, "ioServicedRecursive", &ev->stat, false);
	pressure(out, &ev->more.io);
	str_puts(out, "}");
}

static void huge_pages(struct str *out, const struct event *ev)
{
	key(out, "hugetlb");
	str_puts(out, "{");
	for (size_t i = 0; i < ev->more.hugetlb_count; i++) {
		key(out, ev->more.hugetlb[i].size);
		str_puts(out, "{");
		counter(out, "usage", ev->more.hugetlb[i].usage);
		number(out, "failcnt", ev->more.hugetlb[i].failcnt);
		str_puts(out, "}");
	}
	str_puts(out, "}");
}

static void interfaces(struct str *out, const struct event *ev)
{
	key(out, "network_interfaces");
	if (!ev->interface_count) {
		str_puts(out, "null");
		return;
	}
	str_puts(out, "[");
	for (size_t i = 0; i < ev->interface_count; i++) {
		const struct netstat *n = &ev->interfaces[i];
		str_puts(out, i ? ",{\"Name\":" : "{\"Name\":");
		jx_print_string(out, n->name);
		number(out, "RxBytes", n->rx_bytes);
		number(out, "RxPackets", n->rx_packets);
		number(out, "RxErrors", n->rx_errors);
		number(out, "RxDropped", n->rx_dropped);
		number(out, "TxBytes", n->tx_bytes);
		number(out, "TxPackets", n->tx_packets);
		number(out, "TxErrors", n->tx_errors);
		number(out, "TxDropped", n->tx_dropped);
		str_puts(out, "}");
	}
	str_puts(out, "]");
}

void events_json(struct str *out, const struct event *ev)
{
	str_puts(out, ev->type == EVENT_OOM ? "{\"type\":\"oom\",\"id\":" : "{\"type\":\"stats\",\"id\":");
	jx_print_string(out, ev->id);
	if (ev->type == EVENT_STATS) {
		key(out, "data");
		str_puts(out, "{");
		cpu(out, ev);
		cpuset(out, ev);
		memory(out, ev);
		pids(out, ev);
		disks(out, ev);
		huge_pages(out, ev);
		key(out, "intel_rdt");
		str_puts(out, "{}");
		interfaces(out, ev);
		str_puts(out, "}");
	}
	str_puts(out, "}\n");
}
