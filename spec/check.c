/* SPDX-License-Identifier: Apache-2.0 */
/* See check.h. The top level, mounts and hooks; the rest is in check_*.c. Source: runtime-spec config.md. */
#include "spec/check.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "spec/mountopt.h"
#include "spec/verdict.h"

/* ---- ociVersion ---- */

/* A number without leading zeros; NULL: none there. */
static const char *skip_version_number(const char *s)
{
	if (!isdigit((unsigned char)*s) || (s[0] == '0' && isdigit((unsigned char)s[1])))
		return NULL;
	while (isdigit((unsigned char)*s))
		s++;
	return s;
}

/* Identifiers of letters, digits and '-', separated by dots. */
static const char *skip_version_labels(const char *s)
{
	for (;; s++) {
		const char *start = s;
		while (isalnum((unsigned char)*s) || *s == '-')
			s++;
		if (s == start)
			return NULL;
		if (*s != '.')
			return s;
	}
}

/* SemVer 2.0.0, paragraphs 2, 9 and 10. */
static bool is_semver(const char *s)
{
	for (int i = 0; i < 3 && s; i++) {
		s = skip_version_number(s);
		if (s && i < 2)
			s = *s == '.' ? s + 1 : NULL;
	}
	if (s && *s == '-')
		s = skip_version_labels(s + 1);
	if (s && *s == '+')
		s = skip_version_labels(s + 1);
	return s && *s == '\0';
}

static void check_version(struct verdict *v, const char *version)
{
	struct quoted q;
	if (!is_semver(version))
		breach(v, "ociVersion: expected a version such as 1.3.0, got %s", quote(&q, version));
	else if (strncmp(version, "1.", 2) != 0)
		breach(v, "ociVersion: expected version 1.x, got %s", quote(&q, version));
}

/* ---- mounts ---- */

static void check_mount_ids(struct verdict *v, size_t i, const struct spec_mount *m,
			    const struct mount_options *o, bool has_userns)
{
	char path[64];
	if (o->is_idmap && !m->uid_mappings.n && !m->gid_mappings.n && !has_userns)
		breach(v, "mounts[%zu].options: idmap needs uidMappings and gidMappings, or a user namespace",
		       i);
	if (!m->uid_mappings.n && !m->gid_mappings.n)
		return;
	if (!m->uid_mappings.n != !m->gid_mappings.n)
		breach(v, "mounts[%zu].%s: required with %s", i,
		       m->uid_mappings.n ? "gidMappings" : "uidMappings",
		       m->uid_mappings.n ? "uidMappings" : "gidMappings");
	snprintf(path, sizeof(path), "mounts[%zu].uidMappings", i);
	check_id_maps(v, path, &m->uid_mappings);
	snprintf(path, sizeof(path), "mounts[%zu].gidMappings", i);
	check_id_maps(v, path, &m->gid_mappings);
}

/* config.md "Mounts": a bind is what has the option, whatever its type. */
static void check_mount_kind(struct verdict *v, size_t i, const struct spec_mount *m,
			     const struct mount_options *o)
{
	bool is_change = o->is_remount || (o->propagation_count > 0 && !m->type && !m->source);
	if (o->is_bind && !o->is_remount && !m->source)
		breach(v, "mounts[%zu].source: required for a bind mount", i);
	if (!o->is_bind && m->type && !strcmp(m->type, "bind"))
		breach(v, "mounts[%zu].options: a mount of type bind needs the option bind or rbind", i);
	if (!o->is_bind && !m->type && !is_change)
		breach(v, "mounts[%zu].type: required for a mount that is not a bind mount", i);
	if (o->is_tmpcopyup && (!m->type || strcmp(m->type, "tmpfs") != 0))
		breach(v, "mounts[%zu].options: tmpcopyup needs type tmpfs", i);
}

