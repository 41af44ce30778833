/* SPDX-License-Identifier: Apache-2.0 */
/* What image/save and the writers of its formats share. For image/save*.c alone. */
#pragma once
#include <jansson.h>
#include "image/image.h"
#include "image/inflate.h"
#include "image/progress.h"
#include "image/sink.h"
#include "image/trust/attach.h"

/* One image that is saved, under all the names that were asked for. */
struct saved {
	struct image im;
	const char **names; /* in the arena of the image */
	size_t name_count;
	struct attached signatures; /* that lie beside it, for the OCI's formats; manifest NULL: none */
	char signatures_digest[DIGEST_TEXT_MAX];
};

struct saver {
	const struct store *store;
	struct sink sink;
	struct saved *images;
	size_t count;
	const char **done; /* blobs, or diffIDs, that are in already; borrowed from the images */
	size_t done_count;
	struct progress *progress;
	struct progress_row *row; /* of the layer that is being written; NULL: it is none */
	size_t next_row;
};

/* True the first time that it is asked for a digest. */
bool save_is_new(struct saver *s, const char *digest);

/* One layer, for who watches: all of them, in the order of the images. */
void save_layer_begin(struct saver *s);
void save_layer_end(struct saver *s, int r, bool is_new);

/* Writes a blob as it is, under a name; what has not its digest is an error. */
int save_blob(struct saver *s, const char *digest, const char *name, struct err *e);

/* Writes a JSON document, which it frees. */
int save_json(struct saver *s, const char *name, json_t *doc, struct err *e);

/* The size of a stored blob. */
int save_blob_size(const struct store *s, const char *digest, uint64_t *ret_size, struct err *e);

/* The mediaType of an image's manifest. */
const char *save_media_type(const struct image *im);

int save_oci(struct saver *s, struct err *e);
int save_docker(struct saver *s, struct err *e);
int save_dir(struct saver *s, struct err *e);
