/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs a stream by gzip with ISA-L, at several hundred megabytes a second on one core, about as small as gzip -1. The same
 * bytes in give the same bytes out, on one machine: ISA-L may find other matches on a processor with other instructions.
 * Part of kist-image, for image/snapshot.
 */
#pragma once
#include "image/tarout.h"

struct deflate {
	tarout_fn *write;
	void *ctx;
	void *state; /* of ISA-L */
	uint8_t *level_buf, *out;
};

/* Begins. The caller ends it by deflate_done. */
void deflate_open(struct deflate *d, tarout_fn *write, void *ctx);
void deflate_done(struct deflate *d);

/* A tarout_fn: `ctx` is the struct deflate. */
int deflate_write(void *ctx, const void *bytes, size_t len, struct err *e);

/* Writes what is left, and the trailer. */
int deflate_finish(struct deflate *d, struct err *e);
