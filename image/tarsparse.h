/* SPDX-License-Identifier: Apache-2.0 */
/* The maps of sparse files in tar, for image/tar only. Source: GNU tar manual, "Storing Sparse Files". */
#pragma once
#include "image/tar.h"

/* Reads `len` bytes of the archive into `out`; a short archive is an error. Defined by image/tar. */
int tar_read(struct tar *t, void *out, size_t len, struct err *e);

/* Reads the map of an old GNU sparse entry from its header block and the blocks that follow. */
int sparse_old(struct tar *t, const uint8_t *header, struct err *e);

/* Reads the map of a pax entry: 0.0 and 0.1 from its records, 1.0 from the front of its data. */
int sparse_pax(struct tar *t, struct err *e);
