/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the linux object (see check.h). Source: runtime-spec config-linux.md. */
#include <errno.h>
#include <inttypes.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "spec/verdict.h"
#include "spec/words.h"

/* ---- namespaces ---- */

static void check_namespaces(struct verdict *v, const struct spec_namespaces *list)
{
	uint64_t seen = 0;
	for (size_t i = 0; i < list->n; i++) {
		uint64_t bit = (uint64_t)(unsigned)list->v[i].kind;
		if (seen & bit)
			breach(v, "linux.namespaces[%zu].type: %s is there twice", i,
			       jx_word_name(spec_namespace_words, list->v[i].kind));
		seen |= bit;
		check_absolute(v, list->v[i].path, "linux.namespaces[%zu].path", i);
	}
}

static void check_userns(struct verdict *v, const struct spec *s)
{
	const struct spec_namespace *ns = spec_namespace_find(s, CLONE_NEWUSER);
	const struct {
		const char *path;
		const struct spec_id_maps *maps;
	} lists[] = {
		{ "linux.uidMappings", &s->linux_->uid_mappings },
		{ "linux.gidMappings", &s->linux_->gid_mappings },
	};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (lists[i].maps->n > 0 && !ns)
			breach(v, "%s: needs a user namespace", lists[i].path);
		if (lists[i].maps->n == 0 && ns && !ns->path)
			breach(v, "%s: required for a new user namespace", lists[i].path);
		check_id_maps(v, lists[i].path, lists[i].maps);
	}
}

/* time_namespaces(7): offsets can be set only before the first process enters. */
static void check_time(struct verdict *v, const struct spec *s)
{
	const struct spec_time_offsets *list = &s->linux_->time_offsets;
	const struct spec_namespace *ns = spec_namespace_find(s, CLONE_NEWTIME);
	struct quoted q;
	if (list->n > 0 && !ns)
		breach(v, "linux.timeOffsets: needs a time namespace");
	if (list->n > 0 && ns && ns->path)
		breach(v, "linux.timeOffsets: needs a new time namespace, not one with a path");
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_time_offset *t = &list->v[i];
		if (!jx_word_find(spec_clock_words, t->key))
			breach(v, "linux.timeOffsets: expected monotonic or boottime, got %s",
			       quote(&q, t->key));
		else if (t->nanosecs.v > 999999999)
			breach(v, "linux.timeOffsets.%s.nanosecs: expected at most 999999999, got %" PRIu32,
			       t->key, t->nanosecs.v);
	}
}

/* ---- devices ---- */

static bool is_same_device(const struct spec_device *a, const struct spec_device *b)
{
	return (a->type == 'u' ? 'c' : a->type) == (b->type == 'u' ? 'c' : b->type) &&
	       a->major.v == b->major.v && a->minor.v == b->minor.v;
}

static void check_device(struct verdict *v, size_t i, const struct spec_device *d)
{
	char path[64];
	check_absolute(v, d->path, "linux.devices[%zu].path", i);
	snprintf(path, sizeof(path), "linux.devices[%zu]", i);
	if (d->type != 'p' && !d->major.has)
		breach(v, "%s.major: required for type %c", path, d->type);
	if (d->type != 'p' && !d->minor.has)
		breach(v, "%s.minor: required for type %c", path, d->type);
	if (d->type != 'p')
		check_device_number(v, path, d->major.v, d->minor.v);
	if (d->file_mode.v & ~(uint32_t)(S_IFMT | 07777))
		breach(v, "%s.fileMode: expected a file mode, got %" PRIu32, path, d->file_mode.v);
	if (d->uid.v == UINT32_MAX)
		breach(v, "%s.uid: expected at most 4294967294, got 4294967295", path);
	if (d->gid.v == UINT32_MAX)
		breach(v, "%s.gid: expected at most 4294967294, got 4294967295", path);
}

static void check_devices(struct verdict *v, const struct spec_devices *list)
{
	for (size_t i = 0; i < list->n; i++) {
		check_device(v, i, &list->v[i]);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(list->v[i].path, list->v[j].path) &&
			    !is_same_device(&list->v[i], &list->v[j]))
				breach(v,
				       "linux.devices[%zu].path: another device than linux.devices[%zu] at "
				       "the same path",
				       i, j);
	}
}

/* netdevice(7): IFNAMSIZ is 16; the kernel fills in a number for %d. */
static bool is_link_name(const char *name, bool with_number)
{
	size_t len = strlen(name);
	const char *percent = strchr(name, '%');
	if (len == 0 || len > 15 || !strcmp(name, ".") || !strcmp(name, "..") ||
	    strpbrk(name, "/: \t\n\v\f\r"))
		return false;
	return !percent || (with_number && percent[1] == 'd' && !strchr(percent + 1, '%'));
}

static const char *name_inside(const struct spec_net_device *d)
{
	return d->name ? d->name : d->key;
}

/* For a name with %d the kernel finds one that is free. */
static void check_link_taken(struct verdict *v, const struct spec_net_devices *list, size_t i)
{
	const char *name = name_inside(&list->v[i]);
	for (size_t j = 0; j < i && !strchr(name, '%'); j++)
		if (!strcmp(name, name_inside(&list->v[j])))
			breach(v, "linux.netDevices.%s: the name %s is linux.netDevices.%s's too", list->v[i].key,
			       name, list->v[j].key);
}

