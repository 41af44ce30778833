/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a packed image is whole and kist's own work, to the last byte. The head's sum, the digests of manifest and
 * config, the file system's form (image/erofsread) and the digest of its tree, which is the diffID that the config names.
 * Part of kist-image only.
 */
#pragma once
#include "image/image.h"
#include "image/packhead.h"
#include "image/tree.h"

struct packed {
	struct arena arena;
	struct pack_head head;
	struct document manifest;
	struct image_config config;
	char *manifest_bytes, *config_bytes;
};

#define packed_auto __attribute__((cleanup(packed_done)))
void packed_done(struct packed *p);

/* True for a regular file that begins as a packed image does. */
bool packed_is(const char *path);

/* Reads the head of an open file and, where it has any, the documents, and verifies them. -EBADMSG with words. */
int packed_open(int fd, struct packed *ret, struct err *e);

/*
 * Verifies the file system in `fd`, which is the packed file or, with zstd, what was unpacked of it. The tree borrows
 * `fd`. The tree's digest is the caller's business with `is_form_only`, since it goes through all bytes of all files.
 */
int packed_tree(const struct pack_head *head, int fd, bool is_form_only, struct tree *ret_tree, struct err *e);

/* Writes the head of a file and the sum into it. */
int packed_write_head(struct pack_head *head, int fd, struct err *e);
