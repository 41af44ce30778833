/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The merged directory of an image of many layers: one tree of hard links to the files of its layers, in which whiteouts
 * and opaque directories are done with, as the only lower layer of its containers. Each layer of an overlay costs a start
 * some 20 us in the kernel; so an image of up to FLAT_LAYERS has none, and nobody looks for one. Part of kist and of
 * kist-image; image/flatwrite makes it.
 *
 *   flat/sha256/HEX/fs      the tree; HEX of the image's manifest
 *   flat/sha256/HEX/layers  the diffIDs that it was made of, one per line, lowest first
 *
 * It is there or not, whole: without it the layers are stacked. It holds no file of its own, so a layer's file must stay
 * what it is as long as there is a directory with it, as for any other container on that layer.
 */
#pragma once
#include "image/image.h"

enum { FLAT_LAYERS = 16 };

/* Whether such an image may have one: there is none beside an EROFS file, nor for an image that is known by its layers. */
bool flat_is_for(const struct image *image);

/* The place of an image's, by its manifest's digest. Returns `out`. */
char *flat_path(const char *digest, char out[static STORE_PATH_MAX]);

/* Opens the tree by O_PATH. -ENOENT: there is none. */
int flat_open(const struct store *s, const char *digest);
