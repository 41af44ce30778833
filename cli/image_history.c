/* SPDX-License-Identifier: Apache-2.0 */
/* kist image history: the steps of an image's config, each with the layer that it made. */
#include <stdio.h>
#include <string.h>

#include "cli/image_cmd.h"
#include "cli/image_text.h"
#include "cli/out.h"

enum { COMMAND_WIDTH = 45, KEY_FIELD = 0 };

struct step {
	const char *id;
	const char *created;
	const char *since;
	const char *by;
	const char *size;
	const char *comment;
	int64_t size_bytes;
	bool is_empty;
};

/* clang-format off */
#define S struct step
static const struct out_field fields[] = {
	OUT_STR(S, id, "ID", .header = "ID"),
	OUT_STR(S, since, "CreatedSince", .header = "CREATED", .docker = "Created"),
	OUT_STR(S, by, "CreatedBy", .header = "CREATED BY"),
	OUT_STR(S, size, "Size", .header = "SIZE"),
	OUT_STR(S, comment, "Comment", .header = "COMMENT"),
	OUT_STR(S, created, "CreatedAt"),
	OUT_I64(S, size_bytes, "SizeBytes"),
	OUT_BOOL(S, is_empty, "EmptyLayer"),
};
/* clang-format on */

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

/* Cut to a column's width, at the end of a UTF-8 sequence. */
static const char *shorten(struct arena *a, const char *text)
{
	size_t len = strlen(text), cut = COMMAND_WIDTH - 3;
	if (len <= COMMAND_WIDTH)
		return text;
	while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return arena_fmt(a, "%.*s...", (int)cut, text);
}

static void fill_step(struct arena *a, const struct image_history_options *o, const struct image_history *from,
		      int64_t bytes, struct step *step)
{
	bool is_human = o->human != OPT_NO;
	const char *by = or_nothing(from->created_by), *created = or_nothing(from->created);
	*step = (struct step){
		.id = "<missing>",
		.created = created,
		.since = is_human ? image_since_text(a, from->created) : created,
		.by = o->no_trunc ? by : shorten(a, by),
		.size = is_human ? image_size_text(a, bytes) : arena_fmt(a, "%lld", (long long)bytes),
		.comment = or_nothing(from->comment),
		.size_bytes = bytes,
		.is_empty = from->is_empty.v,
	};
}

/*
 * The last step first. Layers belong to the steps that are not empty, in their order; of layers that the history does
 * not speak of (it is optional: image-spec config.md) nothing but the size is known.
 */
static size_t fill_steps(const struct store *s, struct image *im, const struct image_history_options *o,
			 struct step *steps)
{
	const struct image_histories *history = &im->config.history;
	size_t layer = 0, n = 0;
	for (size_t i = 0; i < history->n; i++) {
		bool has_layer = !history->v[i].is_empty.v && layer < im->layers.n;
		int64_t bytes = has_layer ? image_layer_bytes(s, im, layer++) : 0;
		fill_step(&im->arena, o, &history->v[i], bytes, &steps[n++]);
	}
	for (const struct image_history none = { .created = NULL }; layer < im->layers.n; layer++)
		fill_step(&im->arena, o, &none, image_layer_bytes(s, im, layer), &steps[n++]);
	for (size_t i = 0; i < n / 2; i++) {
		struct step swap = steps[i];
		steps[i] = steps[n - 1 - i];
		steps[n - 1 - i] = swap;
	}
	if (n)
		steps[0].id = o->no_trunc ? im->digest : arena_strn(&im->arena, digest_hex(im->digest), 12);
	return n;
}

int image_cmd_history(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_history_options *o = &options->history;
	image_auto struct image im = { .name = NULL };
	(void)argc;
	int r = image_open(s, argv[0], &im, e);
	if (r < 0)
		return r;
	size_t room = im.config.history.n + im.layers.n;
	struct step *steps = arena_array(&im.arena, room ? room : 1, sizeof(*steps));
	const struct out_list list = {
		.fields = fields,
		.count = ARRAY_LEN(fields),
		.row_size = sizeof(*steps),
		.key = KEY_FIELD,
	};
	return out_rows(&list, o->format, o->quiet, steps, fill_steps(s, &im, o, steps), e);
}
