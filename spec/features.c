/* SPDX-License-Identifier: Apache-2.0 */
/* See features.h. Source: runtime-spec features.md, features-linux.md. */
#include "spec/features.h"

#include <errno.h>
#include <seccomp.h>

#include "spec/arch.h"
#include "spec/features_fields.h"
#include "spec/mountopt.h"
#include "spec/words.h"
#include "util/mem.h"

enum { FEATURES_BYTES_MAX = 64 << 10 };

static const struct opt_bool yes = { .has = true, .v = true };
static const struct opt_bool no = { .has = true, .v = false };

/* ---- word lists from tables ---- */

static struct strs words_list(struct arena *a, const struct jx_word *words)
{
	struct strs list = { 0 };
	while (words[list.n].name)
		list.n++;
	list.v = arena_array(a, list.n + 1, sizeof(*list.v));
	for (size_t i = 0; i < list.n; i++)
		list.v[i] = words[i].name;
	return list;
}

static struct strs mount_options_list(struct arena *a)
{
	struct strs list = { 0 };
	while (mount_option_word(list.n))
		list.n++;
	list.v = arena_array(a, list.n + 1, sizeof(*list.v));
	for (size_t i = 0; i < list.n; i++)
		list.v[i] = mount_option_word(i);
	return list;
}

static struct strs hooks_list(struct arena *a)
{
	static const struct jx_word hooks[] = {
		{ "prestart", 0 },
		{ "createRuntime", 0 },
		{ "createContainer", 0 },
		{ "startContainer", 0 },
		{ "poststart", 0 },
		{ "poststop", 0 },
		{ 0 },
	};
	return words_list(a, hooks);
}

/* Those that the libseccomp in kist can make filters for here: one filter serves one byte order. */
static struct strs archs_list(struct arena *a)
{
	struct strs list = words_list(a, spec_arch_words);
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	size_t kept = 0;
	for (size_t i = 0; ctx && i < list.n; i++) {
		uint32_t arch = spec_arch_number(list.v[i]);
		int r = arch ? seccomp_arch_add(ctx, arch) : -EINVAL;
		if (r == 0 || r == -EEXIST)
			list.v[kept++] = list.v[i];
	}
	seccomp_release(ctx);
	list.n = kept;
	return list;
}

static struct strs unsafe_annotations(struct arena *a)
{
	static const struct jx_word keys[] = {
		{ "bundle", 0 }, { "org.criu.config", 0 }, { "org.systemd.property.", 0 }, { "run.oci.", 0 },
		{ 0 },
	};
	return words_list(a, keys);
}

/* ---- parts ---- */

static struct features_seccomp *seccomp_part(struct arena *a)
{
	struct features_seccomp *s = arena_new(a, struct features_seccomp);
	s->enabled = yes;
	s->actions = words_list(a, spec_action_words);
	s->operators = words_list(a, spec_compare_words);
	s->archs = archs_list(a);
	s->known_flags = words_list(a, spec_filter_flag_words);
	s->supported_flags = words_list(a, spec_filter_flag_words);
	return s;
}

static struct features_cgroup *cgroup_part(struct arena *a)
{
	struct features_cgroup *c = arena_new(a, struct features_cgroup);
	c->v1 = no;
	c->v2 = yes;
	c->systemd = yes;
	c->systemd_user = yes;
	c->rdma = yes;
	return c;
}

static struct features_switch *switch_part(struct arena *a, struct opt_bool enabled)
{
	struct features_switch *s = arena_new(a, struct features_switch);
	s->enabled = enabled;
	return s;
}

static struct features_rdt *rdt_part(struct arena *a)
{
	struct features_rdt *r = arena_new(a, struct features_rdt);
	r->enabled = r->schemata = r->monitoring = yes;
	return r;
}

static struct features_mount_extensions *mount_part(struct arena *a)
{
	struct features_mount_extensions *m = arena_new(a, struct features_mount_extensions);
	m->idmap = switch_part(a, yes);
	return m;
}

static struct features_memory_policy *policy_part(struct arena *a)
{
	struct features_memory_policy *p = arena_new(a, struct features_memory_policy);
	p->modes = words_list(a, spec_policy_mode_words);
	p->flags = words_list(a, spec_policy_flag_words);
	return p;
}

static struct features_linux *linux_part(struct arena *a)
{
	struct features_linux *l = arena_new(a, struct features_linux);
	l->namespaces = words_list(a, spec_namespace_words);
	l->capabilities = words_list(a, spec_capability_words);
	l->cgroup = cgroup_part(a);
	l->seccomp = seccomp_part(a);
	l->apparmor = switch_part(a, yes);
	l->selinux = switch_part(a, yes);
	l->intel_rdt = rdt_part(a);
	l->memory_policy = policy_part(a);
	l->mount_extensions = mount_part(a);
	l->net_devices = switch_part(a, yes);
	return l;
}

/* libseccomp is linked in whole, so its header's version is what runs. */
static struct pairs annotations_part(struct arena *a)
{
	struct pairs list = { .n = 3 };
	list.v = arena_array(a, list.n, sizeof(*list.v));
	list.v[0] = (struct pair){ "io.github.seccomp.libseccomp.version",
				   arena_fmt(a, "%d.%d.%d", SCMP_VER_MAJOR, SCMP_VER_MINOR, SCMP_VER_MICRO) };
	list.v[1] = (struct pair){ "kist.version", KIST_VERSION };
	list.v[2] = (struct pair){ "kist.commit", KIST_COMMIT };
	return list;
}

char *spec_features_json(void)
{
	arena_auto struct arena a = { 0 };
	str_auto struct str out = STR_MAX(FEATURES_BYTES_MAX);
	struct features f = {
		.version_min = "1.0.0",
		.version_max = "1.3.0",
		.hooks = hooks_list(&a),
		.mount_options = mount_options_list(&a),
		.linux_ = linux_part(&a),
		.annotations = annotations_part(&a),
		.unsafe = unsafe_annotations(&a),
	};
	jx_print(&out, features_fields, &f, 2);
	str_puts(&out, "\n");
	return ptr_take(out.p);
}