static void check_net_devices(struct verdict *v, const struct spec *s)
{
	const struct spec_net_devices *list = &s->linux_->net_devices;
	struct quoted q;
	if (list->n > 0 && !spec_namespace_find(s, CLONE_NEWNET))
		breach(v, "linux.netDevices: needs a network namespace");
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_net_device *d = &list->v[i];
		if (!is_link_name(d->key, false))
			breach(v, "linux.netDevices: expected the name of a network device, got %s",
			       quote(&q, d->key));
		else if (d->name && !is_link_name(d->name, true))
			breach(v, "linux.netDevices.%s.name: expected the name of a network device, got %s",
			       d->key, quote(&q, d->name));
		else
			check_link_taken(v, list, i);
	}
}

/* ---- the rest ---- */

static void check_paths(struct verdict *v, const char *key, const struct strs *list)
{
	for (size_t i = 0; i < list->n; i++)
		check_absolute(v, list->v[i], "linux.%s[%zu]", key, i);
}

/* set_mempolicy(2): which modes go with nodes. */
static void check_memory_policy(struct verdict *v, const struct spec_memory_policy *p)
{
	const char *mode = jx_word_name(spec_policy_mode_words, p->mode);
	struct quoted q;
	bool is_bare = p->mode == MPOL_DEFAULT || p->mode == MPOL_LOCAL;
	if (is_bare && p->nodes)
		breach(v, "linux.memoryPolicy.nodes: not for %s", mode);
	if (!is_bare && p->mode != MPOL_PREFERRED && !p->nodes)
		breach(v, "linux.memoryPolicy.nodes: required for %s", mode);
	if (p->nodes && !is_number_list(p->nodes))
		breach(v, "linux.memoryPolicy.nodes: expected a list such as 0-3,7, got %s",
		       quote(&q, p->nodes));
	if (p->flags.v && (p->mode == MPOL_DEFAULT || ((p->flags.v & ~(uint64_t)MPOL_F_NUMA_BALANCING) && !p->nodes)))
		breach(v, "linux.memoryPolicy.flags: not for %s without nodes", mode);
	else if ((p->flags.v & MPOL_F_NUMA_BALANCING) && p->mode != MPOL_BIND && p->mode != MPOL_PREFERRED_MANY)
		breach(v, "linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING is not for %s", mode);
	if ((p->flags.v & MPOL_F_STATIC_NODES) && (p->flags.v & MPOL_F_RELATIVE_NODES))
		breach(v, "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude "
			  "each other");
}

static void check_intel_rdt(struct verdict *v, const struct spec_intel_rdt *r)
{
	const char *id = r->clos_id;
	struct quoted q;
	if (id && strcmp(id, "/") != 0 && (strchr(id, '/') || !strcmp(id, ".") || !strcmp(id, "..")))
		breach(v, "linux.intelRdt.closID: expected a directory name, got %s", quote(&q, id));
	/* resctrl.rst, "Info directory", "mon_groups", "mon_data": the file system's own. */
	if (id && (!strcmp(id, "info") || !strncmp(id, "mon_", 4)))
		breach(v, "linux.intelRdt.closID: %s is a directory of resctrl itself", quote(&q, id));
	if (id && strlen(id) > 200)
		breach(v, "linux.intelRdt.closID: longer than 200 bytes");
	if (r->mem_bw_schema && (strncmp(r->mem_bw_schema, "MB:", 3) != 0 || strchr(r->mem_bw_schema, '\n')))
		breach(v, "linux.intelRdt.memBwSchema: expected one line that begins with MB:, got %s",
		       quote(&q, r->mem_bw_schema));
	for (size_t i = 0; i < r->schemata.n; i++)
		if (strchr(r->schemata.v[i], '\n'))
			breach(v, "linux.intelRdt.schemata[%zu]: expected one line, got %s", i,
			       quote(&q, r->schemata.v[i]));
}

static bool has_parent_step(const char *path)
{
	for (const char *p = path; *p; p += strcspn(p, "/"), p += strspn(p, "/"))
		if (strcspn(p, "/") == 2 && !strncmp(p, "..", 2))
			return true;
	return false;
}

void check_linux(struct verdict *v, const struct spec *s)
{
	const struct spec_linux *l = s->linux_;
	check_namespaces(v, &l->namespaces);
	check_userns(v, s);
	check_time(v, s);
	check_devices(v, &l->devices);
	check_net_devices(v, s);
	if (l->cgroups_path && has_parent_step(l->cgroups_path))
		breach(v, "linux.cgroupsPath: \"..\" is not allowed");
	check_paths(v, "maskedPaths", &l->masked_paths);
	check_paths(v, "readonlyPaths", &l->readonly_paths);
	if (l->personality &&
	    l->personality->flags.n > 0) /* config-linux.md "Personality": none is defined */
		breach(v, "linux.personality.flags[0]: no flag is supported");
	if (l->intel_rdt)
		check_intel_rdt(v, l->intel_rdt);
	if (l->memory_policy)
		check_memory_policy(v, l->memory_policy);
	check_sysctl(v, s);
	if (l->seccomp)
		check_seccomp(v, l->seccomp);
	if (l->resources) {
		v->base = "linux.resources.";
		check_resources(v, l->resources);
		v->base = "";
	}
}
