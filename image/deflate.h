/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs a stream by gzip with ISA-L, on all processors: blocks of 512 KiB are packed each by itself, with the 32 KiB
 * before it as dictionary, and joined to one member, as pigz does. About as small as gzip -1. The same bytes in give the
 * same bytes out for any number of processors, on one kind of them: ISA-L may find other matches where there are other
 * instructions. Part of kist-image, for image/snapshot and image/import.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include "image/tarout.h"

enum { DEFLATE_WORKERS = 8, DEFLATE_SLOTS = DEFLATE_WORKERS + 2 };

/* A block on its way: filled by the caller, packed by a worker (or the caller), written by the caller. */
struct deflate_slot {
	uint8_t *in;	/* room for the dictionary, then the block */
	size_t dict, len;
	bool is_last, is_packed;
	uint8_t *out;
	size_t out_len;
	int code; /* of ISA-L */
};

struct deflate {
	tarout_fn *write;
	void *ctx;
	struct deflate_slot slot[DEFLATE_SLOTS];
	size_t slots;			 /* in use: a ring */
	size_t filled, begun, written; /* blocks since the start */
	uint32_t crc, bytes;
	bool is_headed, is_stopped;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t threads[DEFLATE_WORKERS];
	unsigned int started;
};

/* Begins. `workers`: 0 for one per processor, 1 for none but the caller. The caller ends it by deflate_done. */
void deflate_open(struct deflate *d, tarout_fn *write, void *ctx, unsigned int workers);
void deflate_done(struct deflate *d);

/* A tarout_fn: `ctx` is the struct deflate. */
int deflate_write(void *ctx, const void *bytes, size_t len, struct err *e);

/* Writes what is left, and the trailer. */
int deflate_finish(struct deflate *d, struct err *e);
