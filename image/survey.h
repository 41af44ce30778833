/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images and containers of a store with their layers, read once, for lists that show how they hang together. Part of
 * kist-image only.
 */
#pragma once
#include "image/names.h"

/* One row of index.json whose documents can be read. */
struct survey_image {
	const char *name;   /* NULL: it has none */
	const char *digest; /* as in the index */
	const char *created;
	struct strs layers; /* diffIDs, lowest first */
	struct strs blobs;  /* all that its row leads to */
};

/* A container that holds layers. */
struct survey_container {
	const char *id;
	const char *image, *digest, *created, *command; /* of its record; NULL: it says nothing */
	struct strs layers;
	bool is_running;
	bool is_mount; /* no container: the image is mounted (image/mounts) */
};

struct survey {
	struct arena arena;
	struct survey_image *images;
	struct survey_container *containers;
	size_t image_count, container_count;
};

#define survey_auto __attribute__((cleanup(survey_done)))

/* Images that another tool left incomplete are left out. */
int survey_read(const struct store *s, struct survey *ret, struct err *e);
void survey_done(struct survey *v);

/* True when a container is made from an image: of its manifest, or of just these layers. */
bool survey_uses(const struct survey_container *c, const struct survey_image *im);
