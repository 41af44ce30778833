/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What no name and no container needs goes. Part of kist-image only.
 *
 * Needed is: what index.json leads to (indexes, manifests, configs, blobs, the diffIDs in configs), and every
 * diffID in containers/ID/layers. Loads hold what they rely on by objlock; containers, which are made by
 * another program, by that file: it is looked at again after a layer was moved away, and a held layer goes
 * back.
 */
#pragma once
#include "image/image.h"
#include "image/ingest.h"

struct digests {
	char (*v)[DIGEST_TEXT_MAX];
	size_t n, room;
};

void digests_add(struct digests *d, const char *digest);
bool digests_have(const struct digests *d, const char *digest);
void digests_sort(struct digests *d);
void digests_done(struct digests *d);
#define digests_auto __attribute__((cleanup(digests_done)))

/* Removes all that is not needed. An index that cannot be read fails it, and removes nothing. */
int gc_run(struct ingest *in, struct err *e);

/*
 * Finds a container that was made from just these layers. Returns true with its ID (up to size bytes of it).
 */
bool gc_find_holder(const struct store *s, const struct strs *layers, char *ret_id, size_t size);
