/* SPDX-License-Identifier: Apache-2.0 */
/* Named volumes of the store, volumes/NAME, which the engine makes: who has them, and how they go. Part of kist-image only. */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>

#include "image/ingest.h"

/* True when a container's configuration mounts the volume. One that runs without a kept configuration might. */
bool volume_is_mounted_by(const struct store *s, const char *id, const char *name, const struct stat *volume);

/*
 * Removes the volumes that no container has, and tells `gone` the name of each. One that a container gets meanwhile goes
 * back to its place. What the disk gets back is added to in->freed_bytes.
 */
int volumes_prune(struct ingest *in, void (*gone)(void *ctx, const char *name), void *ctx, struct err *e);
