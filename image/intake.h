/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a blob as a flow: read from a part of a file, a pipe, standard input or another flow (a download),
 * digested on the way, and copied to a second descriptor when the store does not have them yet. Part of kist-image
 * and kist-registry.
 */
#pragma once
#include "image/digest.h"
#include "image/flow.h"
#include "image/progress.h"

struct intake {
	struct flow flow;
	int fd;             /* borrowed */
	struct flow *from;  /* instead of a descriptor; borrowed */
	int copy;           /* borrowed; -1: no copy */
	bool is_positioned; /* read by pread(2) at `offset`: several intakes may share the descriptor */
	uint64_t offset;
	uint64_t left;              /* bytes still to come; UINT64_MAX: to the end of the file */
	uint64_t bytes;             /* read so far */
	struct progress_row *watch; /* NULL: nobody does */
	struct digest digest;
	uint8_t *buf;
	bool is_end;
};

/* Begins to read `len` bytes at `offset`. A file that ends before that is an error. */
void intake_part(struct intake *in, int fd, uint64_t offset, uint64_t len, int copy);

/* Begins to read a descriptor from where it is to its end. */
void intake_stream(struct intake *in, int fd, int copy);

/* Begins to read a flow that gives `len` bytes (UINT64_MAX: not known). More or fewer are an error. */
void intake_flow(struct intake *in, struct flow *from, uint64_t len, int copy);

/* The digest of what was read, once. */
void intake_digest(struct intake *in, char out[static DIGEST_TEXT_MAX]);
void intake_done(struct intake *in);
