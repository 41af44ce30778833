/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist image tree: layers as a tree, each below the one it lies upon, with the images and containers that end there; and
 * what sharing saves. Sizes are those on the disk.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/image_cmd.h"
#include "cli/image_text.h"
#include "image/du.h"
#include "image/survey.h"
#include "image/usage.h"
#include "util/mem.h"

/* A layer upon others. The same layer upon other layers is another node. */
struct node {
	const char *diff_id;
	struct node *parent, *child, *next;
	size_t images, containers; /* that have it */
	bool is_wanted;
};

struct tree {
	const struct store *store;
	struct survey survey;
	struct usage usage;
	struct arena arena;
	struct node root; /* of all; no layer */
	struct node **image_at, **container_at;
	size_t node_count;
};

/* ---- making it ---- */

static struct node *below(struct tree *t, struct node *at, const char *diff_id)
{
	struct node **end = &at->child;
	for (; *end; end = &(*end)->next)
		if (strcmp((*end)->diff_id, diff_id) == 0)
			return *end;
	*end = arena_new(&t->arena, struct node);
	(*end)->diff_id = diff_id;
	(*end)->parent = at;
	t->node_count++;
	return *end;
}

static struct node *place(struct tree *t, const struct strs *layers)
{
	struct node *at = &t->root;
	for (size_t i = 0; i < layers->n; i++)
		at = below(t, at, layers->v[i]);
	return at;
}

static void make(struct tree *t)
{
	struct survey *v = &t->survey;
	t->image_at = arena_array(&t->arena, v->image_count + 1, sizeof(struct node *));
	t->container_at = arena_array(&t->arena, v->container_count + 1, sizeof(struct node *));
	for (size_t i = 0; i < v->image_count; i++) {
		t->image_at[i] = place(t, &v->images[i].layers);
		for (struct node *n = t->image_at[i]; n; n = n->parent)
			n->images++;
	}
	for (size_t i = 0; i < v->container_count; i++) {
		t->container_at[i] = place(t, &v->containers[i].layers);
		for (struct node *n = t->container_at[i]; n; n = n->parent)
			n->containers += !v->containers[i].is_mount;
	}
}

static void want(struct node *n)
{
	for (; n; n = n->parent)
		n->is_wanted = true;
}

static int choose(struct tree *t, int argc, char **argv, struct err *e)
{
	for (size_t i = 0; !argc && i < t->survey.image_count; i++)
		want(t->image_at[i]);
	for (size_t i = 0; !argc && i < t->survey.container_count; i++)
		want(t->container_at[i]);
	for (int k = 0; k < argc; k++) {
		struct name_hit hit;
		int r = names_resolve(t->store, argv[k], &hit, e);
		if (r < 0)
			return r;
		for (size_t i = 0; i < t->survey.image_count; i++)
			if (strcmp(t->survey.images[i].digest, hit.digest) == 0)
				want(t->image_at[i]);
	}
	return 0;
}

/* ---- numbers ---- */

static const struct layer_usage *usage_at(const struct tree *t, const struct node *n)
{
	static const struct layer_usage none;
	ptrdiff_t i = usage_find(&t->usage, n->diff_id);
	return i < 0 ? &none : &t->usage.layers[i];
}

static uint64_t container_bytes(const struct tree *t, const struct survey_container *c)
{
	du_auto struct du du = { .bytes = 0 };
	char path[NAME_MAX + 16];
	snprintf(path, sizeof(path), "containers/%s", c->id);
	du_add(&du, t->store->dir, path);
	return du.bytes;
}

struct sums {
	uint64_t apart;    /* what images would take if each had its own layers and files */
	uint64_t together; /* with layers in common, but not files */
	uint64_t disk;
};

static bool is_repeated(const struct strs *layers, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(layers->v[k], layers->v[i]) == 0)
			return true;
	return false;
}

/* True for another name of an image that was counted. */
static bool is_alias(const struct survey *v, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(v->images[k].digest, v->images[i].digest) == 0)
			return true;
	return false;
}

