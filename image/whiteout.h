/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deletions of a layer, from tar's names (.wh.NAME, .wh..wh..opq) to what overlayfs reads: 0:0 character
 * devices and the opaque xattr. Sources: image-spec layer.md "Whiteouts"; overlayfs documentation "whiteouts
 * and opaque directories".
 */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>
#include "util/err.h"

enum whiteout_kind {
	WHITEOUT_NONE,    /* an ordinary name */
	WHITEOUT_FILE,    /* deletes NAME below */
	WHITEOUT_OPAQUE,  /* hides all that is below in its directory */
	WHITEOUT_IGNORED, /* aufs's own records: .wh..wh.* */
	WHITEOUT_BAD,     /* .wh. and nothing, "." or ".." */
};

/* What the last component of a path means. *ret_target: the deleted name. */
enum whiteout_kind whiteout_kind(const char *name, const char **ret_target);

/* True for a whiteout as overlayfs has it. */
bool whiteout_is(const struct stat *st);

/*
 * Deletes `name` of lower layers in the directory `parent`. What the same layer has there stays, but a
 * directory becomes opaque. `is_root_opaque`: the parent is a root that hides everything already.
 */
int whiteout_make(int parent, const char *name, bool is_hidden, struct err *e);

/* Makes a directory opaque: `name` below `parent`, or `parent` itself when name is NULL. */
int opaque_set(int parent, const char *name, struct err *e);

/* Removes whiteouts from a directory that hides everything: they would show in listings. */
int whiteout_sweep(int dir, struct err *e);
