/* SPDX-License-Identifier: Apache-2.0 */
/* See compose.h. This file sets the order and joins file and defaults; the parts are in compose_*.c. */
#include "engine/compose.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "engine/compose_parts.h"
#include "spec/default.h"
#include "spec/fields.h"
#include "util/fd.h"
#include "util/mem.h"

enum { ENV_FILE_MAX = 1 << 20, HOSTNAME_MAX = 63 };

/* ---- lists ---- */

void compose_add_str(struct arena *a, struct strs *list, const char *text)
{
	const char **v = arena_array(a, list->n + 2, sizeof(*v));

	if (list->n)
		memcpy(v, list->v, list->n * sizeof(*v));
	v[list->n] = text;
	*list = (struct strs){ .v = v, .n = list->n + 1 };
}

void compose_set_env(struct arena *a, struct strs *env, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], entry, len) != 0)
			continue;
		env->v[i] = entry;
		return;
	}
	compose_add_str(a, env, entry);
}

void compose_set_pair(struct arena *a, struct pairs *list, const char *key, const char *value)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i].key, key) != 0)
			continue;
		list->v[i].value = value;
		return;
	}
	struct pair *v = arena_array(a, list->n + 1, sizeof(*v));
	if (list->n)
		memcpy(v, list->v, list->n * sizeof(*v));
	v[list->n] = (struct pair){ key, value };
	*list = (struct pairs){ .v = v, .n = list->n + 1 };
}

static int add_env_word(const char *word, struct arena *a, struct strs *ret, struct err *e)
{
	if (!*word || *word == '=')
		return err_new(e, EINVAL, "environment entry \"%s\": the name is empty", word);
	if (strchr(word, '=')) {
		compose_set_env(a, ret, arena_str(a, word));
		return 0;
	}
	const char *value = getenv(word);
	if (value)
		compose_set_env(a, ret, arena_fmt(a, "%s=%s", word, value));
	return 0;
}

/* One K=V or K per line; blank lines and those that start with # say nothing. */
static int add_env_file(const char *path, struct arena *a, struct strs *ret, struct err *e)
{
	free_auto char *text = NULL;
	int r = file_read(AT_FDCWD, path, ENV_FILE_MAX, true, &text, NULL);

	if (r < 0)
		return err_ret(e, r, "env file %s", path);
	char *rest = text;
	for (char *line; r == 0 && (line = strsep(&rest, "\n"));) {
		line += strspn(line, " \t");
		line[strcspn(line, "\r")] = '\0';
		if (*line && *line != '#')
			r = add_env_word(line, a, ret, e);
	}
	return r < 0 ? err_at(e, r, "env file %s", path) : 0;
}

int compose_env(const struct strs *words, const struct strs *files, struct arena *a, struct strs *ret, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < files->n; i++)
		r = add_env_file(files->v[i], a, ret, e);
	for (size_t i = 0; r == 0 && i < words->n; i++)
		r = add_env_word(words->v[i], a, ret, e);
	return r;
}

/* ---- defaults beneath what the file says ---- */

/* A list's pointer is set as soon as its key is there, even when the list is empty. */
static void join_linux(struct spec_linux *l, const struct spec_linux *d)
{
	if (!l->namespaces.n)
		l->namespaces = d->namespaces;
	if (!l->masked_paths.v)
		l->masked_paths = d->masked_paths;
	if (!l->readonly_paths.v)
		l->readonly_paths = d->readonly_paths;
	if (!l->resources)
		l->resources = d->resources;
}

static int join_defaults(struct compose *c, struct err *e)
{
	free_auto char *text = spec_default_json(false);
	struct spec d = { 0 };
	struct spec *s = c->s;
	int r = jx_load(text, strlen(text), "defaults", spec_fields, &d, c->a, NULL, e);

	if (r < 0)
		return r;
	c->is_process_given = s->process != NULL;
	c->is_mounts_given = s->mounts.v != NULL;
	s->oci_version = s->oci_version ? s->oci_version : d.oci_version;
	if (!s->mounts.v)
		s->mounts = d.mounts;
	if (!s->linux_)
		s->linux_ = d.linux_;
	else
		join_linux(s->linux_, d.linux_);
	if (!s->process)
		s->process = arena_new(c->a, struct spec_process);
	if (!s->root) {
		s->root = arena_new(c->a, struct spec_root);
		s->root->path = "rootfs";   /* a name only: the tree is handed in */
	}
	return 0;
}

/* ---- names and networks ---- */

void compose_drop_namespace(struct compose *c, int kind)
{
	struct spec_namespaces *list = &c->s->linux_->namespaces;
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].kind != kind)
			list->v[n++] = list->v[i];
	list->n = n;
}

void compose_add_namespace(struct compose *c, int kind)
{
	struct spec_namespaces *list = &c->s->linux_->namespaces;
	struct spec_namespace *v = arena_array(c->a, list->n + 1, sizeof(*v));

	if (list->n)
		memcpy(v, list->v, list->n * sizeof(*v));
	v[list->n] = (struct spec_namespace){ .kind = kind };
	*list = (struct spec_namespaces){ .v = v, .n = list->n + 1 };
}

static int compose_names(struct compose *c, struct err *e)
{
	const struct spec_namespace *uts = spec_namespace_find(c->s, CLONE_NEWUTS);

	if (c->o->network) {
		compose_drop_namespace(c, CLONE_NEWNET);
		if (strcmp(c->o->network, "none") == 0)
			compose_add_namespace(c, CLONE_NEWNET);
	}
	if (c->o->hostname && !(uts && !uts->path))
		return err_new(e, EINVAL, "option --hostname: the configuration shares its UTS namespace");
	if (c->o->hostname)
		c->s->hostname = c->o->hostname;
	else if (!c->s->hostname && uts && !uts->path)
		c->s->hostname = arena_strn(c->a, c->place->name, strnlen(c->place->name, HOSTNAME_MAX));
	for (size_t i = 0; i < c->o->annotations.n; i++) {
		const char *word = c->o->annotations.v[i];
		const char *equals = strchr(word, '=');
		if (!equals || equals == word)
			return err_new(e, EINVAL, "option --annotation %s: expected K=V", word);
		compose_set_pair(c->a, &c->s->annotations, arena_strn(c->a, word, (size_t)(equals - word)), equals + 1);
	}
	return 0;
}

int compose(const struct compose_options *o, const struct image *image, struct spec *file,
	    const struct compose_place *place, struct spec *ret, struct err *e)
{
	struct spec s = *file;
	struct compose c = { .o = o, .image = image, .place = place, .s = &s, .a = &s.arena };

	*file = (struct spec){ 0 };
	int r = join_defaults(&c, e);
	if (r == 0)
		r = compose_userns(&c, e);
	if (r == 0)
		r = compose_names(&c, e);
	if (r == 0)
		r = compose_security(&c, e);
	if (r == 0)
		r = compose_limits(&c, e);
	if (r == 0)
		r = compose_process(&c, e);
	if (r == 0)
		r = compose_mounts(&c, e);
	if (r < 0) {
		spec_done(&s);
		return r;
	}
	if (o->read_only.has)
		s.root->readonly = o->read_only;
	*ret = s;
	return 0;
}
