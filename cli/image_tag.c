/* SPDX-License-Identifier: Apache-2.0 */
/* kist image tag and untag. */
#include <errno.h>
#include <string.h>

#include "cli/image_cmd.h"
#include "image/index.h"
#include "image/names.h"

/* All words are looked at before the first name is given. A name is not a digest, nor has it one. */
static int check_targets(int argc, char **argv, struct err *e)
{
	struct ref ref;
	for (int i = 0; i < argc; i++) {
		int r = ref_parse(argv[i], &ref, e);
		if (r < 0)
			return r;
		if (ref.digest[0])
			return err_new(e, EINVAL, "image name \"%s\": a name that is given has no digest", argv[i]);
	}
	return 0;
}

int image_cmd_tag(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	struct name_hit hit;
	(void)options;
	int r = check_targets(argc - 1, argv + 1, e);
	if (r == 0)
		r = ingest_open(s, &in, e);
	if (r == 0)
		r = names_resolve(s, argv[0], &hit, e);
	for (int i = 1; r == 0 && i < argc; i++) {
		struct ref ref;
		char name[REF_TEXT_MAX];
		r = ref_parse(argv[i], &ref, e);
		if (r < 0)
			break;
		ref_text(&ref, name);
		r = index_tag(&in, name, hit.digest, e);
	}
	return r;
}

/* The names that are to go, as they are stored; each must be one of this image. */
static int find_targets(const struct store *s, const char *digest, int argc, char **argv, struct name_hit *ret_hits,
			struct err *e)
{
	for (int i = 0; i < argc; i++) {
		int r = names_resolve(s, argv[i], &ret_hits[i], e);
		if (r < 0)
			return r;
		if (ret_hits[i].is_by_digest || strcmp(ret_hits[i].digest, digest) != 0)
			return err_new(e, EINVAL, "image name \"%s\": not a name of that image", argv[i]);
	}
	return 0;
}

int image_cmd_untag(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	struct name_hit hit;
	free_auto struct name_hit *hits = mem_zero((size_t)argc, sizeof(*hits));
	(void)options;
	int r = ingest_open(s, &in, e);
	if (r == 0)
		r = names_resolve(s, argv[0], &hit, e);
	if (r == 0)
		r = find_targets(s, hit.digest, argc - 1, argv + 1, hits, e);
	if (r == 0 && argc == 1)
		r = index_untag(&in, NULL, hit.digest, e);
	for (int i = 0; r == 0 && i + 1 < argc; i++)
		r = index_untag(&in, hits[i].name, hit.digest, e);
	return r;
}
