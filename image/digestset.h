/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of digests: filled, sorted once, then asked. Part of kist-image, for image/gc and image/holders. */
#pragma once
#include "image/ref.h"

struct digests {
	char (*v)[DIGEST_TEXT_MAX];
	size_t n, room;
};

void digests_add(struct digests *d, const char *digest);

/* Must come between the last digests_add and the first digests_have. */
void digests_sort(struct digests *d);
bool digests_have(const struct digests *d, const char *digest);
void digests_done(struct digests *d);

#define digests_auto __attribute__((cleanup(digests_done)))
