/* SPDX-License-Identifier: Apache-2.0 */
/* See update.h. */
#include "runtime/update.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "cgroup/controllers.h"
#include "cgroup/devices_bpf.h"
#include "cgroup/limits_change.h"
#include "cgroup/resctrl.h"
#include "runtime/home.h"
#include "runtime/target.h"
#include "spec/check.h"
#include "spec/load.h"
#include "spec/merge.h"
#include "util/fd.h"

/* ---- what comes of a change ---- */

/* Numbers whose 0 has always meant that nothing is said. */
static void drop_unset(struct spec_resources *r, struct arena *a)
{
	if (r->memory) {
		struct spec_memory *m = arena_new(a, struct spec_memory);
		*m = *r->memory;
		m->limit.has = m->limit.has && m->limit.v != 0;
		r->memory = m;
	}
	if (r->cpu) {
		struct spec_cpu *c = arena_new(a, struct spec_cpu);
		*c = *r->cpu;
		c->shares.has = c->shares.v != 0;
		c->quota.has = c->quota.v != 0;
		c->period.has = c->period.v != 0;
		r->cpu = c;
	}
	if (r->block_io) {
		struct spec_block_io *b = arena_new(a, struct spec_block_io);
		*b = *r->block_io;
		b->weight.has = b->weight.v != 0;
		r->block_io = b;
	}
}

/* Swap is counted together with memory: one of both alone still speaks of the other. */
static void complete_memory(struct spec_memory *change, struct spec_memory *joined)
{
	/* Of v1, where it counts both: no limit of memory is no limit of both. */
	if (change->limit.v == -1 && !change->swap.has)
		joined->swap = (struct opt_i64){ .has = true, .v = -1 };
	if (change->limit.has || change->swap.has) {
		change->limit = joined->limit;
		change->swap = joined->swap;
	}
	change->check_before_update = joined->check_before_update;
}

/* The kernel takes no weight of a group that is idle, and gives it the usual one when it is not any more. */
static void complete_cpu(struct spec_cpu *change, struct spec_cpu *joined)
{
	/* What may be saved up for later is a part of the quota: without one it goes too. */
	if (change->quota.v < 0 && !change->burst.has && joined->burst.v > 0)
		change->burst = joined->burst = (struct opt_u64){ .has = true, .v = 0 };
	if (change->idle.has || change->shares.has) {
		change->idle = joined->idle;
		change->shares = joined->shares;
	}
}

int update_plan(const struct spec_resources *base, const struct spec_resources *change, struct arena *a,
		struct update *ret, struct err *e)
{
	struct update u = { .change = *change };
	drop_unset(&u.change, a);
	spec_merge_resources(base, &u.change, a, &u.joined);
	if (u.change.memory)
		complete_memory(u.change.memory, u.joined.memory);
	if (u.change.cpu)
		complete_cpu(u.change.cpu, u.joined.cpu);
	int r = spec_check_resources(&u.change, e);
	if (r == 0)
		r = spec_check_resources(&u.joined, e);
	if (r == 0)
		*ret = u;
	return r;
}

static bool has_rdt(const struct update_request *rq)
{
	return rq->l3_cache_schema || rq->mem_bw_schema;
}

static int join_rdt(struct spec *s, const struct update_request *rq, struct err *e)
{
	struct spec_intel_rdt *rdt = s->linux_->intel_rdt;
	if (!has_rdt(rq))
		return 0;
	if (!rdt)
		return err_new(e, EINVAL, "option --%s: the container has no linux.intelRdt",
			       rq->l3_cache_schema ? "l3-cache-schema" : "mem-bw-schema");
	rdt->l3_cache_schema = rq->l3_cache_schema ? rq->l3_cache_schema : rdt->l3_cache_schema;
	rdt->mem_bw_schema = rq->mem_bw_schema ? rq->mem_bw_schema : rdt->mem_bw_schema;
	return spec_check(s, e);
}

static int join_into(struct spec *s, const struct update_request *rq, struct update *ret, struct err *e)
{
	if (!s->linux_)
		s->linux_ = arena_new(&s->arena, struct spec_linux);
	int r = update_plan(s->linux_->resources, rq->resources, &s->arena, ret, e);
	if (r < 0)
		return r;
	struct spec_resources *joined = arena_new(&s->arena, struct spec_resources);
	*joined = ret->joined;
	s->linux_->resources = joined;
	return join_rdt(s, rq, e);
}

int update_config(int dirfd, const struct update_request *rq, struct str *ret_text, struct err *e)
{
	struct spec s spec_auto = { 0 };
	struct update u;
	int r = spec_load_file(dirfd, "config.json", &s, e);
	if (r == 0)
		r = join_into(&s, rq, &u, e);
	if (r == 0)
		spec_print(ret_text, &s, 0);
	return r;
}

/* ---- the change itself ---- */

struct job {
	const struct update_request *rq;
	struct target *t;
	struct spec *spec;               /* the new configuration */
	const struct spec_resources *old;
	struct update u;
	struct cgroup_limits limits;
	struct devices_program devices, old_devices;
	struct limits_saved saved;
	bool has_userns;
	int resctrl;                     /* -1: nothing changes there */
	char *old_schemata;              /* of the class, once it has been written to */
};

static void job_done(struct job *j)
{
	fd_drop(&j->resctrl);
	free(j->old_schemata);
}

#define job_auto __attribute__((cleanup(job_done)))

