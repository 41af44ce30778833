/* SPDX-License-Identifier: Apache-2.0 */
/* kist update: `update [OPTIONS] ID` as runc has it, with Docker's spellings and several IDs beside it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "engine/update.h"
#include "spec/load.h"
#include "util/fd.h"
#include "util/log.h"

enum { PERIOD_USEC = 100000, NANO_PER_USEC_OF_PERIOD = 10000 };

static struct opt_i64 signed_of(const struct opt_num *n)
{
	return (struct opt_i64){ .has = n->is_set, .v = n->value };
}

/* For numbers whose rows take no sign. */
static struct opt_u64 unsigned_of(const struct opt_num *n)
{
	return (struct opt_u64){ .has = n->is_set, .v = (uint64_t)n->value };
}

static bool is_set(const struct opt_num *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i]->is_set)
			return true;
	return false;
}

#define ANY_SET(...) \
	is_set((const struct opt_num *const[]){ __VA_ARGS__ }, \
	       ARRAY_LEN(((const struct opt_num *const[]){ __VA_ARGS__ })))

static void set_memory(const struct update_options *o, struct arena *a, struct spec_resources *r)
{
	if (!ANY_SET(&o->memory_bytes, &o->memory_swap_bytes, &o->memory_reservation_bytes, &o->kernel_bytes,
		     &o->kernel_tcp_bytes))
		return;
	r->memory = arena_new(a, struct spec_memory);
	*r->memory = (struct spec_memory){
		.limit = signed_of(&o->memory_bytes), .swap = signed_of(&o->memory_swap_bytes),
		.reservation = signed_of(&o->memory_reservation_bytes), .kernel = signed_of(&o->kernel_bytes),
		.kernel_tcp = signed_of(&o->kernel_tcp_bytes),
	};
}

static int set_cpu(const struct update_options *o, struct arena *a, struct spec_resources *r, struct err *e)
{
	if (!ANY_SET(&o->nano_cpus, &o->cpu_shares, &o->cpu_quota, &o->cpu_period, &o->cpu_burst, &o->cpu_idle,
		     &o->cpu_rt_runtime, &o->cpu_rt_period) && !o->cpuset_cpus && !o->cpuset_mems)
		return 0;
	r->cpu = arena_new(a, struct spec_cpu);
	*r->cpu = (struct spec_cpu){
		.shares = unsigned_of(&o->cpu_shares), .quota = signed_of(&o->cpu_quota),
		.period = unsigned_of(&o->cpu_period), .burst = unsigned_of(&o->cpu_burst),
		.idle = signed_of(&o->cpu_idle), .realtime_runtime = signed_of(&o->cpu_rt_runtime),
		.realtime_period = unsigned_of(&o->cpu_rt_period), .cpus = o->cpuset_cpus, .mems = o->cpuset_mems,
	};
	if (!o->nano_cpus.is_set)
		return 0;
	if (o->cpu_quota.is_set || o->cpu_period.is_set)
		return cmd_usage(e, "--cpus says the same as --cpu-quota and --cpu-period: give one of them");
	if (o->nano_cpus.value <= 0)
		return cmd_usage(e, "--cpus: expected a number above 0");
	r->cpu->period = (struct opt_u64){ .has = true, .v = PERIOD_USEC };
	r->cpu->quota = (struct opt_i64){ .has = true, .v = o->nano_cpus.value / NANO_PER_USEC_OF_PERIOD };
	return 0;
}

static int from_options(const struct update_options *o, struct arena *a, struct spec_resources *r, struct err *e)
{
	set_memory(o, a, r);
	int ret = set_cpu(o, a, r, e);
	if (ret < 0)
		return ret;
	if (o->pids_limit.is_set) {
		r->pids = arena_new(a, struct spec_pids);
		r->pids->limit = signed_of(&o->pids_limit);
	}
	if (o->blkio_weight.is_set && o->blkio_weight.value > UINT16_MAX)
		return cmd_usage(e, "--blkio-weight: expected 10 to 1000");
	if (o->blkio_weight.is_set) {
		r->block_io = arena_new(a, struct spec_block_io);
		r->block_io->weight = (struct opt_u32){ .has = true, .v = (uint32_t)o->blkio_weight.value };
	}
	return 0;
}

static int from_file(const char *name, struct arena *a, struct spec_resources *r, struct err *e)
{
	free_auto char *bytes = NULL;
	struct spec_resources *read_in = NULL;
	const char *origin;
	size_t len;
	int ret = spec_read_given(name, &origin, &bytes, &len, e);

	if (ret == 0)
		ret = spec_load_resources(bytes, len, origin, a, &read_in, e);
	if (ret == 0)
		*r = *read_in;
	return ret;
}

static int read_change(const struct update_options *o, struct arena *a, struct spec_resources *ret, struct err *e)
{
	static const struct spec_resources none;
	bool is_file = o->resources != NULL;
	int r = from_options(o, a, ret, e);

	if (r < 0)
		return r;
	bool has_words = memcmp(ret, &none, sizeof(none)) != 0;
	if (is_file && has_words)
		return cmd_usage(e, "--resources takes all from its file: give it alone");
	if (!is_file && !has_words && !o->l3_cache_schema && !o->mem_bw_schema)
		return cmd_usage(e, "nothing to change: give a limit, or --resources FILE");
	return is_file ? from_file(o->resources, a, ret, e) : 0;
}

int cmd_update(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct engine g = { .state_root = cli->global->root, .store = cli->global->store };
	struct arena arena_auto a = { 0 };
	struct spec_resources change = { 0 };
	const struct update_options *o = options;
	const struct update_request rq = {
		.resources = &change, .l3_cache_schema = o->l3_cache_schema, .mem_bw_schema = o->mem_bw_schema,
	};
	int r = read_change(o, &a, &change, e);

	for (int i = 0; i < argc && r == 0; i++)
		r = engine_update(&g, argv[i], &rq, e);
	return r;
}
