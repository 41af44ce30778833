/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, devices and sysctls of a composition. Source of the keys: runtime-spec config-linux.md "Control groups". */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/compose_parts.h"

enum { CPU_PERIOD_USEC = 100000, NANO_PER_USEC_OF_PERIOD = 10000 };

/* Resources of our own to change: what is there may be shared with the defaults. */
static struct spec_resources *resources_of(struct compose *c)
{
	struct spec_linux *l = c->s->linux_;

	if (!l->resources)
		l->resources = arena_new(c->a, struct spec_resources);
	return l->resources;
}

#define MEMBER(c, m, type) \
	({ struct spec_resources *r_ = resources_of(c); if (!r_->m) r_->m = arena_new((c)->a, type); r_->m; })

static int compose_memory(struct compose *c, struct err *e)
{
	const struct compose_options *o = c->o;

	if (!o->memory_bytes.has && !o->memory_swap_bytes.has && !o->memory_reservation_bytes.has)
		return 0;
	struct spec_memory *m = MEMBER(c, memory, struct spec_memory);
	if (o->memory_bytes.has)
		m->limit = o->memory_bytes;
	if (o->memory_swap_bytes.has)
		m->swap = o->memory_swap_bytes;
	if (o->memory_reservation_bytes.has)
		m->reservation = o->memory_reservation_bytes;
	if (o->memory_swap_bytes.has && !m->limit.has)
		return err_new(e, EINVAL, "option --memory-swap: counts memory and swap together, so it needs --memory");
	return 0;
}

static int compose_cpu(struct compose *c, struct err *e)
{
	const struct compose_options *o = c->o;

	if (!o->nano_cpus.has && !o->cpu_shares.has && !o->cpuset_cpus && !o->cpuset_mems)
		return 0;
	struct spec_cpu *cpu = MEMBER(c, cpu, struct spec_cpu);
	if (o->nano_cpus.has && o->nano_cpus.v <= 0)
		return err_new(e, EINVAL, "option --cpus: expected a number above 0");
	if (o->nano_cpus.has) {
		int64_t quota = o->nano_cpus.v / NANO_PER_USEC_OF_PERIOD;
		cpu->period = (struct opt_u64){ .has = true, .v = CPU_PERIOD_USEC };
		cpu->quota = (struct opt_i64){ .has = true, .v = quota > 0 ? quota : 1 };
	}
	if (o->cpu_shares.has)
		cpu->shares = (struct opt_u64){ .has = true, .v = (uint64_t)o->cpu_shares.v };
	if (o->cpuset_cpus)
		cpu->cpus = o->cpuset_cpus;
	if (o->cpuset_mems)
		cpu->mems = o->cpuset_mems;
	return 0;
}

/* ---- --device HOST[:PATH[:rwm]] ---- */

static bool is_access(const char *text)
{
	return *text && text[strspn(text, "rwm")] == '\0';
}

static int device_of(struct compose *c, const char *word, struct spec_device *ret, const char **ret_access,
		     struct err *e)
{
	char *copy = arena_str(c->a, word);
	const char *host = strsep(&copy, ":"), *path = strsep(&copy, ":"), *access = strsep(&copy, ":");
	struct stat st;

	if (path && !access && is_access(path)) {
		access = path;
		path = NULL;
	}
	path = path ? path : host;
	if (copy || *host != '/' || *path != '/' || (access && !is_access(access)))
		return err_new(e, EINVAL, "expected HOST[:PATH[:rwm]] with absolute paths");
	if (stat(host, &st) < 0)
		return err_sys(e, "%s", host);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_new(e, ENODEV, "%s: is no device", host);
	*ret = (struct spec_device){
		.type = S_ISCHR(st.st_mode) ? 'c' : 'b', .path = path,
		.major = { true, major(st.st_rdev) }, .minor = { true, minor(st.st_rdev) },
		.file_mode = { true, st.st_mode & 07777 }, .uid = { true, st.st_uid }, .gid = { true, st.st_gid },
	};
	*ret_access = access ? access : "rwm";
	return 0;
}

static int compose_device(struct compose *c, const char *word, struct err *e)
{
	struct spec_devices *nodes = &c->s->linux_->devices;
	struct spec_device_rules *rules = &resources_of(c)->devices;
	struct spec_device d = { 0 };
	const char *access = NULL;
	int r = device_of(c, word, &d, &access, e);

	if (r < 0)
		return err_at(e, r, "option --device %s", word);
	struct spec_device *v = arena_array(c->a, nodes->n + 1, sizeof(*v));
	struct spec_device_rule *rule = arena_array(c->a, rules->n + 1, sizeof(*rule));
	if (nodes->n)
		memcpy(v, nodes->v, nodes->n * sizeof(*v));
	if (rules->n)
		memcpy(rule, rules->v, rules->n * sizeof(*rule));
	v[nodes->n] = d;
	rule[rules->n] = (struct spec_device_rule){ .allow = { true, true }, .type = d.type, .major = d.major,
						    .minor = d.minor, .access = access };
	*nodes = (struct spec_devices){ .v = v, .n = nodes->n + 1 };
	*rules = (struct spec_device_rules){ .v = rule, .n = rules->n + 1 };
	return 0;
}

static int compose_sysctl(struct compose *c, const char *word, struct err *e)
{
	const char *equals = strchr(word, '=');

	if (!equals || equals == word)
		return err_new(e, EINVAL, "option --sysctl %s: expected NAME=VALUE", word);
	compose_set_pair(c->a, &c->s->linux_->sysctl, arena_strn(c->a, word, (size_t)(equals - word)), equals + 1);
	return 0;
}

int compose_limits(struct compose *c, struct err *e)
{
	const struct compose_options *o = c->o;
	int r = compose_memory(c, e);

	if (r == 0)
		r = compose_cpu(c, e);
	if (r == 0 && o->pids_limit.has)
		MEMBER(c, pids, struct spec_pids)->limit = o->pids_limit;
	if (r == 0 && o->blkio_weight.has)
		MEMBER(c, block_io, struct spec_block_io)->weight =
			(struct opt_u32){ .has = true, .v = (uint32_t)o->blkio_weight.v };
	for (size_t i = 0; r == 0 && i < o->devices.n; i++)
		r = compose_device(c, o->devices.v[i], e);
	for (size_t i = 0; r == 0 && i < o->sysctls.n; i++)
		r = compose_sysctl(c, o->sysctls.v[i], e);
	return r;
}