static bool has_userns(const struct spec *s)
{
	return spec_namespace_find(s, CLONE_NEWUSER) != NULL;
}

/* Everything that can be refused for a reason in the input, or in what the group uses now. */
static int decide(struct job *j, struct err *e)
{
	static const struct spec_resources none;
	struct arena *a = &j->spec->arena;
	const struct spec_resources *old = j->spec->linux_ ? j->spec->linux_->resources : NULL;
	j->old = old;
	int r = join_into(j->spec, j->rq, &j->u, e);
	if (r == 0)
		r = limits_plan(&j->u.change, "", a, &j->limits, e);
	if (r == 0 && j->u.change.devices.n)
		r = devices_build(&j->u.change.devices, true, "", a, &j->devices, e);
	if (r == 0 && j->u.change.devices.n)
		r = devices_build(old ? &old->devices : &none.devices, true, "", a, &j->old_devices, e);
	if (r == 0)
		r = cgroup_need_check(&j->t->tree, &j->limits.need, e);
	if (r == 0)
		r = limits_check_usage(j->t->group, &j->u.change, "", e);
	j->has_userns = has_userns(j->spec);
	if (r == 0 && has_rdt(j->rq))
		r = j->resctrl = resctrl_open(e);
	return r < 0 ? r : 0;
}

/* A controller that nothing has asked for so far. */
static int enable(struct job *j, struct err *e)
{
	struct cgroup_own own = { 0 };
	const char *path = j->t->state.cgroup, *base = NULL;
	if (j->limits.need.n == 0)
		return 0;
	int r = cgroup_own_read(&j->t->tree, &j->spec->arena, &own, e);
	if (r < 0)
		return r;
	size_t len = own.base ? strlen(own.base + 1) : 0;
	if (len && strncmp(path, own.base + 1, len) == 0 && path[len] == '/')
		base = own.base + 1;
	return cgroup_need_enable(&j->t->tree, path, base, &j->limits.need, e);
}

/* What systemd will write again is what the container has. */
static int set_scope(struct job *j, const struct spec_resources *all, struct err *e)
{
	struct cgroup_limits limits = { 0 };
	struct strs properties = { 0 };
	const struct cgroup_scope scope = home_scope(&j->t->state);
	int r = limits_plan(all, "", &j->spec->arena, &limits, e);
	if (r < 0)
		return r;
	scope_limits(&limits, &j->spec->arena, &properties);
	return scope_set(&scope, &properties, e);
}

/* systemd writes as soon as it is told, and rounds some numbers: the exact ones come over that. */
static int change_limits(struct job *j, struct err *e)
{
	struct err ignored;
	int r = limits_change(j->t->group, &j->limits, &j->spec->arena, &j->saved, e);
	if (r < 0 || !j->t->state.scope)
		return r;
	r = set_scope(j, &j->u.joined, e);
	if (r == 0)
		r = limits_apply(j->t->group, &j->limits, false, e);
	if (r < 0) {
		set_scope(j, j->old, &ignored);
		limits_put_back(j->t->group, &j->saved);
	}
	return r;
}

static int write_config(struct job *j, struct err *e)
{
	str_auto struct str text = STR_MAX(JX_BYTES_MAX);
	spec_print(&text, j->spec, 0);
	int r = file_replace(j->t->dir.fd, "config.json", text.p, text.len, 0600);
	return r < 0 ? err_ret(e, r, "state directory: config.json") : 0;
}

static int change_rdt(struct job *j, struct err *e)
{
	if (j->resctrl < 0)
		return 0;
	return resctrl_change(j->resctrl, j->t->state.rdt, j->rq->l3_cache_schema, j->rq->mem_bw_schema, &j->old_schemata,
			      e);
}

static int act(struct job *j, struct err *e)
{
	struct err ignored;
	int group = j->t->group;
	int r = enable(j, e);
	if (r == 0)
		r = change_limits(j, e);
	if (r < 0)
		return r;
	if (j->u.change.devices.n)
		r = devices_apply(group, &j->devices, j->has_userns, true, e);
	bool has_devices = r == 0 && j->u.change.devices.n;
	if (r == 0)
		r = change_rdt(j, e);
	if (r == 0)
		r = write_config(j, e);
	if (r == 0)
		return 0;
	if (j->old_schemata)
		resctrl_put_back(j->resctrl, j->t->state.rdt, j->old_schemata);
	if (has_devices)
		devices_apply(group, &j->old_devices, j->has_userns, true, &ignored);
	if (j->t->state.scope)
		set_scope(j, j->old, &ignored);
	limits_put_back(group, &j->saved);
	return r;
}

int container_update(int root, const char *id, const struct update_request *rq, struct err *e)
{
	struct target t target_auto = TARGET_NONE;
	struct spec s spec_auto = { 0 };
	struct job j job_auto = { .rq = rq, .t = &t, .spec = &s, .resctrl = -1 };
	int r = target_open(root, id, true, &t, e);
	if (r == 0 && (t.status == STATUS_STOPPED || t.status == STATUS_CREATING))
		r = err_new(e, ESRCH, "container not running");
	if (r == 0)
		r = target_need_group(&t, "update", e);
	if (r == 0)
		r = spec_load_file(t.dir.fd, "config.json", &s, e);
	if (r == 0)
		r = decide(&j, e);
	if (r == 0)
		r = act(&j, e);
	return r < 0 ? err_at(e, r, "update %s", id) : 0;
}
