/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the unpacked layers of a store take of the disk, and what they share below the layer (image/sharing):
 * counted from the inodes themselves, each once, and not from any record. For lists such as `image tree` and
 * `system df`; changes nothing. Part of kist-image only.
 */
#pragma once
#include "image/ref.h"
#include "image/store.h"

/* Regular files, each inode once. Bytes are those on the disk (st_blocks), as du(1) counts them. */
struct layer_usage {
	char diff_id[DIGEST_TEXT_MAX];
	uint64_t files, bytes;
	uint64_t shared_files, shared_bytes; /* of these: what another layer has too */
};

struct usage_row;

struct usage {
	struct layer_usage *layers; /* by diffID */
	size_t n;
	uint64_t files, bytes;		   /* of all layers, each inode once */
	uint64_t saved_files, saved_bytes; /* what would come to these without sharing */
	struct usage_row *rows;
	size_t row_count, row_room;
};

/* Walks all layers. One that goes meanwhile counts as far as it was seen. The caller ends it by usage_done. */
int usage_read(const struct store *s, struct usage *ret_usage, struct err *e);
void usage_done(struct usage *u);

#define usage_auto __attribute__((cleanup(usage_done)))

/* The number of a layer in `layers`, or -1. */
ptrdiff_t usage_find(const struct usage *u, const char *diff_id);

/* Bytes on the disk of a set of layers, each inode once: is_in[n] says which. With `alone`, what no others have. */
uint64_t usage_of(const struct usage *u, const bool *is_in, bool alone);
