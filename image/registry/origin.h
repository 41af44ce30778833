/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a registry may have a blob already: the repositories on its host whose images the store knows by name and
 * which hold the blob. Part of kist-registry, for push.
 */
#pragma once
#include "image/image.h"
#include "util/arena.h"

struct origins {
	struct arena arena;
	struct origin {
		const char *path; /* of the repository: "library/debian" */
		const char *digest;
	} * v;
	size_t n, room;
};

/* Collects them for a host ("docker.io"), but for the repository `path` itself. What cannot be read is left out. */
void origins_find(const struct store *s, const char *host, const char *path, struct origins *ret_origins);
void origins_done(struct origins *o);

#define origins_auto __attribute__((cleanup(origins_done)))

/* The repository, after the `skip` first that fit. NULL: no more. */
const char *origins_of(const struct origins *o, const char *digest, size_t skip);
