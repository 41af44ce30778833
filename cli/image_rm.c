/* SPDX-License-Identifier: Apache-2.0 */
/* kist image rm and prune. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/image_cmd.h"
#include "image/gc.h"
#include "image/holders.h"
#include "image/index.h"
#include "image/names.h"
#include "image/trust/carry.h"

static size_t count_rows(const struct names *names, const char *digest)
{
	size_t n = 0;
	for (size_t i = 0; i < names->n; i++)
		n += strcmp(names->v[i].desc->digest, digest) == 0;
	return n;
}

/* 1 when a container is made from the image, 0, or -errno. An image whose documents are gone has none. */
static int is_held(const struct store *s, const char *digest, char *id, size_t size, struct err *e)
{
	image_auto struct image im = { .name = NULL };
	int r = image_open(s, digest, &im, e);
	if (r == 0)
		return holders_find(s, &im.layers, id, size, e);
	return r == -ENOENT || r == -EINVAL ? 0 : r;
}

/* A word that names an image takes that name; a digest, or a part of one, takes all of its names. */
static int remove_one(struct ingest *in, const char *word, bool is_forced, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	struct name_hit hit;
	char id[128];
	int r = names_read(in->store, &names, e);
	if (r == 0)
		r = names_resolve(in->store, word, &hit, e);
	if (r < 0)
		return is_forced && r == -ENOENT ? 0 : r;
	bool is_last = hit.is_by_digest || count_rows(&names, hit.digest) == 1;
	r = is_last && !is_forced ? is_held(in->store, hit.digest, id, sizeof(id), e) : 0;
	if (r < 0)
		return r;
	if (r > 0)
		return err_new(e, EBUSY,
			       "image \"%s\": container %s is made from it (remove that first, or use -f)",
			       word, id);
	r = index_remove(in, hit.is_by_digest ? NULL : hit.name, hit.digest, e);
	if (r == 0)
		puts(hit.is_by_digest ? hit.digest : hit.name);
	return r;
}

int image_cmd_rm(const struct store *s, const union image_options *options, int argc, char **argv,
		 struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	if (s->dir < 0 && options->rm.force)
		return 0;
	if (s->dir < 0)
		return err_new(e, ENOENT, "image \"%s\": not in the store", argv[0]);
	int r = ingest_open(s, &in, e);
	if (r < 0 || (r = ingest_mark(&in, e)) < 0)
		return r;
	for (int i = 0; r == 0 && i < argc; i++)
		r = remove_one(&in, argv[i], options->rm.force, e);
	struct err gc_err = { .num = 0 };
	int swept = carry_sweep(&in, r == 0 ? e : &gc_err);
	if (swept == 0)
		swept = gc_run(&in, r == 0 ? e : &gc_err);
	if (swept == 0)
		ingest_unmark(&in);
	return r < 0 ? r : swept;
}

int image_cmd_prune(const struct store *s, const union image_options *options, int argc, char **argv,
		    struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	names_auto struct names names = { .n = 0 };
	char id[128];
	(void)argc;
	(void)argv;
	if (s->dir < 0)
		return 0;
	int r = ingest_open(s, &in, e);
	if (r < 0 || (r = ingest_mark(&in, e)) < 0 || (r = names_read(s, &names, e)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		const struct name_row *row = &names.v[i];
		if ((row->name && !options->prune.all) || descriptor_is_foreign(row->desc))
			continue;
		r = is_held(s, row->desc->digest, id, sizeof(id), e);
		if (r == 0 && (r = index_remove(&in, row->name, row->desc->digest, e)) == 0)
			puts(row->desc->digest);
		r = r > 0 ? 0 : r;
	}
	if (r == 0 && (r = carry_sweep(&in, e)) == 0 && (r = gc_run(&in, e)) == 0)
		ingest_unmark(&in);
	return r;
}
