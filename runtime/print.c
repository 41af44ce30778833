/* SPDX-License-Identifier: Apache-2.0 */
/* plan_print of plan.h: a plan as one JSON object, for `kist plan`. Reads the plan only. */
#include <string.h>
#include <sched.h>
#include <sys/mount.h>

#include "ns/kinds.h"
#include "runtime/plan.h"
#include "spec/words.h"
#include "util/mem.h"

/* Mount attributes by name; the access time is a field and relatime its zero. mount_setattr(2). */
static const struct attr_name {
	uint64_t bit;
	const char *name;
} attr_names[] = {
	{ MOUNT_ATTR_RDONLY,      "ro"          },
	{ MOUNT_ATTR_NOSUID,      "nosuid"      },
	{ MOUNT_ATTR_NODEV,       "nodev"       },
	{ MOUNT_ATTR_NOEXEC,      "noexec"      },
	{ MOUNT_ATTR_NOATIME,     "noatime"     },
	{ MOUNT_ATTR_STRICTATIME, "strictatime" },
	{ MOUNT_ATTR_NODIRATIME,  "nodiratime"  },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
};

static void put_key(struct str *out, const char *key)
{
	str_fmt(out, "\"%s\":", key);
}

static void put_pair(struct str *out, const char *key, const char *value, bool is_last)
{
	put_key(out, key);
	jx_print_string(out, value ? value : "");
	str_puts(out, is_last ? "" : ",");
}

static void put_attrs(struct str *out, const char *key, uint64_t set)
{
	bool is_first = true;
	put_key(out, key);
	str_puts(out, "[");
	for (size_t i = 0; i < ARRAY_LEN(attr_names); i++) {
		if (!(set & attr_names[i].bit))
			continue;
		str_fmt(out, "%s\"%s\"", is_first ? "" : ",", attr_names[i].name);
		is_first = false;
	}
	str_puts(out, "],");
}

static void put_namespaces(struct str *out, const struct plan *p)
{
	bool is_first = true;
	put_key(out, "namespaces");
	str_puts(out, "[");
	for (size_t i = 0; i < ns_kinds_count; i++) {
		int flag = ns_kinds[i].flag;
		bool is_new = (p->new_ns & (uint64_t)flag) || (flag == CLONE_NEWCGROUP && (p->need & NEED_CGROUPNS)) ||
			      (flag == CLONE_NEWTIME && p->has_new_time);
		const char *path = NULL;
		for (size_t k = 0; k < p->join_count; k++)
			path = p->joins[k].kind == flag ? p->joins[k].path : path;
		if (!is_new && !path)
			continue;
		str_fmt(out, "%s{\"type\":\"%s\",", is_first ? "" : ",", ns_kinds[i].word);
		put_pair(out, is_new ? "action" : "path", is_new ? "new" : path, true);
		str_puts(out, "}");
		is_first = false;
	}
	str_puts(out, "],");
}

/* Inside, outside as kist sees it, how many: the line of /proc/PID/uid_map. */
static void put_maps(struct str *out, const char *key, const struct spec_id_maps *maps)
{
	put_key(out, key);
	str_puts(out, "[");
	for (size_t i = 0; i < maps->n; i++)
		str_fmt(out, "%s\"%u %u %u\"", i ? "," : "", maps->v[i].container_id.v, maps->v[i].host_id.v,
			maps->v[i].size.v);
	str_puts(out, "],");
}

static void put_net_devices(struct str *out, const struct plan *p)
{
	if (!(p->need & NEED_NETDEV))
		return;
	const struct spec_net_devices *list = &p->spec->linux_->net_devices;
	put_key(out, "netDevices");
	str_puts(out, "[");
	for (size_t i = 0; i < list->n; i++) {
		str_puts(out, i ? ",{" : "{");
		put_pair(out, "host", list->v[i].key, false);
		put_pair(out, "name", list->v[i].name ? list->v[i].name : list->v[i].key, true);
		str_puts(out, "}");
	}
	str_puts(out, "],");
}

static void put_mounts(struct str *out, const struct plan *p)
{
	static const char *const kinds[] = {
		[PLAN_NEW] = "new", [PLAN_BIND] = "bind", [PLAN_CGROUP] = "cgroup", [PLAN_REMOUNT] = "remount",
		[PLAN_NOTIFY] = "notify",
	};
	put_key(out, "mounts");
	str_puts(out, "[");
	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *m = &p->mounts[i];
		str_puts(out, i ? ",{" : "{");
		put_pair(out, "destination", m->destination, false);
		put_pair(out, "action", kinds[m->kind], false);
		put_pair(out, "type", m->type, false);
		put_pair(out, "source", m->source, false);
		put_attrs(out, "set", m->options.attr_set);
		put_attrs(out, "clear", m->options.attr_clr & ~(uint64_t)MOUNT_ATTR__ATIME);
		put_attrs(out, "setRecursive", m->options.rec_set);
		put_pair(out, "data", m->options.data, true);
		str_puts(out, "}");
	}
	str_puts(out, "],");
}

static void put_writes(struct str *out, const struct plan *p)
{
	put_key(out, "cgroupWrites");
	str_puts(out, "[");
	for (size_t i = 0; i < p->limits.n; i++) {
		str_puts(out, i ? ",{" : "{");
		put_pair(out, "key", p->limits.v[i].path, false);
		put_pair(out, "file", p->limits.v[i].file, false);
		put_pair(out, "value", p->limits.v[i].value, true);
		str_puts(out, "}");
	}
	str_puts(out, "],");
	put_key(out, "controllers");
	str_puts(out, "[");
	for (size_t i = 0; i < p->limits.need.n; i++)
		str_fmt(out, "%s\"%s\"", i ? "," : "", p->limits.need.v[i].name);
	str_fmt(out, "],\"deviceProgram\":{\"instructions\":%zu},", p->devices.n);
}

