/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deduplication below the layer: a regular file of a new layer that some other layer of the store has already
 * (content, mode, owner, mtime and xattrs) becomes one more name of that file's inode, so that images which
 * have nothing to do with each other share disk and page cache. Layers are never written to, so nothing can
 * change under the other's feet. Part of kist-image, for image/layerjob and image/filedata.
 *
 * Candidates are found in the lists of the layers that are there (image/fileindex), and compared to the last
 * byte before they are linked. Whatever stands in the way (a layer that goes, too many links, another file
 * system, rights) is a miss, and the file is written.
 *
 * One inode never gets two names in one image that way: programs that look for hard links (tar, cp -a) would
 * see some that the image does not have. So one image uses an inode once, and what another layer of it has by
 * another name is left alone.
 */
#pragma once
#include "image/fileindex.h"
#include "image/numberset.h"
#include "image/store.h"
#include "image/tar.h"

enum { SHARING_HEAD = 64 << 10 }; /* so many bytes of a file are looked at before it is sought */

/* ---- one ingest ---- */

/* The lists of the layers that are there, and what was taken from them, for all threads. */
struct sharing {
	int layers; /* the store's layers/sha256; -1: nothing is shared */
	struct sharing_list {
		struct fileindex index;
		char hex[65];
		bool is_of_image; /* this layer is another of the image that comes in */
	} * lists;
	size_t n;
	bool is_by_path; /* what the image has by which name is not known for all of its layers: same paths only */
	struct fileindex_budget budget;
	struct numberset used; /* numbers of what this image has linked */
};

#define SHARING_NONE ((struct sharing){ .layers = -1, .used = NUMBERSET_NONE })

/*
 * Maps the lists: those of the image's own layers, for which `is_of_image` is asked, then the largest of the others, up
 * to a bound for the memory. A list that cannot be read is as none. The caller ends it by sharing_done.
 */
void sharing_open(const struct store *s, bool (*is_of_image)(const void *ctx, const char *diff_id), const void *ctx,
		  struct sharing *ret_sharing);
void sharing_done(struct sharing *s);

/* ---- one layer, in one thread ---- */

struct sharing_layer {
	struct sharing *all;
	struct fileindex_made made;
	uint64_t shared_files, shared_bytes;
	char *buf; /* SHARING_HEAD bytes of the other file */
};

void sharing_begin(struct sharing_layer *l, struct sharing *all);
void sharing_end(struct sharing_layer *l);

/* One file on its way in. */
struct sharing_file {
	const char *path; /* in the layer, in plain form */
	const struct tar_entry *en;
	struct fileindex_row row;
	int other;	   /* O_PATH: the file that it will be a name of; -1: none */
	int bytes;	   /* the same, open for reading */
	uint64_t compared; /* so many bytes are equal */
	uint64_t ino;
	uint64_t used;	 /* the number of its row among the used */
	bool is_claimed; /* no other file of this image may become a name of it */
};

/*
 * Seeks an equal file by its metadata and its first bytes: all, or SHARING_HEAD of them. These are compared. True:
 * there is one, whose rest is compared by sharing_compare as it comes, before sharing_link. The caller ends it by
 * sharing_file_done in any case.
 */
bool sharing_find(struct sharing_layer *l, struct sharing_file *f, const char *path, const struct tar_entry *en,
		  const void *head, size_t head_len);
void sharing_file_done(struct sharing_file *f);

/* True: the next bytes are equal too. */
bool sharing_compare(struct sharing_layer *l, struct sharing_file *f, const void *bytes, size_t len);

/* Makes NAME one more name of the equal file. 0, -EEXIST (ask again), or another -errno, which is a miss. */
int sharing_link(struct sharing_layer *l, struct sharing_file *f, int parent, const char *name);

/* Writes what was equal before it was not (f->compared bytes) to a file of the layer's own. */
int sharing_copy(const struct sharing_file *f, int fd, struct err *e);

/* Puts the file into the layer's list, so that others find it. Linked or not. */
void sharing_note(struct sharing_layer *l, const struct sharing_file *f);
