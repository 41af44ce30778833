/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes one image into the store, whole or not at all: locks, layers, documents, a sync, renames, the name.
 * Callers (image/oci, image/dockerarchive, image/import) fill in a plan; it does the rest. Part of kist-image
 * and kist-registry.
 */
#pragma once
#include "image/digestset.h"
#include "image/image.h"
#include "image/layerjob.h"

enum { PLAN_VIA_MAX = 4 };

/* A blob that belongs to an image without being a part of it. With a name, it gets a row in index.json. */
struct extra {
	const char *name; /* NULL: none */
	const char *media_type;
	char digest[DIGEST_TEXT_MAX];
	char *bytes;
	size_t len;
};

struct plan {
	struct arena arena;
	char digest[DIGEST_TEXT_MAX]; /* of the manifest; "" until it is made */
	const char *media_type;       /* of the manifest */
	char *manifest;               /* NULL: made from the layers, for archives that have none */
	size_t manifest_len;
	char config_digest[DIGEST_TEXT_MAX];
	char *config; /* NULL: import makes it when the layer's diffID is known */
	size_t config_len;
	struct layerjob *jobs; /* lowest layer first */
	size_t count;
	const char **names; /* NAME:TAG; none: the image stays without a name */
	size_t name_count;
	/* Of the row of index.json that leads to the image: nothing is to change there. NULL: names are given. */
	const char *row_digest;
	/* Of the indexes that led to the manifest, the first of them the outermost. */
	char via[PLAN_VIA_MAX][DIGEST_TEXT_MAX];
	size_t via_count;
	/* Small blobs that come along: signatures. */
	struct extra *extras;
	size_t extra_count;
	/* Layers that are unpacked anew and swapped in for those that are there. NULL: none. Borrowed. */
	const struct digests *remake;
	/* Makes the config of an import, once the diffIDs are known. NULL unless config is. */
	int (*make_config)(struct plan *plan, void *ctx, struct err *e);
	void *ctx;
};

#define plan_auto __attribute__((cleanup(plan_done)))
void plan_done(struct plan *plan);

/* Makes room for `count` layers. */
void plan_layers(struct plan *plan, size_t count);

/* Gives the image one more name. */
void plan_name(struct plan *plan, const char *name);

/* Has a blob come along; `name` is NULL or lives as long as the plan. */
void plan_extra(struct plan *plan, const char *name, const char *media_type, char *own_bytes, size_t len);

int image_commit(struct ingest *in, struct plan *plan, const struct layerjob_options *options, struct err *e);