static struct sums sum(const struct tree *t)
{
	struct sums s = { .apart = 0 };
	const struct usage *u = &t->usage;
	bool *is_in = mem_zero(u->n + 1, sizeof(*is_in));
	for (size_t i = 0; i < t->survey.image_count; i++) {
		const struct strs *layers = &t->survey.images[i].layers;
		for (size_t k = 0; k < layers->n && !is_alias(&t->survey, i); k++) {
			ptrdiff_t at = usage_find(u, layers->v[k]);
			if (at < 0 || is_repeated(layers, k))
				continue;
			s.apart += u->layers[at].bytes;
			s.together += is_in[at] ? 0 : u->layers[at].bytes;
			is_in[at] = true;
		}
	}
	s.disk = usage_of(u, is_in, false);
	free(is_in);
	return s;
}

/* ---- as a picture ---- */

struct pen {
	struct tree *t;
	char lead[(IMAGE_LAYERS_MAX + 2) * 8]; /* what stands before a line */
};

static void branch(struct pen *p, bool is_last, size_t len)
{
	printf("%.*s%s", (int)len, p->lead, is_last ? "└── " : "├── ");
}

static size_t lead_on(struct pen *p, bool is_last, size_t len)
{
	const char *more = is_last ? "    " : "│   ";
	size_t n = strlen(more);
	if (len + n >= sizeof(p->lead))
		return len;
	memcpy(p->lead + len, more, n);
	return len + n;
}

static const char *plural(struct arena *a, size_t n, const char *word)
{
	return arena_fmt(a, "%zu %s%s", n, word, n == 1 ? "" : "s");
}

static void print_layer(struct tree *t, const struct node *n)
{
	const struct layer_usage *u = usage_at(t, n);
	struct arena *a = &t->arena;
	printf("%.12s  %s", digest_hex(n->diff_id), image_size_text(a, (int64_t)u->bytes));
	if (usage_find(&t->usage, n->diff_id) < 0)
		printf(" (not unpacked)");
	else if (u->shared_bytes)
		printf(" (%s in other layers too)", image_size_text(a, (int64_t)u->shared_bytes));
	printf("  %s", plural(a, n->images, "image"));
	if (n->containers)
		printf(", %s", plural(a, n->containers, "container"));
	putchar('\n');
}

static void draw(struct pen *p, const struct node *n, size_t len, bool is_root);

static void draw_child(struct pen *p, const struct node *n, bool is_last, size_t len, bool is_root)
{
	if (!is_root)
		branch(p, is_last, len);
	print_layer(p->t, n);
	draw(p, n, is_root ? len : lead_on(p, is_last, len), false);
}

/* What hangs at a node: images that end here, their containers, then layers upon it. */
static void draw(struct pen *p, const struct node *n, size_t len, bool is_root)
{
	struct tree *t = p->t;
	const struct survey *v = &t->survey;
	size_t left = 0;
	for (size_t i = 0; i < v->image_count; i++)
		left += t->image_at[i] == n;
	for (size_t i = 0; i < v->container_count; i++)
		left += t->container_at[i] == n;
	for (const struct node *c = n->child; c; c = c->next)
		left += c->is_wanted;
	for (size_t i = 0; i < v->image_count; i++)
		if (t->image_at[i] == n) {
			branch(p, --left == 0, is_root ? 0 : len);
			printf("%s\n", v->images[i].name ? v->images[i].name : v->images[i].digest);
		}
	for (size_t i = 0; i < v->container_count; i++)
		if (t->container_at[i] == n) {
			branch(p, --left == 0, is_root ? 0 : len);
			if (v->containers[i].is_mount) {
				puts("mounted");
				continue;
			}
			printf("container %s  %s%s\n", v->containers[i].id,
			       image_size_text(&t->arena, (int64_t)container_bytes(t, &v->containers[i])),
			       v->containers[i].is_running ? ", running" : "");
		}
	for (const struct node *c = n->child; c; c = c->next)
		if (c->is_wanted)
			draw_child(p, c, --left == 0, len, is_root);
}

