/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command's own corner of the store, tmp/NAME, for what is on its way in or out. Its flock says that the
 * owner lives; whoever opens the next one removes those of dead owners, and if one had begun to publish, all
 * that no name needs. Part of kist-image and kist-registry.
 */
#pragma once
#include "image/store.h"

struct ingest {
	const struct store *store;
	int dir;     /* tmp/NAME, with its flock */
	int locks;   /* for image/objlock */
	size_t made; /* numbers given to things in it */
	char name[32];
	uint64_t freed_bytes; /* of the disk, by image/gc */
};

#define INGEST_NONE ((struct ingest){ .dir = -1, .locks = -1 })
#define ingest_auto __attribute__((cleanup(ingest_done)))

/*
 * Cleans up after the dead, then makes a corner. The caller ends it by ingest_done, which removes what is
 * left in it.
 */
int ingest_open(const struct store *s, struct ingest *ret_ingest, struct err *e);
void ingest_done(struct ingest *in);

/*
 * Notes on disk that objects are about to come in or lose their name: a death from here on is followed by a
 * gc.
 */
int ingest_mark(struct ingest *in, struct err *e);
void ingest_unmark(struct ingest *in);
bool ingest_is_marked(const struct ingest *in);

/* Writes a small file into the corner, synced. */
int ingest_write(struct ingest *in, const char *name, const char *bytes, size_t len, struct err *e);

/*
 * Writes a blob whole, under its own digest, unless the store has it. Its place is taken by rename after a
 * sync.
 */
int ingest_blob(struct ingest *in, const char *digest, const char *bytes, size_t len, struct err *e);
