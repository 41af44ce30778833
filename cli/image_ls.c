/* SPDX-License-Identifier: Apache-2.0 */
/* kist image ls: what the store has, under Docker's field names. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "cli/image_cmd.h"
#include "cli/image_filter.h"
#include "cli/image_text.h"
#include "cli/out.h"
#include "image/erofsmount.h"
#include "image/survey.h"
#include "util/clock.h"
#include "util/mem.h"

struct image_row {
	const char *name;
	const char *repository;
	const char *tag;
	const char *id;
	const char *digest;
	const char *created;
	const char *since;
	const char *size;
	const char *arch;
	const char *os;
	const char *labels;
	int64_t size_bytes;
	int64_t containers;
	int64_t erofs_bytes; /* of the file that it was converted to */
	struct timespec time; /* of `created`; 0: not known */
	size_t place;         /* in index.json */
};

/* clang-format off */
#define R struct image_row
static const struct out_field fields[] = {
	OUT_STR(R, repository, "Repository", .header = "REPOSITORY"),
	OUT_STR(R, tag, "Tag", .header = "TAG"),
	OUT_STR(R, digest, "Digest"),
	OUT_STR(R, id, "ID", .header = "IMAGE ID", .docker = "Id"),
	OUT_STR(R, since, "CreatedSince", .header = "CREATED"),
	OUT_STR(R, size, "Size", .header = "SIZE"),
	OUT_STR(R, name, "Name"),
	OUT_STR(R, created, "CreatedAt"),
	OUT_I64(R, size_bytes, "SizeBytes"),
	OUT_STR(R, arch, "Architecture"),
	OUT_STR(R, os, "Os"),
	OUT_JSON(R, labels, "Labels"),
	OUT_I64(R, containers, "Containers"),
	OUT_I64(R, erofs_bytes, "ErofsBytes"),
};
/* clang-format on */

enum { DIGEST_FIELD = 2, KEY_FIELD = 3 };

static const char *labels_text(struct arena *a, const struct image *im)
{
	json_t *labels = json_object();
	for (size_t i = 0; i < im->process->labels.n; i++)
		json_object_set_new(labels, im->process->labels.v[i].key,
				    json_string(im->process->labels.v[i].value));
	free_auto char *text = json_dumps(labels, JSON_COMPACT);
	json_decref(labels);
	return arena_str(a, text ? text : "{}");
}

/* What is asked for, and what it is taken from. */
struct listing {
	const struct store *store;
	const struct names *names;
	const struct image_ls_options *options;
	struct image_filters filters;
	struct survey survey; /* containers */
	struct arena *arena;
};

static int64_t count_containers(const struct listing *l, const char *digest)
{
	int64_t n = 0;
	for (size_t i = 0; i < l->survey.image_count; i++) {
		if (strcmp(l->survey.images[i].digest, digest) != 0)
			continue;
		for (size_t k = 0; k < l->survey.container_count; k++)
			n += !l->survey.containers[k].is_mount &&
			     survey_uses(&l->survey.containers[k], &l->survey.images[i]);
		break;
	}
	return n;
}

static void fill_names(const struct name_row *from, const struct listing *l, struct image_row *row)
{
	const char *at = from->name ? strchr(from->name, '@') : NULL, *digest = from->desc->digest;
	const char *colon = at ? at : from->name ? strrchr(from->name, ':') : NULL;
	*row = (struct image_row){
		.name = from->name ? from->name : "",
		.digest = digest,
		.repository = from->name ? from->name : "<none>",
		.tag = from->name ? "" : "<none>",
		.id = l->options->no_trunc ? digest : arena_strn(l->arena, digest_hex(digest), 12),
		.place = (size_t)(from - l->names->v), .created = "", .since = "", .arch = "", .os = "", .labels = "{}",
	};
	if (colon) {
		row->repository = arena_strn(l->arena, from->name, (size_t)(colon - from->name));
		row->tag = at ? "<none>" : colon + 1;
	}
}

/*
 * An image that another tool left incomplete is listed with what is known of it. False: the row is not asked for.
 */
static bool fill_row(const struct listing *l, const struct name_row *from, struct image_row *row)
{
	image_auto struct image im = { .name = NULL };
	struct arena *a = l->arena;
	struct err ignored;
	bool is_whole = image_open(l->store, from->desc->digest, &im, &ignored) == 0;
	if ((!l->options->all && descriptor_is_foreign(from->desc)) ||
	    !image_filters_fit(&l->filters, from->name, is_whole ? &im : NULL))
		return false;
	fill_names(from, l, row);
	if (is_whole) {
		row->size_bytes = image_bytes(l->store, &im);
		row->created = arena_str(a, im.config.created ? im.config.created : "");
		if (im.config.created && clock_parse(im.config.created, &row->time) < 0)
			row->time = (struct timespec){ 0 };
		row->since = image_since_text(a, im.config.created);
		row->arch = arena_str(a, im.config.arch ? im.config.arch : "");
		row->os = arena_str(a, im.config.os ? im.config.os : "");
		row->labels = labels_text(a, &im);
		row->erofs_bytes = erofs_bytes(l->store, im.digest);
		row->containers = count_containers(l, from->desc->digest);
	}
	row->size = image_size_text(a, row->size_bytes);
	return true;
}

