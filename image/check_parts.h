/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of image/check share: check.c finds what there is to look at, check_objects.c looks. */
#pragma once
#include <pthread.h>
#include "image/check.h"

/* A blob; with a diffID, a layer's: it must unpack to that. */
struct check_job {
	char digest[DIGEST_TEXT_MAX];
	char diff_id[DIGEST_TEXT_MAX];
	int64_t size_bytes; /* as its descriptor says; -1: nothing leads to it */
	uint64_t on_disk;
	bool wants_tree; /* this one compares the unpacked layer */
};

struct check {
	const struct store *store;
	const struct check_request *request;
	int locks;
	const char *row; /* the image whose documents are read */
	struct arena row_arena;
	const char *row_layers[IMAGE_LAYERS_MAX]; /* its diffIDs, lowest first */
	size_t row_layer_count;
	struct check_job *jobs;
	size_t job_count, job_room;
	struct digests layers; /* to be looked at, if they are there */
	pthread_mutex_t lock;
	struct check_result result;
};

/* Adds a finding; the threads of check_objects may. */
void check_say(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void check_note(struct check *c, struct digests *set, const char *digest);

/* Looks at all layers and blobs that were found, on all processors. */
void check_objects(struct check *c);
