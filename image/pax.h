/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a pax extended header that say something about a file: names, numbers, times, xattrs, GNU's
 * sparse maps. Source: pax(1) "pax Extended Header"; GNU tar manual "Storing Sparse Files". Called by
 * image/tar only.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "util/err.h"

enum {
	PAX_BODY_MAX = 1 << 20,   /* bytes of one extended header */
	PAX_XATTR_MAX = 64 << 10, /* bytes of one value: the kernel's own limit, xattr(7) */
	PAX_XATTRS_MAX = 1024,
	TAR_PATH_MAX = 4095,     /* bytes of a path or link target */
	TAR_PARTS_MAX = 1 << 20, /* pieces of a sparse file */
};

struct tar_xattr {
	const char *name;
	const void *value;
	size_t len;
};

/* A run of data in a sparse file; what is between them is a hole. */
struct tar_part {
	uint64_t offset;
	uint64_t len;
};

struct tar_parts {
	struct tar_part *v;
	size_t n;
	size_t room;
};

/* NULL, or a false has_, where there was no record. Strings point into the body. */
struct pax {
	const char *path;
	const char *link;
	const char *sparse_name;
	uint64_t size, uid, gid, sparse_size, sparse_major, sparse_minor;
	struct timespec mtime;
	bool has_size, has_uid, has_gid, has_mtime, has_sparse_size, has_sparse_major;
	bool is_sparse;  /* some GNU.sparse record was there */
	bool has_offset; /* GNU sparse 0.0: an offset waits for its length */
	struct tar_parts parts;
	struct tar_xattr *xattrs;
	size_t xattr_count;
	size_t xattr_room;
};

/*
 * Reads all records of a body, which gets NULs put into it and must outlive the result. Empties what *pax
 * held.
 */
int pax_parse(struct pax *pax, char *body, size_t len, struct err *e);

/* Forgets the records but keeps the memory; frees the memory. */
void pax_reset(struct pax *pax);
void pax_done(struct pax *pax);

/* Adds a part that must lie behind the last one. */
int tar_parts_add(struct tar_parts *parts, uint64_t offset, uint64_t len, struct err *e);

/* Reads decimal digits up to `end`, all of them. False: none, others, or too large for 63 bits. */
bool tar_decimal(const char *p, const char *end, uint64_t *ret_value);
