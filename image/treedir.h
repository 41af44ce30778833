/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of one layer while it is made, layer-N in the ingest. From the first step on it is a descriptor, so that
 * whoever else can write there cannot lead us elsewhere. Part of kist-image, for image/layerjob.
 */
#pragma once
#include "image/sharing.h"
#include "image/unpack.h"

/* Beside the tree: the directories that the archive does not describe, each ended by a NUL. */
#define TREEDIR_IMPLIED "implied"

struct treedir {
	int layer; /* layer-N */
	int root;  /* fs in it, where the layer is unpacked */
};

#define TREEDIR_NONE ((struct treedir){ -1, -1 })
#define treedir_auto __attribute__((cleanup(treedir_done)))

/* Makes layer-NUMBER, which is not there, below `ingest`. The caller ends it by treedir_done. */
int treedir_open(int ingest, size_t number, struct treedir *ret_dir, struct err *e);
void treedir_done(struct treedir *d);

/* The directory says how large it is and what it has, and is named by whether it hides what is below. */
int treedir_finish(const struct treedir *d, const struct unpacked *unpacked, struct sharing_layer *share, struct err *e);
