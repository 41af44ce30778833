/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures in the store: a row of index.json with the name sha256-HEX.sig leads to a manifest whose layers are
 * signatures of the image HEX. They come in with their image, are joined with those that are there, and go with it.
 * Part of kist-image and kist-registry.
 */
#pragma once
#include "image/commit.h"
#include "image/trust/trust.h"

/* Reads signatures out of the store. `ret_fetch` borrows `s`. */
void carry_from_store(const struct store *s, struct trust_fetch *ret_fetch);

/*
 * Adds to a plan, whose manifest is known, the signatures that lie beside the image. What cannot be read is left out
 * with a warning: the policy has been asked before.
 */
void carry_plan(const struct trust_fetch *fetch, const struct store *s, struct plan *plan);

/* Adds one signature of the digest to the store. */
int carry_add(struct ingest *in, const char *digest, const char *payload, size_t len, const char *signature,
	      struct err *e);

/*
 * Joins two manifests of signatures, for a push to where some are already. Gives a manifest and its config, which the
 * caller frees; NULL: theirs has all of mine. The payloads are blobs of either.
 */
int carry_join(const char *mine, size_t mine_len, const char *theirs, size_t theirs_len, char **ret_manifest,
	       char **ret_config, struct err *e);

/* Takes the rows of signatures whose image is gone. Called before gc_run by what removes images. */
int carry_sweep(struct ingest *in, struct err *e);
