/* SPDX-License-Identifier: Apache-2.0 */
/* kist image rm. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/image_cmd.h"
#include "cli/image_rm.h"
#include "image/gc.h"
#include "image/holders.h"
#include "image/index.h"
#include "image/mounts.h"
#include "image/names.h"
#include "image/trust/carry.h"
#include "util/log.h"

static size_t count_rows(const struct names *names, const char *digest)
{
	size_t n = 0;
	for (size_t i = 0; i < names->n; i++)
		n += strcmp(names->v[i].desc->digest, digest) == 0;
	return n;
}

int image_is_held(const struct store *s, const char *digest, char *who, size_t size, struct err *e)
{
	image_auto struct image im = { .name = NULL };
	char id[100];
	int r = image_open(s, digest, &im, e);
	if (r == 0 && (r = holders_find(s, &im.layers, id, sizeof(id), e)) > 0)
		snprintf(who, size, strncmp(id, HOLDER_MOUNT, sizeof(HOLDER_MOUNT) - 1) ?
					    "container %s is made from it" :
					    "it is mounted (%s)",
			 id);
	if (r >= 0)
		return r;
	return r == -ENOENT || r == -EINVAL ? 0 : r;
}

/* Says what was done as docker and podman do. */
static void print_gone(const struct names *names, const struct name_hit *hit, bool is_last)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->v[i].name && strcmp(names->v[i].desc->digest, hit->digest) == 0 &&
		    (hit->is_by_digest || strcmp(names->v[i].name, hit->name) == 0))
			printf("Untagged: %s\n", names->v[i].name);
	if (is_last)
		printf("Deleted: %s\n", hit->digest);
}

/* A word that names an image takes that name; a digest, or a part of one, takes all of its names. */
static int remove_one(struct ingest *in, const char *word, const struct image_rm_options *o, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	struct name_hit hit;
	char id[128];
	int r = names_read(in->store, &names, e);
	if (r == 0)
		r = names_resolve(in->store, word, &hit, e);
	if (r < 0)
		return (o->force || o->ignore) && r == -ENOENT ? 0 : r;
	size_t rows = count_rows(&names, hit.digest);
	if (hit.is_by_digest && rows > 1 && !o->force)
		return err_new(e, EBUSY, "image \"%s\": has %zu names: say which, or use -f to remove all of them", word,
			       rows);
	bool is_last = hit.is_by_digest || rows == 1;
	r = is_last && !o->force ? image_is_held(in->store, hit.digest, id, sizeof(id), e) : 0;
	if (r < 0)
		return r;
	if (r > 0)
		return err_new(e, EBUSY, "image \"%s\": %s (end that first, or use -f)", word, id);
	r = index_remove(in, hit.is_by_digest ? NULL : hit.name, hit.digest, e);
	if (r == 0)
		print_gone(&names, &hit, is_last);
	return r;
}

/* Each word is tried, so that one that is wrong does not keep the others. */
static int remove_words(struct ingest *in, const struct image_rm_options *o, int argc, char **argv, struct err *e)
{
	int failed = 0;
	for (int i = 0; i < argc; i++) {
		struct err one = { .num = 0 };
		int r = remove_one(in, argv[i], o, &one);
		if (r < 0 && failed < 0)
			log_error("%s", e->text);
		if (r < 0) {
			*e = one;
			failed = r;
		}
	}
	return failed;
}

static int remove_all(struct ingest *in, const struct image_rm_options *o, struct err *e)
{
	names_auto struct names names = { .n = 0 };
	int r = names_read(in->store, &names, e);
	if (r < 0)
		return r;
	char **words = arena_array(&names.arena, names.n + 1, sizeof(*words));
	int n = 0;
	/* Names first; what has none goes by its digest. */
	for (size_t i = 0; i < names.n; i++)
		if (!descriptor_is_foreign(names.v[i].desc))
			words[n++] = arena_str(&names.arena, names.v[i].name ? names.v[i].name : names.v[i].desc->digest);
	return remove_words(in, o, n, words, e);
}

int image_sweep(struct ingest *in, struct err *e)
{
	int r = carry_sweep(in, e);
	if (r == 0)
		r = gc_run(in, e);
	if (r == 0)
		ingest_unmark(in);
	return r;
}

int image_cmd_rm(const struct store *s, const union image_options *options, int argc, char **argv,
		 struct err *e)
{
	const struct image_rm_options *o = &options->rm;
	ingest_auto struct ingest in = INGEST_NONE;
	if (o->all ? argc > 0 : argc == 0) {
		return cmd_usage(e, "rm: expected images, or --all");
	}
	if (s->dir < 0 && (o->force || o->ignore || o->all))
		return 0;
	if (s->dir < 0)
		return err_new(e, ENOENT, "image \"%s\": not in the store", argv[0]);
	int r = mounts_sweep(s, e);
	if (r < 0 || (r = ingest_open(s, &in, e)) < 0 || (r = ingest_mark(&in, e)) < 0)
		return r;
	r = o->all ? remove_all(&in, o, e) : remove_words(&in, o, argc, argv, e);
	struct err gc_err = { .num = 0 };
	int swept = image_sweep(&in, r == 0 ? e : &gc_err);
	return r < 0 ? r : swept;
}
