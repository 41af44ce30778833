/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stored image that must not go while its bytes are used: locks on manifest, config and layers, then a look whether
 * all of them are still there. Part of kist-image, for image/save and image/snapshot.
 */
#pragma once
#include "image/image.h"

/* The locks go with objlock_end, or with the descriptor. -ENOENT with the blob that is missing. */
int image_hold(const struct store *s, int locks, const struct image *im, struct err *e);
