/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of a layer's regular files, layers/sha256/HEX/files, by which image/sharing finds equal files of
 * other layers. It is written once, with the layer, and mapped by later ingests. It only finds: whoever
 * follows it compares, so a list that is old, forged or broken costs a miss and nothing else. Pure but for
 * the file itself. Format: docs/formats.md.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILEINDEX_NAME "files"

/* One file, as it stands in the list. */
struct fileindex_row {
	uint64_t key;	    /* digest of all metadata and the size: evenly spread */
	uint64_t digest[2]; /* of the content's beginning */
	uint32_t path_hash;
	uint32_t path; /* where it begins in the list's text, ended by a NUL */
};

uint32_t fileindex_path_hash(const char *path);

/* ---- reading ---- */

struct fileindex {
	const struct fileindex_row *rows; /* by key, then digest, then path hash */
	const uint32_t *fan; /* by a key's first bits: its rows begin here, and end where the next begin */
	const char *text;
	uint32_t row_count, fan_bits, text_bytes;
	bool is_opaque; /* the layer's tree is fs-opaque */
	bool is_cut;    /* the layer has more files than it lists */
	void *map;
	size_t map_bytes;
};

/* Maps a list. Returns 0, or -errno (-ENOENT: none, -EBADMSG: not in this format). Ended by fileindex_done. */
int fileindex_open(int dir, const char *name, struct fileindex *ret_index);
int fileindex_map(int fd, struct fileindex *ret_index);
void fileindex_done(struct fileindex *x);

/*
 * The rows of one key and digest: the number of the first, and how many. More than FILEINDEX_EQUAL_MAX are not counted: an
 * image of many equal files would take the square of their number.
 */
enum { FILEINDEX_EQUAL_MAX = 256 };
uint32_t fileindex_find(const struct fileindex *x, uint64_t key, const uint64_t digest[2], uint32_t *ret_count);

/* Those of them that have the path's hash, too. */
uint32_t fileindex_find_path(const struct fileindex *x, const struct fileindex_row *row, uint32_t *ret_count);

/* The path of a row, below the layer's tree. NULL: broken, or it would lead elsewhere. */
const char *fileindex_path(const struct fileindex *x, uint32_t row);

/* ---- writing ---- */

/* What all lists in the making may take of the memory; used by several threads. */
struct fileindex_budget {
	_Atomic int64_t rows, text_bytes;
};

#define FILEINDEX_BUDGET ((struct fileindex_budget){ .rows = 200000, .text_bytes = 16 << 20 })

struct fileindex_made {
	struct fileindex_budget *budget;
	struct fileindex_row *rows;
	size_t n, room;
	char *text;
	size_t text_bytes, text_room;
	bool is_cut;
};

/* Adds a row; `row->path` is filled in. Where the budget is spent, the file stays out of the list. */
void fileindex_add(struct fileindex_made *m, const struct fileindex_row *row, const char *path);

/* Writes the list as a new file. Returns 0 or -errno. */
int fileindex_write(struct fileindex_made *m, bool is_opaque, int dir, const char *name);
void fileindex_made_done(struct fileindex_made *m);
