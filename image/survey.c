/* SPDX-License-Identifier: Apache-2.0 */
/* See survey.h. */
#include "image/survey.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "image/holders.h"
#include "image/reach.h"
#include "util/fd.h"
#include "util/mem.h"

static void add(struct arena *a, struct strs *list, const char *text)
{
	/* Powers of two, so that a list grows without a count of its room. */
	if ((list->n & (list->n - 1)) == 0) {
		const char **v = arena_array(a, list->n ? list->n * 2 : 1, sizeof(*v));
		if (list->n)
			memcpy(v, list->v, list->n * sizeof(*v));
		list->v = v;
	}
	list->v[list->n++] = arena_str(a, text);
}

/* ---- images ---- */

struct gather {
	struct survey *v;
	struct survey_image *im;
};

static void on_thing(void *ctx, const struct reached *thing, const char *problem)
{
	struct gather *g = ctx;
	if (!problem)
		add(&g->v->arena, &g->im->blobs, thing->desc->digest);
}

static int read_images(const struct store *s, struct survey *v, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	int r = names_read(s, &names, e);
	if (r < 0)
		return r;
	v->images = arena_array(&v->arena, names.n, sizeof(*v->images));
	for (size_t i = 0; i < names.n; i++) {
		image_auto struct image image = { .name = NULL };
		struct survey_image *im = &v->images[v->image_count];
		struct err ignored;
		if (descriptor_is_foreign(names.v[i].desc) ||
		    image_open(s, names.v[i].desc->digest, &image, &ignored) < 0)
			continue;
		*im = (struct survey_image){
			.name = names.v[i].name ? arena_str(&v->arena, names.v[i].name) : NULL,
			.digest = arena_str(&v->arena, names.v[i].desc->digest),
			.created = image.config.created ? arena_str(&v->arena, image.config.created) : NULL,
		};
		for (size_t k = 0; k < image.layers.n; k++)
			add(&v->arena, &im->layers, image.layers.v[k]);
		struct gather g = { v, im };
		reach_row(s, names.v[i].desc, on_thing, &g);
		v->image_count++;
	}
	return 0;
}

/* ---- containers ---- */

/* The first line of a record, as engine/record writes it; what else it says is not asked for here. */
struct head {
	const char *image, *digest, *created;
	struct strs command;
};

/* clang-format off */
static const struct jx_field head_rows[] = {
	JX_STR(struct head, image, "image"),
	JX_STR(struct head, digest, "digest"),
	JX_STR(struct head, created, "created"),
	JX_STRS(struct head, command, "command"),
	JX_END
};
/* clang-format on */

static void read_record(const struct store *s, struct survey *v, struct survey_container *c)
{
	char path[NAME_MAX + 32];
	free_auto char *text = NULL;
	struct head head = { .image = NULL };
	struct err ignored;
	str_auto struct str words = STR_MAX(4096);
	snprintf(path, sizeof(path), "containers/%s/record.json", c->id);
	if (file_read(s->dir, path, 1 << 20, false, &text, NULL) < 0 ||
	    jx_load(text, strcspn(text, "\n"), "record.json", head_rows, &head, &v->arena, NULL, &ignored) < 0)
		return;
	for (size_t i = 0; i < head.command.n; i++)
		str_fmt(&words, "%s%s", i ? " " : "", head.command.v[i]);
	c->image = head.image;
	c->digest = head.digest;
	c->created = head.created;
	c->command = words.p ? arena_str(&v->arena, words.p) : NULL;
}

struct round {
	const struct store *store;
	struct survey *v;
	size_t room;
};

static bool on_container(void *ctx, const char *id, char *list)
{
	struct round *r = ctx;
	struct survey *v = r->v;
	if (v->container_count == r->room) {
		struct survey_container *old = v->containers;
		r->room = r->room ? r->room * 2 : 16;
		v->containers = arena_array(&v->arena, r->room, sizeof(*v->containers));
		if (v->container_count)
			memcpy(v->containers, old, v->container_count * sizeof(*old));
	}
	struct survey_container *c = &v->containers[v->container_count++];
	*c = (struct survey_container){ .id = arena_str(&v->arena, id) };
	for (char *save = NULL, *line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (digest_is_valid(line))
			add(&v->arena, &c->layers, line);
	c->is_mount = strncmp(id, HOLDER_MOUNT, sizeof(HOLDER_MOUNT) - 1) == 0;
	if (!c->is_mount)
		read_record(r->store, v, c);
	c->is_running = holder_is_running(r->store, id);
	return false;
}

int survey_read(const struct store *s, struct survey *ret, struct err *e)
{
	survey_auto struct survey v = { .image_count = 0 };
	struct round round = { s, &v, 0 };
	if (s->dir < 0) {
		*ret = v;
		return 0;
	}
	int r = read_images(s, &v, e);
	if (r == 0)
		r = holders_each(s, on_container, &round, e);
	if (r < 0)
		return r;
	*ret = v;
	v.arena = (struct arena){ .top = NULL };
	return 0;
}

void survey_done(struct survey *v)
{
	arena_done(&v->arena);
}

bool survey_uses(const struct survey_container *c, const struct survey_image *im)
{
	if (c->digest)
		for (size_t i = 0; i < im->blobs.n; i++)
			if (strcmp(im->blobs.v[i], c->digest) == 0)
				return true;
	if (c->digest || c->layers.n != im->layers.n)
		return false;
	for (size_t i = 0; i < c->layers.n; i++)
		if (strcmp(c->layers.v[i], im->layers.v[i]) != 0)
			return false;
	return true;
}
