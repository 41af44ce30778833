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

/* Removes all that is not needed. An index that cannot be read fails it, and removes nothing. */
int gc_run(struct ingest *in, struct err *e);

/*
 * Removes the unpacked form of an image's layers, for which its EROFS file stands, but for layers that an image without
 * such a file or a container needs unpacked, and its merged directory. The ingest must be marked. *ret_count: how many layers
 * went.
 */
int gc_drop_unpacked(struct ingest *in, const char *digest, const struct strs *diff_ids, size_t *ret_count,
		     struct err *e);
