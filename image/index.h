/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes to index.json: read, modify, replace by rename with fsync, under the index lock. What other tools
 * put there stays. Part of kist-image and kist-registry.
 */
#pragma once
#include "image/ingest.h"

/*
 * Gives a manifest a name (NULL: none, only keeps it). Another image that had this name, in any spelling,
 * keeps its row without a name unless it has others.
 */
int index_add(struct ingest *in, const char *name, const char *digest, const char *media_type, uint64_t size,
	      struct err *e);

/* Takes away one name, or with `name` NULL all rows of a digest. */
int index_remove(struct ingest *in, const char *name, const char *digest, struct err *e);

/*
 * Gives a stored image one more name, under the index lock: what was removed meanwhile is -ENOENT. Another image that
 * had the name keeps its row as with index_add.
 */
int index_tag(struct ingest *in, const char *name, const char *digest, struct err *e);

/* Takes one name of an image away, or with NULL all of them; the image stays, without a name if that was the last. */
int index_untag(struct ingest *in, const char *name, const char *digest, struct err *e);

/* Gives all rows of a digest an annotation. */
int index_annotate(struct ingest *in, const char *digest, const char *key, const char *value, struct err *e);
