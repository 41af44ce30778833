/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container has changed as the tar of a layer: overlayfs's whiteouts and opaque directories become the names that
 * image-spec layer.md has for them. Equal changes give equal bytes. Part of kist-image, for image/snapshot.
 */
#pragma once
#include "image/treeout.h"
#include "image/upper.h"

/* Writes the entries and the archive's end. */
int layer_tar(const struct upper *u, struct tarout *out, struct err *e);
