/* SPDX-License-Identifier: Apache-2.0 */
/* What rm and prune of images have in common. */
#pragma once
#include "image/image.h"
#include "image/ingest.h"

/* 1 when somebody needs the image, with words that say who; 0; or -errno. An image without its documents has none. */
int image_is_held(const struct store *s, const char *digest, char *who, size_t size, struct err *e);

/* Removes what no name and no container needs any more. */
int image_sweep(struct ingest *in, struct err *e);