static void check_mount(struct verdict *v, size_t i, const struct spec_mount *m, struct arena *arena,
			bool has_userns)
{
	struct mount_options o = { 0 };
	struct err e = { 0 };
	if (!*m->destination)
		breach(v, "mounts[%zu].destination: expected a path, got \"\"", i);
	if (mount_options_parse(&m->options, arena, &o, &e) < 0) {
		breach(v, "mounts[%zu].options: %s", i, e.text);
		return;
	}
	check_mount_kind(v, i, m, &o);
	check_mount_ids(v, i, m, &o, has_userns);
}

static void check_mounts(struct verdict *v, const struct spec *s)
{
	arena_auto struct arena arena = { 0 };
	bool has_userns = spec_namespace_find(s, CLONE_NEWUSER);
	for (size_t i = 0; i < s->mounts.n; i++)
		check_mount(v, i, &s->mounts.v[i], &arena, has_userns);
}

/* ---- hooks ---- */

static void check_hook_list(struct verdict *v, const char *kind, const struct spec_hook_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_hook *h = &list->v[i];
		char path[64];
		check_absolute(v, h->path, "hooks.%s[%zu].path", kind, i);
		snprintf(path, sizeof(path), "hooks.%s[%zu].env", kind, i);
		check_env(v, path, &h->env);
		if (h->timeout.has && h->timeout.v <= 0)
			breach(v, "hooks.%s[%zu].timeout: expected more than 0, got %" PRId64, kind, i,
			       h->timeout.v);
	}
}

static void check_hooks(struct verdict *v, const struct spec_hooks *h)
{
	check_hook_list(v, "prestart", &h->prestart);
	check_hook_list(v, "createRuntime", &h->create_runtime);
	check_hook_list(v, "createContainer", &h->create_container);
	check_hook_list(v, "startContainer", &h->start_container);
	check_hook_list(v, "poststart", &h->poststart);
	check_hook_list(v, "poststop", &h->poststop);
}

/* ---- top level ---- */

static void check_names(struct verdict *v, const struct spec *s)
{
	const struct {
		const char *key, *value;
	} names[] = { { "hostname", s->hostname }, { "domainname", s->domainname } };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!names[i].value)
			continue;
		if (!spec_namespace_find(s, CLONE_NEWUTS))
			breach(v, "%s: needs a uts namespace", names[i].key);
		if (strlen(names[i].value) > 64) /* sethostname(2): HOST_NAME_MAX */
			breach(v, "%s: longer than 64 bytes", names[i].key);
	}
}

static void check_all(struct verdict *v, const struct spec *s)
{
	check_version(v, s->oci_version);
	if (!*s->root->path)
		breach(v, "root.path: expected a path, got \"\"");
	check_mounts(v, s);
	if (s->process) {
		v->base = "process.";
		check_process(v, s->process);
		v->base = "";
	}
	check_names(v, s);
	if (s->hooks)
		check_hooks(v, s->hooks);
	for (size_t i = 0; i < s->annotations.n; i++)
		if (!*s->annotations.v[i].key)
			breach(v, "annotations: a key is empty");
	if (s->linux_)
		check_linux(v, s);
}

static int verdict_error(const struct verdict *v, struct err *e)
{
	return v->count > 0 ? err_new(e, EINVAL, "%s", v->first) : 0;
}

int spec_check(const struct spec *s, struct err *e)
{
	struct verdict v = { .base = "" };
	check_all(&v, s);
	return verdict_error(&v, e);
}

size_t spec_check_all(const struct spec *s, jx_breach_fn *tell, void *ctx)
{
	struct verdict v = { .base = "", .breach = tell, .ctx = ctx };
	check_all(&v, s);
	return v.count;
}

int spec_check_process(const struct spec_process *p, struct err *e)
{
	struct verdict v = { .base = "" };
	check_process(&v, p);
	return verdict_error(&v, e);
}

int spec_check_resources(const struct spec_resources *r, struct err *e)
{
	struct verdict v = { .base = "" };
	check_resources(&v, r);
	return verdict_error(&v, e);
}

int spec_check_mounts(const struct spec *s, struct err *e)
{
	struct verdict v = { .base = "" };
	check_mounts(&v, s);
	return verdict_error(&v, e);
}
