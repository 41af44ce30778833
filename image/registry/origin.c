/* SPDX-License-Identifier: Apache-2.0 */
/* See origin.h. */
#include "image/registry/origin.h"

#include <string.h>

#include "image/names.h"

static void add(struct origins *o, const char *path, const char *digest)
{
	if (o->n == o->room) {
		o->room = o->room ? o->room * 2 : 64;
		o->v = mem_grow(o->v, o->room * sizeof(*o->v));
	}
	o->v[o->n++] = (struct origin){ path, arena_str(&o->arena, digest) };
}

/* Splits a stored name into host and path, with what Docker leaves out. NULL: no name of a repository. */
static const char *split(struct arena *a, const char *name, const char **ret_host)
{
	struct ref ref;
	struct err ignored;
	if (ref_parse(name, &ref, &ignored) < 0)
		return NULL;
	const char *text = ref_short(ref.name), *path = ref_path(text);
	bool has_host = path != text;
	*ret_host = has_host ? arena_strn(a, text, (size_t)(path - text) - 1) : "docker.io";
	return !has_host && !strchr(path, '/') ? arena_fmt(a, "library/%s", path) : arena_str(a, path);
}

static void add_image(const struct store *s, const struct name_row *row, const char *path, struct origins *o)
{
	image_auto struct image im = { .name = NULL };
	struct err ignored;
	if (image_open(s, row->desc->digest, &im, &ignored) < 0)
		return;
	add(o, path, im.manifest.config->digest);
	for (size_t i = 0; i < im.manifest.layers.n; i++)
		add(o, path, im.manifest.layers.v[i].digest);
}

void origins_find(const struct store *s, const char *host, const char *path, struct origins *ret_origins)
{
	names_auto struct names names = { .n = 0 };
	struct origins o = { .n = 0 };
	struct err ignored;
	if (names_read(s, &names, &ignored) < 0)
		names.n = 0;
	for (size_t i = 0; i < names.n; i++) {
		const char *row_host = "";
		const char *row_path = names.v[i].name ? split(&o.arena, names.v[i].name, &row_host) : NULL;
		if (row_path && strcmp(row_host, host) == 0 && strcmp(row_path, path) != 0)
			add_image(s, &names.v[i], row_path, &o);
	}
	*ret_origins = o;
}

void origins_done(struct origins *o)
{
	free(o->v);
	arena_done(&o->arena);
}

const char *origins_of(const struct origins *o, const char *digest, size_t skip)
{
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->v[i].digest, digest) == 0 && skip-- == 0)
			return o->v[i].path;
	return NULL;
}
