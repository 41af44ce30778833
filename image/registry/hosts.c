/* SPDX-License-Identifier: Apache-2.0 */
/* See hosts.h. */
#include "image/registry/hosts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/registry/text.h"

/* Docker's own names for one registry. */
static const struct {
	const char *alias;
	const char *name;
	const char *server;
} docker_names[] = {
	{ "docker.io", "docker.io", "registry-1.docker.io" },
	{ "index.docker.io", "docker.io", "registry-1.docker.io" },
	{ "registry-1.docker.io", "docker.io", "registry-1.docker.io" },
};

/* The host in URLs. */
static const char *server_of(const char *host)
{
	for (size_t i = 0; i < ARRAY_LEN(docker_names); i++)
		if (strcmp(host, docker_names[i].alias) == 0)
			return docker_names[i].server;
	return host;
}

const char *hosts_canonical(const char *host)
{
	for (size_t i = 0; i < ARRAY_LEN(docker_names); i++)
		if (strcmp(host, docker_names[i].alias) == 0)
			return docker_names[i].name;
	return host;
}

/* ---- names ---- */

static bool has_host(const char *name)
{
	return ref_path(name) != name;
}

/* Writes HOST/PATH as it is meant: docker.io by its one name, and its short images in "library". */
static int full_name(const char *host, size_t host_len, const char *path, char out[static REF_NAME_MAX],
		     struct err *e)
{
	char plain[REF_NAME_MAX];
	snprintf(plain, sizeof(plain), "%.*s", (int)host_len, host);
	const char *known = hosts_canonical(plain);
	bool is_library = strcmp(known, "docker.io") == 0 && !strchr(path, '/');
	int n = snprintf(out, REF_NAME_MAX, "%s/%s%s", known, is_library ? "library/" : "", path);
	if (n >= REF_NAME_MAX)
		return err_new(e, EINVAL, "image name \"%s/%s\": too long", known, path);
	return 0;
}

static int full_of(const char *name, char out[static REF_NAME_MAX], struct err *e)
{
	const char *path = ref_path(name);
	if (path == name)
		return full_name("docker.io", 9, name, out, e);
	return full_name(name, (size_t)(path - name - 1), path, out, e);
}

/* ---- rules ---- */

/*
 * How many bytes of NAME[:TAG][@DIGEST] a prefix covers; 0: it does not match. It ends where a part ends; "host" is not
 * "host:5000".
 */
static size_t covered(const char *prefix, const char *name)
{
	const char *domain = text_after(prefix, "*");
	if (domain) {
		size_t host = strcspn(name, "/"), plain = strcspn(name, ":/"), len = strlen(domain);
		return plain > len && memcmp(name + plain - len, domain, len) == 0 ? host : 0;
	}
	const char *rest = text_after(name, prefix);
	if (!rest)
		return 0;
	bool ends = !*rest || *rest == '/' || *rest == '@' || (*rest == ':' && strchr(prefix, '/'));
	return ends ? strlen(prefix) : 0;
}

/* The longest prefix wins; a wildcard counts with its own length. */
static const struct conf_registry *find_rule(const struct conf *conf, const char *name)
{
	const struct conf_registry *best = NULL;
	for (size_t i = 0; i < conf->registries.n; i++) {
		const struct conf_registry *r = &conf->registries.v[i];
		if (covered(r->prefix, name) && (!best || strlen(r->prefix) > strlen(best->prefix)))
			best = r;
	}
	return best;
}

/* Splits HOST/PATH at a place that a rule has made of a name. */
static int set_endpoint(struct endpoint *ep, const char *place, const char *rest, struct err *e)
{
	char text[2 * REF_NAME_MAX];
	struct ref ref;
	snprintf(text, sizeof(text), "%s%s", place, rest);
	int r = ref_parse(text, &ref, e);
	if (r < 0)
		return err_at(e, r, "registries.conf leads to %s", text);
	const char *path = ref_path(ref.name);
	size_t len = strcspn(ref.name, "/");
	if (path == ref.name) {
		/* A location such as "myhost" is a host, though it has neither dot nor port. */
		if (!strchr(ref.name, '/'))
			return err_new(e, EINVAL, "registries.conf leads to %s: no HOST/PATH", text);
		path = ref.name + len + 1;
	}
	char host[REF_NAME_MAX];
	snprintf(host, sizeof(host), "%.*s", (int)len, ref.name);
	snprintf(ep->host, sizeof(ep->host), "%s", server_of(host));
	snprintf(ep->path, sizeof(ep->path), "%s", path);
	return 0;
}

static bool suits(const struct conf_registry *r, const struct conf_mirror *m, bool has_digest)
{
	if (r->mirror_by_digest_only.v || (m->pull_from && strcmp(m->pull_from, "digest-only") == 0))
		return has_digest;
	return !(m->pull_from && strcmp(m->pull_from, "tag-only") == 0 && has_digest);
}

static int add_mirrors(const struct conf_registry *r, const char *rest, bool has_digest, struct candidate *c,
		       struct err *e)
{
	for (size_t i = 0; i < r->mirrors.n; i++) {
		const struct conf_mirror *m = &r->mirrors.v[i];
		if (!suits(r, m, has_digest))
			continue;
		struct endpoint *ep = &c->endpoints[c->count];
		int n = set_endpoint(ep, m->location, rest, e);
		if (n < 0)
			return n;
		ep->is_insecure = m->is_insecure.v;
		ep->is_mirror = true;
		c->count++;
	}
	return 0;
}

