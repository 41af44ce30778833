/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which layers containers hold: containers/ID/layers, written by the engine. What cannot be read is an error,
 * because a layer that is wrongly taken for free would be removed under a container. Part of kist-image only.
 */
#pragma once
#include "image/digestset.h"
#include "image/image.h"

/* What stands for an image mount in the place of a container's ID: "the mount of HEX". */
#define HOLDER_MOUNT "the mount of "

/* Gets one container's list, one diffID per line, which it may change. Returns true to end the walk. */
typedef bool holders_fn(void *ctx, const char *id, char *list);

/* Calls `take` for the list of each container, then of each mount. Returns 1 when one ended the walk, 0, or -errno. */
int holders_each(const struct store *s, holders_fn *take, void *ctx, struct err *e);

/* Adds the diffIDs that all containers hold. Returns 0 or -errno with words. */
int holders_mark(const struct store *s, struct digests *layers, struct err *e);

/* As holders_mark, but leaves out containers that stand on an EROFS file in the place of their layers. */
int holders_mark_unpacked(const struct store *s, struct digests *layers, struct err *e);

/* Adds the digests of the images on whose EROFS files containers stand. */
int holders_mark_erofs(const struct store *s, struct digests *images, struct err *e);

/* Adds the digests of the images on whose merged directories (image/flat) containers may stand. */
int holders_mark_flat(const struct store *s, struct digests *images, struct err *e);

/*
 * Looks for a container that was made from just these layers. Returns 1 with its ID (up to `size` bytes), 0
 * when there is none, or -errno with words.
 */
int holders_find(const struct store *s, const struct strs *layers, char *ret_id, size_t size, struct err *e);

/* Whether a container runs, or may: one whose process was killed with its end untold counts. */
bool holder_is_running(const struct store *s, const char *id);

/* Looks for a container that runs on a layer. Returns 1 with its ID, 0, or -errno with words. */
int holders_running(const struct store *s, const char *diff_id, char *ret_id, size_t size, struct err *e);
