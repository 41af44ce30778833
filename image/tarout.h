/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar archive on its way out: headers by image/tarhead, data, padding and the end, through one buffer to wherever the
 * caller wants it. Part of kist-image, for image/treeout, image/sink and the walks.
 */
#pragma once
#include "image/tar.h"
#include "util/mem.h"

/* Takes all of `len` bytes. Returns 0 or -errno with words. */
typedef int tarout_fn(void *ctx, const void *bytes, size_t len, struct err *e);

struct tarout {
	tarout_fn *write;
	void *ctx;
	char *buf;
	size_t used; /* bytes in buf that are not written yet */
	struct str pax, head;
};

/* Begins an archive. The caller ends it by tarout_done, whatever happens. */
void tarout_open(struct tarout *t, tarout_fn *write, void *ctx);
void tarout_done(struct tarout *t);

/* A tarout_fn for a descriptor, whose address is `ctx`. */
int tarout_to_fd(void *ctx, const void *bytes, size_t len, struct err *e);

/* Writes an entry's headers; a file's data must follow, all of it, then tarout_pad with its size. */
int tarout_entry(struct tarout *t, const struct tar_entry *en, struct err *e);
int tarout_data(struct tarout *t, const void *bytes, size_t len, struct err *e);
int tarout_zeros(struct tarout *t, uint64_t len, struct err *e);
int tarout_pad(struct tarout *t, uint64_t size, struct err *e);

/* Writes the archive's end and all that is buffered. */
int tarout_end(struct tarout *t, struct err *e);
