/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading tar: v7, ustar, pax, GNU (long names, base-256 numbers, sparse files of all four kinds), star.
 *
 * A pull reader over a flow: tar_next gives one entry, tar_data its bytes straight out of the flow's buffer.
 * It touches no file and believes nothing: names are bytes up to a NUL, which image/unpack judges. Global pax
 * headers are read over, as Docker's and Go's readers do. Fuzzed by tests/fuzz/fuzz_tar.c.
 */
#pragma once
#include "image/flow.h"
#include "image/pax.h"

enum tar_type { TAR_FILE, TAR_DIR, TAR_SYMLINK, TAR_HARDLINK, TAR_CHAR, TAR_BLOCK, TAR_FIFO };

struct tar_entry {
	enum tar_type type;
	const char *path; /* as in the archive, not empty */
	const char *link; /* symlinks and hard links: the target */
	uint32_t mode;    /* 07777 bits */
	uint32_t uid, gid;
	uint32_t dev_major, dev_minor;
	uint64_t size;       /* of the file, with its holes */
	uint64_t data_bytes; /* in the archive */
	struct timespec mtime;
	const struct tar_xattr *xattrs;
	size_t xattr_count;
	const struct tar_part *parts; /* of a sparse file: where the data goes; their sum is data_bytes */
	size_t part_count;
	bool is_sparse;
};

struct tar {
	struct flow *in;
	const uint8_t *p; /* what is left of the flow's piece */
	size_t n;
	uint64_t offset;    /* bytes of the archive behind us */
	uint64_t data_left; /* of the entry's data */
	uint64_t pad_left;  /* behind it, up to the next block */
	uint8_t block[512];
	bool is_end;
	struct tar_entry entry;
	struct pax pax;
	struct tar_parts parts;      /* of old GNU and 1.0 sparse files */
	char *body;                  /* of the pax header: pax points into it */
	char path[TAR_PATH_MAX + 1]; /* of the header block, or GNU's long name */
	char link[TAR_PATH_MAX + 1];
};

void tar_open(struct tar *t, struct flow *in);
void tar_done(struct tar *t);

/*
 * Goes on to the next entry, over what was not read of the last. Returns 1, 0 at the end of the archive, or
 * -errno with words that say where. The entry is valid until the next call.
 */
int tar_next(struct tar *t, const struct tar_entry **ret_entry, struct err *e);

/* Gives the next piece of the entry's data. Returns 1, 0 when there is no more, or -errno. */
int tar_data(struct tar *t, const uint8_t **ret_bytes, size_t *ret_len, struct err *e);

/* Reads what follows the archive's end (padding) to the flow's end, so that digests cover all of it. */
int tar_drain(struct tar *t, struct err *e);
