/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the unpacker stands: the directories from a layer's root to the entry's parent, as descriptors.
 * Neighbours in an archive share their parents, so most entries cost no look-up. Every step goes from one
 * descriptor to the next, beneath the root; a symlink in the way is followed inside the root only. Part of
 * kist-image, for image/unpack.
 */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>
#include "image/pax.h"
#include "util/arena.h"

enum { DIRSTACK_DEPTH_MAX = 512 };

/* What a directory gets when all of its entries are there. */
struct dir_later {
	const char *path;
	struct timespec mtime;
	mode_t mode;
	bool has_mtime;
	bool has_mode;
	bool is_implied; /* made because something lies in it; no entry of its own yet */
};

struct dirstack {
	int root; /* borrowed */
	size_t depth;
	struct {
		int fd;
		size_t end; /* of its path in `path` */
	} level[DIRSTACK_DEPTH_MAX];
	char path[TAR_PATH_MAX + 1]; /* of the deepest level */
	struct dir_later *later;
	size_t later_count, later_room;
	struct arena arena; /* their paths */
};

/*
 * Writes a path of an archive in plain form: no "/" at its ends, no "." and no empty components; "" is the
 * root. -EINVAL: has "..", -E2BIG: too deep. `*ret_name` is where the last component begins.
 */
int path_plain(const char *path, char out[static TAR_PATH_MAX + 1], size_t *ret_name, struct err *e);

void dirstack_open(struct dirstack *d, int root);
void dirstack_done(struct dirstack *d);

/* The descriptor of the first `len` bytes of a plain path (0: the root), making what is missing (0755). */
int dirstack_enter(struct dirstack *d, const char *path, size_t len, struct err *e);

/*
 * Makes a directory, or keeps the one that is there; another kind of file is removed first. In place of a
 * whiteout the directory becomes opaque: what lies below was deleted by the same layer.
 */
int dirstack_make(int parent, const char *name, mode_t mode, bool *ret_is_new, struct err *e);

/* Removes what an entry replaces: a file, or a directory with all that is in it. -ENOENT is success. */
int dirstack_clear(int parent, const char *name);

/* Remembers, and at the end sets, modes and times, which making entries would change. */
void dirstack_later(struct dirstack *d, const struct dir_later *later);

/* The same for a directory that no entry describes (yet): 0755, and the same time on every host. */
void dirstack_imply(struct dirstack *d, const char *path);
int dirstack_finish(struct dirstack *d, struct err *e);

/* Lists the directories that no entry described, each path ended by a NUL. The caller frees; NULL: none. */
char *dirstack_implied(const struct dirstack *d, size_t *ret_len);
