/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of an image that another tool (umoci, skopeo) has written into the store: kist-image unpacks them when the
 * image is first run. Callers: engine/root. Runs in the parent.
 */
#pragma once
#include "image/store.h"

/* Executes `kist-image unpack WORD` and waits for it. Its own words go to standard error. */
int unpack_image(const struct store *s, const char *word, struct err *e);