static void print_sum(struct tree *t)
{
	struct arena *a = &t->arena;
	const struct sums s = sum(t);
	printf("\n%s: %s on the disk; %s if nothing was shared: %s saved by common layers, %s by common files\n",
	       plural(a, t->usage.n, "layer"), image_size_text(a, (int64_t)s.disk),
	       image_size_text(a, (int64_t)s.apart), image_size_text(a, (int64_t)(s.apart - s.together)),
	       image_size_text(a, (int64_t)(s.together - s.disk)));
}

/* ---- as JSON ---- */

static json_t *layer_json(struct tree *t, const struct node *n)
{
	const struct layer_usage *u = usage_at(t, n);
	json_t *images = json_array(), *containers = json_array(), *upon = json_array();
	for (size_t i = 0; i < t->survey.image_count; i++)
		if (t->image_at[i] == n)
			json_array_append_new(images, json_string(t->survey.images[i].name ?
									  t->survey.images[i].name :
									  t->survey.images[i].digest));
	for (size_t i = 0; i < t->survey.container_count; i++) {
		const struct survey_container *c = &t->survey.containers[i];
		if (t->container_at[i] == n && !c->is_mount)
			json_array_append_new(containers, json_pack("{s:s, s:b, s:I}", "Name", c->id, "Running",
								    c->is_running, "Size",
								    (json_int_t)container_bytes(t, c)));
	}
	for (const struct node *c = n->child; c; c = c->next)
		if (c->is_wanted)
			json_array_append_new(upon, layer_json(t, c));
	json_t *row = json_pack("{s:o, s:o, s:o}", "Images", images, "Containers", containers, "Layers", upon);
	if (!n->diff_id)
		return row;
	json_object_set_new(row, "DiffID", json_string(n->diff_id));
	json_object_set_new(row, "Unpacked", json_boolean(usage_find(&t->usage, n->diff_id) >= 0));
	json_object_set_new(row, "Size", json_integer((json_int_t)u->bytes));
	json_object_set_new(row, "SharedSize", json_integer((json_int_t)u->shared_bytes));
	json_object_set_new(row, "ImageCount", json_integer((json_int_t)n->images));
	json_object_set_new(row, "ContainerCount", json_integer((json_int_t)n->containers));
	return row;
}

static int print_json(struct tree *t, struct err *e)
{
	const struct sums s = sum(t);
	json_t *doc = layer_json(t, &t->root);
	json_object_set_new(doc, "Size", json_integer((json_int_t)s.disk));
	json_object_set_new(doc, "SavedByLayers", json_integer((json_int_t)(s.apart - s.together)));
	json_object_set_new(doc, "SavedByFiles", json_integer((json_int_t)(s.together - s.disk)));
	int r = json_dumpf(doc, stdout, JSON_INDENT(2));
	json_decref(doc);
	return r < 0 || putchar('\n') == EOF ? err_new(e, EIO, "standard output") : 0;
}

int image_cmd_tree(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const char *format = options->tree.format;
	struct tree t = { .store = s };
	if (format && strcmp(format, "json") != 0 && strcmp(format, "table") != 0)
		return err_new(e, EINVAL, "option --format: \"%.40s\" is neither json nor table", format);
	int r = survey_read(s, &t.survey, e);
	if (r == 0)
		r = usage_read(s, &t.usage, e);
	if (r == 0) {
		make(&t);
		r = choose(&t, argc, argv, e);
	}
	if (r == 0 && format && strcmp(format, "json") == 0) {
		r = print_json(&t, e);
	} else if (r == 0) {
		struct pen pen = { .t = &t };
		draw(&pen, &t.root, 0, true);
		print_sum(&t);
	}
	usage_done(&t.usage);
	survey_done(&t.survey);
	arena_done(&t.arena);
	return r;
}
