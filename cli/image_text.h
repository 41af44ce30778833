/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and ages as people read them, for the verbs of kist-image that list images, layers and their history. */
#pragma once
#include "image/image.h"

/* "1.2GB", by powers of 1000 as Docker has it. Lives in the arena. */
const char *image_size_text(struct arena *a, int64_t bytes);

/* "3 weeks ago" of an RFC 3339 time; "" for NULL or what is none. Lives in the arena. */
const char *image_since_text(struct arena *a, const char *created);

/* What a layer takes unpacked, or all of them; what was not unpacked here counts with its blob. */
int64_t image_layer_bytes(const struct store *s, const struct image *im, size_t i);
int64_t image_bytes(const struct store *s, const struct image *im);