static void put_caps(struct str *out, const struct caps *c)
{
	const struct { const char *name; uint64_t set; } sets[] = {
		{ "bounding", c->bounding }, { "effective", c->effective }, { "inheritable", c->inheritable },
		{ "permitted", c->permitted }, { "ambient", c->ambient },
	};
	put_key(out, "capabilities");
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		str_auto struct str names = STR_MAX(4096);
		caps_print(&names, sets[i].set);
		str_fmt(out, "%s\"%s\":[", i ? "," : "{", sets[i].name);
		char *rest = names.p;
		bool is_first = true;
		for (char *word; rest && (word = strsep(&rest, ",")) && *word; is_first = false)
			str_fmt(out, "%s\"%s\"", is_first ? "" : ",", word);
		str_puts(out, "]");
	}
	str_puts(out, "},");
}

/* Each is there only when it is asked for. */
static void put_extras(struct str *out, const struct process_plan *s)
{
	const struct attrs *at = &s->attrs;
	const struct { const char *key, *value; } rows[] = {
		{ "scheduler", at->scheduler ? jx_word_name(spec_sched_policy_words, at->scheduler->policy) : NULL },
		{ "ioPriority", at->io_priority ? jx_word_name(spec_io_class_words, at->io_priority->io_class) : NULL },
		{ "memoryPolicy", at->memory ? jx_word_name(spec_policy_mode_words, at->memory->mode) : NULL },
		{ "personality", at->need & ATTRS_PERSONALITY ?
				 jx_word_name(spec_domain_words, (int64_t)at->personality) : NULL },
		{ "apparmorProfile", s->lsm.apparmor },
		{ "selinuxLabel", s->lsm.selinux },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].value)
			put_pair(out, rows[i].key, rows[i].value, false);
}

static void put_process(struct str *out, const struct plan *p)
{
	const struct process_plan *s = &p->process;
	if (!(p->need & NEED_PROCESS))
		return;
	put_key(out, "process");
	str_puts(out, "{\"args\":[");
	for (size_t i = 0; s->args[i]; i++) {
		str_puts(out, i ? "," : "");
		jx_print_string(out, s->args[i]);
	}
	str_fmt(out, "],\"user\":{\"uid\":%u,\"gid\":%u,\"groups\":[", s->uid, s->gid);
	for (size_t i = 0; i < s->group_count; i++)
		str_fmt(out, "%s%u", i ? "," : "", s->groups[i]);
	str_fmt(out, "],\"umask\":%u},", (unsigned)s->umask);
	put_pair(out, "cwd", s->cwd, false);
	put_extras(out, s);
	put_caps(out, &s->caps);
	str_fmt(out, "\"noNewPrivileges\":%s,\"terminal\":%s,\"rlimits\":%zu,\"seccomp\":{\"instructions\":%u,\"flags\":%u}},",
		s->no_new_privileges ? "true" : "false", s->is_terminal ? "true" : "false", s->rlimit_count,
		s->filter_length, s->filter_flags);
}

static void put_hooks(struct str *out, const struct spec_hooks *h)
{
	const struct { const char *kind; const struct spec_hook_list *list; } lists[] = {
		{ "prestart", &h->prestart }, { "createRuntime", &h->create_runtime },
		{ "createContainer", &h->create_container }, { "startContainer", &h->start_container },
		{ "poststart", &h->poststart }, { "poststop", &h->poststop },
	};
	const char *before = "{";
	put_key(out, "hooks");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct spec_hook_list *list = lists[i].list;
		if (!list->n)
			continue;
		str_fmt(out, "%s\"%s\":", before, lists[i].kind);
		for (size_t k = 0; k < list->n; k++) {
			str_puts(out, k ? "," : "[");
			jx_print_string(out, list->v[k].path);
		}
		str_puts(out, "]");
		before = ",";
	}
	str_puts(out, *before == '{' ? "{}," : "},");
}

void plan_print(struct str *out, const struct plan *p)
{
	str_puts(out, "{");
	put_pair(out, "id", p->id, false);
	put_pair(out, "bundle", p->bundle, false);
	put_pair(out, "rootfs", p->rootfs, false);
	str_fmt(out, "\"readonly\":%s,", p->need & NEED_READONLY ? "true" : "false");
	put_namespaces(out, p);
	if (p->new_ns & CLONE_NEWUSER) {
		put_maps(out, "uidMap", p->uid_maps);
		put_maps(out, "gidMap", p->gid_maps);
	}
	put_net_devices(out, p);
	put_mounts(out, p);
	put_key(out, "devices");
	for (size_t i = 0; i < p->node_count; i++) {
		str_puts(out, i ? "," : "[");
		jx_print_string(out, p->nodes[i].path);
	}
	str_puts(out, p->node_count ? "]," : "[],");
	put_writes(out, p);
	put_process(out, p);
	if (p->spec->hooks)
		put_hooks(out, p->spec->hooks);
	const struct spec_linux *l = p->spec->linux_;
	str_fmt(out, "\"maskedPaths\":%zu,\"readonlyPaths\":%zu,\"sysctl\":%zu}", l ? l->masked_paths.n : 0,
		l ? l->readonly_paths.n : 0, l ? l->sysctl.n : 0);
}
