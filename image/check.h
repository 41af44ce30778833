/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a store is what it says: every document that index.json leads to, every blob against its digest, every
 * unpacked layer against its blob in both directions, what containers hold, and what killed commands have left. Changes
 * nothing, and may run beside other commands: what it looks at is locked against removal. Part of kist-image only.
 */
#pragma once
#include "image/digestset.h"
#include "image/image.h"

struct check_request {
	bool is_quick;             /* sizes and places, not what is inside */
	const char *const *images; /* words; none: the whole store */
	size_t image_count;
};

struct check_result {
	char **lines; /* one for each thing that is wrong, "ADDRESS: WHAT", sorted */
	size_t n, room;
	struct digests bad_blobs;  /* of these the bytes are wrong */
	struct digests bad_erofs;  /* images whose EROFS files are not as kist writes them */
	struct digests bad_flats;  /* images whose merged directories are not what their layers show */
	struct digests bad_layers; /* unpacked otherwise than their blobs say, and those are right */
	size_t blobs, layers;      /* that were looked at */
};

#define check_auto __attribute__((cleanup(check_done)))

/* -errno: nothing can be said, because a name given is none, or the store cannot be read. */
int check_run(const struct store *s, const struct check_request *request, struct check_result *ret, struct err *e);
void check_done(struct check_result *r);
