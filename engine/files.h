/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's files as descriptors, to hand to kist-image: what it has changed, its image's tree, and the two as one.
 * Looks only. Callers: cli (commit, diff, export).
 */
#pragma once
#include <jansson.h>

#include "engine/verbs.h"

struct files {
	struct record_dir dir;
	struct record record;
	enum state_status status;  /* STATUS_STOPPED when it has no process */
	int upper;                 /* what the container has changed, as overlayfs keeps it; O_PATH */
	int lower;                 /* its image's tree, O_PATH or a detached mount; -1: the image has no layers */
	json_t *config;            /* its OCI configuration; NULL: not to be had */
};

#define FILES_NONE ((struct files){ .dir = RECORD_DIR_NONE, .status = STATUS_STOPPED, .upper = -1, .lower = -1 })

/*
 * -ENODATA: it was not made from an image, so there is nothing between it and its root. The caller ends it by
 * files_done.
 */
int files_open(const struct engine *g, const char *name, struct files *ret, struct err *e);
void files_done(struct files *f);

#define files_auto __attribute__((cleanup(files_done)))

/*
 * The whole tree as the container sees it, but for what is mounted in it: a read-only overlay, mounted nowhere. Returns a
 * descriptor that the caller owns.
 */
int files_view(const struct engine *g, const struct files *f, struct err *e);

/* Destinations of the container's mounts: the n-th, or NULL when there are no more. */
const char *files_mount(const struct files *f, size_t n);
