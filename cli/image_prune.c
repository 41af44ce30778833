/* SPDX-License-Identifier: Apache-2.0 */
/* kist image prune, and what kist system prune leaves to kist-image: images and volumes. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/image_cmd.h"
#include "cli/image_filter.h"
#include "cli/image_rm.h"
#include "cli/image_text.h"
#include "image/index.h"
#include "image/mounts.h"
#include "image/names.h"
#include "image/pack.h"
#include "image/volumes.h"

/* Somebody at a terminal is asked, as docker and podman do it; a script is not. */
static int ask(bool is_all, struct err *e)
{
	char answer[8] = "";
	if (!isatty(STDIN_FILENO))
		return 0;
	fprintf(stderr, "WARNING! This will remove all %s.\nAre you sure you want to continue? [y/N] ",
		is_all ? "images without a container" : "images without a name");
	if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
		return 0;
	return err_new(e, ECANCELED, "prune: nothing was removed");
}

/* What is printed: a title before the first name of its kind, and the names. */
struct report {
	const char *title; /* NULL: it is printed, or there is none */
	bool is_begun;
};

static void print_gone(void *ctx, const char *name)
{
	struct report *report = ctx;
	if (report->title)
		puts(report->title);
	report->title = NULL;
	report->is_begun = true;
	puts(name);
}

static int prune_row(struct ingest *in, const struct name_row *row, bool is_all, const struct image_filters *filters,
		     struct report *report, struct err *e)
{
	image_auto struct image im = { .name = NULL };
	struct err ignored;
	char id[128];
	if ((row->name && !is_all) || descriptor_is_foreign(row->desc))
		return 0;
	bool is_whole = image_open(in->store, row->desc->digest, &im, &ignored) == 0;
	if (filters->n && !image_filters_fit(filters, row->name, is_whole ? &im : NULL))
		return 0;
	int r = image_is_held(in->store, row->desc->digest, id, sizeof(id), e);
	if (r == 0 && (r = index_remove(in, row->name, row->desc->digest, e)) == 0)
		print_gone(report, row->name ? row->name : row->desc->digest);
	return r > 0 ? 0 : r;
}

static int prune(const struct store *s, struct ingest *in, bool is_all, const struct image_filters *filters,
		 struct report *report, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	int r = mounts_sweep(s, e);
	if (r < 0 || (r = ingest_open(s, in, e)) < 0 || (r = names_read(s, &names, e)) < 0 ||
	    (r = ingest_mark(in, e)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = prune_row(in, &names.v[i], is_all, filters, report, e);
	if (r == 0 && (r = image_sweep(in, e)) == 0)
		r = pack_drop_notes(s, e);
	return r;
}

static int print_total(uint64_t bytes)
{
	struct arena arena = { .top = NULL };
	int r = printf("Total reclaimed space: %s\n", image_size_text(&arena, (int64_t)bytes));
	arena_done(&arena);
	return r < 0 ? -EIO : 0;
}

int image_cmd_prune(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_prune_options *o = &options->prune;
	ingest_auto struct ingest in = INGEST_NONE;
	image_filters_auto struct image_filters filters = { .n = 0 };
	struct report report = { .title = NULL };
	(void)argc;
	(void)argv;
	int r = image_filters_read(s, &o->filters, FILTER_LABEL | FILTER_UNTIL | FILTER_DANGLING, &filters, e);
	if (r < 0 || (!o->force && (r = ask(o->all, e)) < 0))
		return r;
	if (s->dir >= 0)
		r = prune(s, &in, o->all, &filters, &report, e);
	return r < 0 ? r : print_total(in.freed_bytes);
}

int image_cmd_prune_rest(const struct store *s, const union image_options *options, int argc, char **argv,
			 struct err *e)
{
	const struct prune_rest_options *o = &options->prune_rest;
	const struct image_filters no_filters = { .n = 0 };
	ingest_auto struct ingest in = INGEST_NONE;
	struct report images = { .title = "Deleted Images:" }, volumes = { .title = "Deleted Volumes:" };
	(void)argc;
	(void)argv;
	int r = s->dir < 0 ? 0 : prune(s, &in, o->all, &no_filters, &images, e);
	if (images.is_begun)
		putchar('\n');
	if (r == 0 && s->dir >= 0 && o->volumes)
		r = volumes_prune(&in, print_gone, &volumes, e);
	if (volumes.is_begun)
		putchar('\n');
	return r < 0 ? r : print_total(in.freed_bytes + (o->freed.is_set ? (uint64_t)o->freed.value : 0));
}