/* Of another host than the one in the name, be it a mirror or where a location leads. */
static bool is_foreign(const struct endpoint *ep, const char *name)
{
	char host[REF_NAME_MAX];
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(name, "/"), name);
	return strcmp(ep->host, server_of(host)) != 0;
}

/* Fills in where a full name can be had. */
static int add_endpoints(const struct conf *conf, const struct ref *ref, bool for_push, struct candidate *c,
			 struct arena *arena, struct err *e)
{
	char whole[REF_TEXT_MAX];
	snprintf(whole, sizeof(whole), "%s%s%s%s%s", c->name, ref->tag[0] ? ":" : "", ref->tag,
		 ref->digest[0] ? "@" : "", ref->digest);
	const struct conf_registry *rule = find_rule(conf, whole);
	if (rule && rule->is_blocked.v)
		return err_new(e, EPERM, "%s: blocked by registries.conf (prefix %s)", c->name, rule->prefix);
	c->endpoints = arena_array(arena, (rule ? rule->mirrors.n : 0) + 1, sizeof(*c->endpoints));
	size_t skip = rule ? covered(rule->prefix, whole) : 0;
	const char *rest = skip > strlen(c->name) ? "" : c->name + skip;
	int r = rule && !for_push ? add_mirrors(rule, rest, ref->digest[0] != '\0', c, e) : 0;
	if (r < 0)
		return r;
	struct endpoint *ep = &c->endpoints[c->count];
	r = rule && rule->location ? set_endpoint(ep, rule->location, rest, e) : set_endpoint(ep, c->name, "", e);
	if (r < 0)
		return r;
	ep->is_insecure = rule && rule->is_insecure.v;
	c->count++;
	for (size_t i = 0; i < c->count; i++)
		c->endpoints[i].is_foreign = is_foreign(&c->endpoints[i], c->name);
	return 0;
}

/* ---- candidates ---- */

static const char *find_alias(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->aliases.n; i++)
		if (strcmp(conf->aliases.v[i].key, name) == 0)
			return *conf->aliases.v[i].value ? conf->aliases.v[i].value : NULL;
	return NULL;
}

static int add_candidate(struct candidates *out, const char *host, const char *path, struct err *e)
{
	struct candidate *c = &out->v[out->n];
	int r = host ? full_name(host, strlen(host), path, c->name, e) : full_of(path, c->name, e);
	if (r == 0)
		out->n++;
	return r;
}

/* "enforcing" wants the user to say what he means, where several things could be meant. */
static int refuse_guess(const struct conf *conf, const struct ref *ref, struct err *e)
{
	str_auto struct str list = STR_MAX(400);
	for (size_t i = 0; i < conf->search.n; i++)
		str_fmt(&list, "%s%s/%s", i ? ", " : "", conf->search.v[i], ref->name);
	return err_new(e, EINVAL, "%s: short-name-mode is enforcing (registries.conf): say which of %s is meant",
		       ref->name, list.p);
}

static int find_names(const struct conf *conf, const struct ref *ref, bool for_push, struct candidates *out,
		      struct err *e)
{
	const char *alias = has_host(ref->name) ? NULL : find_alias(conf, ref->name);
	int r = 0;
	out->v = arena_array(&out->arena, conf->search.n + 1, sizeof(*out->v));
	if (alias || has_host(ref->name) || for_push || !conf->search.n)
		return add_candidate(out, NULL, alias ? alias : ref->name, e);
	if (conf->search.n > 1 && conf->short_name_mode && strcmp(conf->short_name_mode, "enforcing") == 0)
		return refuse_guess(conf, ref, e);
	for (size_t i = 0; r == 0 && i < conf->search.n; i++)
		r = add_candidate(out, conf->search.v[i], ref->name, e);
	return r;
}

int hosts_resolve(const struct conf *conf, const struct ref *ref, bool for_push, struct candidates *ret,
		  struct err *e)
{
	struct candidates c = { .n = 0 };
	int r = find_names(conf, ref, for_push, &c, e);
	for (size_t i = 0; r == 0 && i < c.n; i++)
		r = add_endpoints(conf, ref, for_push, &c.v[i], &c.arena, e);
	if (r < 0) {
		candidates_done(&c);
		return r;
	}
	*ret = c;
	return 0;
}

/* Credentials are for the host that a user names, not for where a rule leads its images. */
int hosts_of_key(const struct conf *conf, const char *key, struct endpoint *ret, struct err *e)
{
	const struct conf_registry *rule = find_rule(conf, key);
	size_t len = strcspn(key, "/");
	char host[REF_NAME_MAX];
	if (rule && rule->is_blocked.v)
		return err_new(e, EPERM, "%s: blocked by registries.conf (prefix %s)", key, rule->prefix);
	if (strlen(key) >= sizeof(host))
		return err_new(e, EINVAL, "%.80s...: too long", key);
	snprintf(host, sizeof(host), "%.*s", (int)len, key);
	*ret = (struct endpoint){ .is_insecure = rule && rule->is_insecure.v };
	snprintf(ret->host, sizeof(ret->host), "%s", server_of(host));
	snprintf(ret->path, sizeof(ret->path), "%s", key[len] ? key + len + 1 : "");
	return 0;
}

void candidates_done(struct candidates *c)
{
	arena_done(&c->arena);
	*c = (struct candidates){ .n = 0 };
}
