/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the compression off a flow: gzip (ISA-L; several members, zero padding), zstd (several frames), or
 * none, told by the first bytes. Bounds what comes out, so that a small blob cannot fill the disk. Part of
 * kist-image and kist-registry.
 */
#pragma once
#include "image/flow.h"
#include "image/window.h"
#include <stdbool.h>

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

/* Which it is, by the first bytes: of `n` at hand, four will do; of a file at `offset`, whose position stays. */
enum packing packing_of(const uint8_t *head, size_t n);
enum packing packing_at(int fd, uint64_t offset);

struct inflate_limits {
	uint64_t bytes; /* that may come out */
	uint64_t ratio; /* bytes out per byte in, once `ratio_from` bytes are out */
	uint64_t ratio_from;
};

/* What kist allows: 16 GiB, and 1000 to 1 above 64 MiB. */
extern const struct inflate_limits inflate_limits_default;

struct inflate {
	struct flow flow;
	struct flow *in;
	struct inflate_limits limits;
	enum packing packing;
	const uint8_t *p; /* what is left of the input's piece */
	size_t n;
	uint64_t in_bytes, out_bytes;
	bool is_member_end; /* between two gzip members or zstd frames */
	bool is_full;       /* the last call filled the buffer: more may come without input */
	bool is_padding;    /* zeros behind the last gzip member */
	void *state;        /* of ISA-L or libzstd */
	struct window window; /* of libzstd */
	uint8_t *buf;
	uint8_t head[4]; /* the first bytes, when the first piece is shorter */
};

/*
 * Begins: pulls the first piece to see what it is. `spill` is a directory of the file system in which large windows of zstd
 * frames lie (image/window); it is borrowed. Returns 0 or -errno; inflate_done in any case.
 */
int inflate_open(struct inflate *z, struct flow *in, const struct inflate_limits *limits, int spill, struct err *e);
void inflate_done(struct inflate *z);
