/* SPDX-License-Identifier: Apache-2.0 */
/* See conf.h. */
#include "image/registry/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "image/ref.h"
#include "image/registry/text.h"
#include "image/registry/toml.h"
#include "util/fd.h"

enum { DROP_INS_MAX = 1000, REGISTRIES_MAX = 10000 };

/* What a file says, before it is laid over what was read before. */
struct file {
	struct strs search;
	const char *short_name_mode;
	struct strs credential_helpers;
	struct pairs aliases;
	struct conf_registries registries;
	struct old_format *old;
};

struct old_format {
	char unused;
};

/* clang-format off */
static const struct jx_field mirror_rows[] = {
	JX_STR(struct conf_mirror, location, "location", .must = true),
	JX_BOOL(struct conf_mirror, is_insecure, "insecure"),
	JX_STR(struct conf_mirror, pull_from, "pull-from-mirror", .blank = true),
	JX_END,
};

static const struct jx_field registry_rows[] = {
	JX_STR(struct conf_registry, prefix, "prefix", .blank = true),
	JX_STR(struct conf_registry, location, "location", .blank = true),
	JX_BOOL(struct conf_registry, is_insecure, "insecure"),
	JX_BOOL(struct conf_registry, is_blocked, "blocked"),
	JX_BOOL(struct conf_registry, mirror_by_digest_only, "mirror-by-digest-only"),
	JX_LIST(struct conf_registry, mirrors, "mirror", struct conf_mirror, mirror_rows),
	JX_END,
};

static const struct jx_field old_rows[] = { JX_END };

static const struct jx_field file_rows[] = {
	JX_STRS(struct file, search, "unqualified-search-registries"),
	JX_STR(struct file, short_name_mode, "short-name-mode", .blank = true),
	JX_STRS(struct file, credential_helpers, "credential-helpers"),
	JX_PAIRS(struct file, aliases, "aliases"),
	JX_LIST(struct file, registries, "registry", struct conf_registry, registry_rows),
	JX_OBJ(struct file, old, "registries", struct old_format, old_rows),
	JX_END,
};
/* clang-format on */

/* ---- what rows cannot say ---- */

static bool is_word_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

/* A location or prefix: HOST[:PORT][/PATH], as it will be put before the rest of a name. */
static bool is_place(const char *text)
{
	size_t len = strlen(text);
	if (!len || len >= REF_NAME_MAX || strstr(text, "://") || text[len - 1] == '/' || text[0] == '/')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:/@") == len;
}

static int check_mirror(const struct conf_mirror *m, const char *where, struct err *e)
{
	static const char *const words[] = { "all", "digest-only", "tag-only", NULL };
	if (!is_place(m->location))
		return err_new(e, EINVAL, "%s.location: \"%s\" is not HOST[:PORT][/PATH]", where, m->location);
	if (m->pull_from && !is_word_of(m->pull_from, words))
		return err_new(e, EINVAL, "%s.pull-from-mirror: expected all, digest-only or tag-only, got \"%s\"",
			       where, m->pull_from);
	return 0;
}

static int check_registry(struct conf_registry *r, const char *where, struct err *e)
{
	if (!r->prefix)
		r->prefix = r->location;
	if (!r->prefix)
		return err_new(e, EINVAL, "%s: neither prefix nor location", where);
	const char *domain = text_after(r->prefix, "*.");
	if (domain ? !is_place(domain) || strpbrk(domain, "/:@") : !is_place(r->prefix))
		return err_new(e, EINVAL, "%s.prefix: \"%s\" is not HOST[:PORT][/PATH] or *.DOMAIN", where,
			       r->prefix);
	if (!r->location && !domain)
		r->location = r->prefix;
	if (r->location && !is_place(r->location))
		return err_new(e, EINVAL, "%s.location: \"%s\" is not HOST[:PORT][/PATH]", where, r->location);
	for (size_t i = 0; i < r->mirrors.n; i++) {
		free_auto char *at = mem_fmt("%s.mirror[%zu]", where, i);
		int n = check_mirror(&r->mirrors.v[i], at, e);
		if (n < 0)
			return n;
		if (r->mirrors.v[i].pull_from && r->mirror_by_digest_only.v)
			return err_new(e, EINVAL, "%s.pull-from-mirror: not together with mirror-by-digest-only", at);
	}
	return 0;
}

static int check_file(const struct file *f, const char *origin, struct err *e)
{
	static const char *const modes[] = { "enforcing", "permissive", "disabled", NULL };
	if (f->old)
		return err_new(e, EINVAL,
			       "%s: registries: that is version 1 of the format; version 2 has "
			       "unqualified-search-registries and [[registry]]",
			       origin);
	if (f->short_name_mode && !is_word_of(f->short_name_mode, modes))
		return err_new(e, EINVAL,
			       "%s: short-name-mode: expected enforcing, permissive or disabled, got \"%s\"", origin,
			       f->short_name_mode);
	for (size_t i = 0; i < f->search.n; i++)
		if (!is_place(f->search.v[i]))
			return err_new(e, EINVAL, "%s: unqualified-search-registries[%zu]: \"%s\" is not HOST[:PORT]",
				       origin, i, f->search.v[i]);
	for (size_t i = 0; i < f->registries.n; i++) {
		free_auto char *where = mem_fmt("registry[%zu]", i);
		int r = check_registry(&f->registries.v[i], where, e);
		if (r < 0)
			return err_at(e, r, "%s", origin);
	}
	return 0;
}

