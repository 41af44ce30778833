/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a row of index.json leads to: indexes, manifests, configs, layers. Reads documents only. Part of kist-image, for
 * image/check and image/repair.
 */
#pragma once
#include "image/image.h"

enum reach_kind { REACH_MANIFEST, REACH_CONFIG, REACH_LAYER };

struct reached {
	enum reach_kind kind;
	const struct descriptor *desc;
	const char *diff_id; /* of a layer, when the config is there and says so; else NULL */
	bool is_ours;        /* of the image that runs here; others of an index need not be in the store */
};

/*
 * Gets each thing before it is looked at (`problem` is NULL), and once more when it is a document that cannot be read.
 * The strings live for the call.
 */
typedef void reach_fn(void *ctx, const struct reached *thing, const char *problem);

/* The problem of what is not there at all. */
#define REACH_MISSING "missing"

void reach_row(const struct store *s, const struct descriptor *row, reach_fn *fn, void *ctx);

/* "manifest", "config", ... */
const char *reach_word(enum reach_kind kind);
