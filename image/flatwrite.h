/* SPDX-License-Identifier: Apache-2.0 */
/* Makes and verifies merged directories (image/flat.h). Part of kist-image and kist-registry. */
#pragma once
#include "image/digestset.h"
#include "image/flat.h"
#include "image/layerjob.h"

/*
 * Makes the merged directory of an image whose layers are all unpacked, in the ingest or in the store: "flat" in the
 * ingest. Returns whether there is one to publish. There is none when the image has few layers, has one already, or has
 * an EROFS file; when it has more entries than FLAT_ENTRIES_MAX; and when the file system refuses (too many links to a
 * file, rights, room): then its layers are stacked as they are, so that is no failure.
 */
bool flat_make(struct ingest *in, const struct layerjob *jobs, size_t count, const char *digest);

/* Gives it its place. What another command has put there meanwhile stays. Its bytes must be on the disk. */
int flat_publish(struct ingest *in, const char *digest, struct err *e);

enum { FLAT_ENTRIES_MAX = 100000 };

/*
 * Verifies the merged directory of an image, for image/check: 0, -ENOENT when it has none, -EBADMSG with the first
 * difference, or another failure to read it.
 */
int flat_check(const struct store *s, const char *digest, struct err *e);

/* Adds the images whose merged directories were made of one of these layers. */
int flat_find(const struct store *s, const struct digests *layers, struct digests *images, struct err *e);
