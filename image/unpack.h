/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer's tar into one directory, as overlayfs will read it. Nothing leaves that directory, whatever the
 * archive says. Part of kist-image; runs in a worker thread. Source: image-spec layer.md.
 */
#pragma once
#include <stdbool.h>
#include "image/flow.h"
#include "image/sharing.h"

enum { UNPACK_ENTRIES_MAX = 4000000 }; /* unless the caller says otherwise */

struct unpacked {
	uint64_t bytes; /* of file data */
	uint64_t entries;
	bool is_opaque; /* the layer's root hides everything below */
	char *implied;  /* directories that the archive does not describe, each ended by a NUL; the caller
			   frees */
	size_t implied_len;
};

/*
 * Unpacks `in`, to its end and at most `entries_max` entries, into the directory `root`, which is empty. With `share`,
 * files that other layers have become names of theirs; NULL: none. The process's umask must be
 * 0. What is there on failure is the caller's to remove.
 */
int unpack_layer(struct flow *in, int root, uint64_t entries_max, struct sharing_layer *share,
		 struct unpacked *ret_unpacked, struct err *e);