/* ---- sorting, as podman-images(1) names the fields ---- */

static int by_created(const struct image_row *a, const struct image_row *b)
{
	if (a->time.tv_sec != b->time.tv_sec)
		return a->time.tv_sec < b->time.tv_sec ? 1 : -1;
	return (a->time.tv_nsec < b->time.tv_nsec) - (a->time.tv_nsec > b->time.tv_nsec);
}

static int by_id(const struct image_row *a, const struct image_row *b)
{
	return strcmp(a->digest, b->digest);
}

static int by_repository(const struct image_row *a, const struct image_row *b)
{
	return strcmp(a->repository, b->repository);
}

static int by_size(const struct image_row *a, const struct image_row *b)
{
	return (a->size_bytes > b->size_bytes) - (a->size_bytes < b->size_bytes);
}

static int by_tag(const struct image_row *a, const struct image_row *b)
{
	return strcmp(a->tag, b->tag);
}

typedef int compare_fn(const struct image_row *a, const struct image_row *b);

static const struct {
	const char *word;
	compare_fn *compare;
} orders[] = {
	{ "created", by_created }, { "id", by_id }, { "repository", by_repository }, { "size", by_size }, { "tag", by_tag },
};

/* Equal rows stay as index.json has them. */
static int compare_rows(const void *a, const void *b, void *compare)
{
	const struct image_row *left = a, *right = b;
	int r = (*(compare_fn *const *)compare)(left, right);
	return r ? r : (left->place > right->place) - (left->place < right->place);
}

static void sort_rows(const char *word, struct image_row *rows, size_t n)
{
	compare_fn *compare = by_created;
	for (size_t i = 0; word && i < ARRAY_LEN(orders); i++)
		if (!strcmp(orders[i].word, word))
			compare = orders[i].compare;
	qsort_r(rows, n, sizeof(*rows), compare_rows, &compare);
}

/* A word is docker's short form of --filter reference=. */
static int read_filters(struct listing *l, const char *word, struct err *e)
{
	const struct opt_list *given = &l->options->filters;
	struct opt_list all = { arena_array(l->arena, given->count + 1, sizeof(*all.items)), given->count };
	for (size_t i = 0; i < given->count; i++)
		all.items[i] = given->items[i];
	if (word)
		all.items[all.count++] = arena_fmt(l->arena, "reference=%s", word);
	return image_filters_read(l->store, &all, ~0U, &l->filters, e);
}

/* Counting containers takes a look at each, and is done for formats only that may show it. */
static int list_rows(struct listing *l, const struct names *names, struct err *e)
{
	const struct image_ls_options *o = l->options;
	struct image_row *rows = arena_array(l->arena, names->n + 1, sizeof(*rows));
	struct out_field shown[ARRAY_LEN(fields)];
	size_t n = 0;
	int r = o->format && strcmp(o->format, "table") != 0 ? survey_read(l->store, &l->survey, e) : 0;
	for (size_t i = 0; r == 0 && i < names->n; i++)
		n += fill_row(l, &names->v[i], &rows[n]);
	sort_rows(o->sort, rows, n);
	memcpy(shown, fields, sizeof(shown));
	if (o->digests)
		shown[DIGEST_FIELD].header = "DIGEST";
	const struct out_list list = {
		.fields = shown,
		.count = ARRAY_LEN(shown),
		.row_size = sizeof(*rows),
		.key = KEY_FIELD,
		.has_no_heading = o->no_heading,
	};
	return r < 0 ? r : out_rows(&list, o->format, o->quiet, rows, n, e);
}

int image_cmd_ls(const struct store *s, const union image_options *options, int argc, char **argv,
		 struct err *e)
{
	names_auto struct names names = { .n = 0 };
	struct listing l = { .store = s, .names = &names, .options = &options->ls, .arena = &names.arena };
	int r = names_read(s, &names, e);
	if (r == 0)
		r = read_filters(&l, argc ? argv[0] : NULL, e);
	if (r == 0)
		r = list_rows(&l, &names, e);
	image_filters_done(&l.filters);
	survey_done(&l.survey);
	return r;
}