/* An empty value takes an alias away, as containers-registries.conf(5) has it. */
static int check_aliases(const struct file *f, const char *origin, struct err *e)
{
	for (size_t i = 0; i < f->aliases.n; i++) {
		const struct pair *a = &f->aliases.v[i];
		struct ref ref;
		int r = *a->value ? ref_parse(a->value, &ref, e) : 0;
		if (r < 0)
			return err_at(e, r, "%s: aliases.%s", origin, a->key);
		if (*a->value && (ref.tag[0] || ref.digest[0] || ref_path(ref.name) == ref.name))
			return err_new(e, EINVAL, "%s: aliases.%s: \"%s\" is not HOST/PATH without a tag", origin,
				       a->key, a->value);
	}
	return 0;
}

/* ---- laying over ---- */

static void add_registry(struct conf *c, const struct conf_registry *r)
{
	for (size_t i = 0; i < c->registries.n; i++)
		if (strcmp(c->registries.v[i].prefix, r->prefix) == 0) {
			c->registries.v[i] = *r;
			return;
		}
	struct conf_registry *v = arena_array(&c->arena, c->registries.n + 1, sizeof(*v));
	if (c->registries.n)
		memcpy(v, c->registries.v, c->registries.n * sizeof(*v));
	v[c->registries.n] = *r;
	c->registries.v = v;
	c->registries.n++;
}

static void add_aliases(struct conf *c, const struct pairs *more)
{
	struct pair *v = arena_array(&c->arena, c->aliases.n + more->n + 1, sizeof(*v));
	size_t n = 0;
	/* The newest first: it is the one that is found. */
	for (size_t i = 0; i < more->n; i++)
		v[n++] = more->v[i];
	for (size_t i = 0; i < c->aliases.n; i++)
		v[n++] = c->aliases.v[i];
	c->aliases = (struct pairs){ v, n };
}

static int lay_over(struct conf *c, const struct file *f, const char *origin, struct err *e)
{
	if (f->search.n) {
		c->search = f->search;
		c->search_from = arena_str(&c->arena, origin);
	}
	if (f->short_name_mode)
		c->short_name_mode = f->short_name_mode;
	if (f->credential_helpers.n)
		c->credential_helpers = f->credential_helpers;
	if (f->aliases.n)
		add_aliases(c, &f->aliases);
	if (c->registries.n + f->registries.n > REGISTRIES_MAX)
		return err_new(e, EFBIG, "%s: more than %d registries", origin, REGISTRIES_MAX);
	for (size_t i = 0; i < f->registries.n; i++)
		add_registry(c, &f->registries.v[i]);
	return 0;
}

int conf_add(struct conf *c, const char *bytes, size_t len, const char *origin, struct err *e)
{
	free_auto char *json = NULL;
	struct file f = { .old = NULL };
	int r = toml_to_json(bytes, len, origin, &json, e);
	if (r < 0)
		return r;
	r = jx_load(json, strlen(json), origin, file_rows, &f, &c->arena, NULL, e);
	if (r < 0)
		return strncmp(e->text, origin, strlen(origin)) == 0 ? r : err_at(e, r, "%s", origin);
	r = check_file(&f, origin, e);
	if (r == 0)
		r = check_aliases(&f, origin, e);
	return r < 0 ? r : lay_over(c, &f, origin, e);
}

/* ---- files ---- */

/* Returns 1 when the file is there, 0 when it is not. */
static int add_file(struct conf *c, const char *path, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	int r = file_read(AT_FDCWD, path, TOML_BYTES_MAX, true, &bytes, &len);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_ret(e, r, "%s", path);
	r = conf_add(c, bytes, len, path, e);
	return r < 0 ? r : 1;
}

static int is_drop_in(const struct dirent *en)
{
	const char *dot = strrchr(en->d_name, '.');
	return dot && dot != en->d_name && strcmp(dot, ".conf") == 0;
}

static int add_dir(struct conf *c, const char *path, struct err *e)
{
	struct dirent **names = NULL;
	int count = scandir(path, &names, is_drop_in, alphasort), r = 0;
	if (count < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "%s", path);
	if (count > DROP_INS_MAX)
		r = err_new(e, EFBIG, "%s: more than %d files", path, DROP_INS_MAX);
	for (int i = 0; i < count; i++) {
		free_auto char *file = mem_fmt("%s/%s", path, names[i]->d_name);
		free(names[i]);
		if (r >= 0)
			r = add_file(c, file, e);
	}
	free(names);
	return r < 0 ? r : 0;
}

static int add_main(struct conf *c, const char *own, struct err *e)
{
	const char *given = getenv("CONTAINERS_REGISTRIES_CONF");
	int r;
	if (given && *given) {
		r = add_file(c, given, e);
		return r == 0 ? err_new(e, ENOENT, "$CONTAINERS_REGISTRIES_CONF: %s: no such file", given) : r;
	}
	r = own ? add_file(c, own, e) : 0;
	return r == 0 ? add_file(c, "/etc/containers/registries.conf", e) : r;
}

int conf_open(struct conf *ret_conf, struct err *e)
{
	const char *home = getenv("HOME");
	struct conf c = { .search_from = NULL };
	free_auto char *own = home ? mem_fmt("%s/.config/containers/registries.conf", home) : NULL;
	free_auto char *own_dir = home ? mem_fmt("%s/.config/containers/registries.conf.d", home) : NULL;
	int r = add_main(&c, own, e);
	if (r >= 0)
		r = add_dir(&c, "/etc/containers/registries.conf.d", e);
	if (r >= 0 && own_dir)
		r = add_dir(&c, own_dir, e);
	if (r < 0) {
		conf_done(&c);
		return r;
	}
	*ret_conf = c;
	return 0;
}

void conf_done(struct conf *c)
{
	arena_done(&c->arena);
	*c = (struct conf){ .search_from = NULL };
}
