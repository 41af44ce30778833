/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's directory: where things are, and whole small documents out of it. Part of kist and kist-image.
 *
 *   oci-layout, index.json, blobs/sha256/HEX
 *                                an OCI image layout, for skopeo and umoci as it is
 *   layers/sha256/HEX/fs         a layer unpacked once, HEX of its diffID; "fs-opaque" in place of "fs" when
 *                                the layer hides everything below it (.wh..wh..opq in its root)
 *   layers/sha256/HEX/from-HEX   empty: this blob is known to hold that diffID
 *   layers/sha256/HEX/bytes      the unpacked size in decimal
 *   layers/sha256/HEX/files      its regular files, for those that come later: see image/fileindex.h
 *   flat/sha256/HEX/fs           the layers of an image of many as one tree, HEX of its manifest: see image/flat.h
 *   containers/ID/layers         diffIDs, one per line, that container ID holds (the engine writes it before
 *                                it opens the layers: see image/layers.h)
 *   tmp/                         what is on its way in or out; each entry's owner holds its flock
 *   .lock                        byte ranges of it are the locks: see image/objlock.h
 *
 * Everything enters whole, by rename. Nothing here writes, except store_open with `create`.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "util/err.h"
#include <stdint.h>

enum {
	STORE_PATH_MAX = 160,          /* of a path inside the store that the functions below write */
	STORE_MANIFEST_MAX = 4 << 20,  /* bytes of a manifest or index */
	STORE_CONFIG_MAX = 8 << 20,    /* bytes of an image config */
};

struct store {
	int dir;     /* O_PATH descriptor of the root; -1: the directory is not there (an empty store) */
	char *path;  /* as given, for messages */
};

/*
 * Opens a store. With `create`, makes what is missing (root 0700), and takes the root's permissions from
 * group and others; a directory that holds something else is refused. Without, a missing directory is an
 * empty store. The caller ends it by store_done.
 */
int store_open(const char *path, bool create, struct store *ret_store, struct err *e);
void store_done(struct store *s);

#define store_auto __attribute__((cleanup(store_done)))
#define STORE_NONE ((struct store){ .dir = -1 })

/* Paths below the root, of a valid digest. They return `out`. */
char *store_blob_path(const char *digest, char out[static STORE_PATH_MAX]);
char *store_layer_path(const char *diff_id, char out[static STORE_PATH_MAX]);

/*
 * Reads a small blob whole; its digest was verified when it came in. The caller frees. -ENOENT, -EFBIG with
 * words.
 */
int store_read_blob(const struct store *s, const char *digest, size_t max_bytes, char **ret_bytes,
		    size_t *ret_len, struct err *e);

/* True when a blob, or an unpacked layer, is there. */
bool store_has_blob(const struct store *s, const char *digest);
bool store_has_layer(const struct store *s, const char *diff_id);
