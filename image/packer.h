/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that writes a layer into a pipe, from which image/layerjob takes it in like any other. Part of kist-image, for
 * image/import and image/snapshot.
 */
#pragma once
#include <pthread.h>
#include "util/err.h"

struct packer {
	int (*write)(void *ctx, int out, struct err *e); /* runs in the thread */
	void *ctx;
	pthread_t thread;
	bool is_running;
	int own_out;
	int result;
	struct err err;
};

#define PACKER_NONE ((struct packer){ .own_out = -1 })

/* Starts the thread and gives the end of the pipe to read from, which the caller owns. */
int packer_start(struct packer *p, int *ret_in, struct err *e);

/* Waits for the thread; the pipe was read to its end, or is closed. Returns what the thread has. Again: the same. */
int packer_end(struct packer *p, struct err *e);

/*
 * For a failure `r` of who reads the pipe: when the writer failed by itself, that is what there is to be told. Returns r
 * or the writer's error.
 */
int packer_blame(struct packer *p, int r, struct err *e);
