/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a zstd frame's window, which may be hundreds of megabytes (`zstd --ultra -22`: 128 MiB): what the frames
 * that are being read have of it is bounded for the whole process. A frame waits until there is room for its window; one
 * that is larger than the bound has it in an unnamed file and is the only one then. Part of kist-image, for image/inflate.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
	WINDOW_MEMORY = 34 << 20, /* in all: four windows of 8 MiB, or one of 32, with zstd's margins */
	WINDOW_MAX = 512 << 20,	  /* what Go's decoder takes, and so podman, skopeo and Docker */
};

struct window {
	int dir;	 /* borrowed: of the file system for large ones; -1: none are taken */
	void *p;	 /* what is mapped; NULL: nothing is */
	size_t len;
	size_t taken;	 /* of WINDOW_MEMORY */
	size_t refused;	 /* so many bytes were wanted, and not given; 0: all went well */
	int refused_num; /* why: an errno */
};

#define WINDOW(dir_) ((struct window){ .dir = (dir_) })

/* libzstd's allocator (ZSTD_customMem): `ctx` is the struct window. May wait for other threads' frames to end. */
void *window_alloc(void *ctx, size_t size);
void window_free(void *ctx, void *p);

/* The window of a frame for which libzstd asked for `size` bytes. */
size_t window_of(size_t size);

/* To be called after each piece of output: pages of a window in a file leave the memory. */
void window_trim(const struct window *w);
