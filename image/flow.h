/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of bytes that its reader pulls, piece by piece, out of its maker's buffer: nothing is copied on
 * the way.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "util/err.h"

struct flow {
	/*
	 * Gives the next piece, at least one byte, which stays valid until the next call. Returns 1, 0 at the
	 * end (and again when asked again), or -errno with words.
	 */
	int (*pull)(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e);
	/*
	 * Steps over `len` bytes behind the last piece. NULL: the flow cannot, its bytes have to be pulled.
	 */
	int (*skip)(struct flow *f, uint64_t len, struct err *e);
};

static inline int flow_pull(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	return f->pull(f, ret_bytes, ret_len, e);
}

/* Pulls all that is left, for those who look at it on the way. */
static inline int flow_drain(struct flow *f, struct err *e)
{
	const uint8_t *bytes;
	size_t len;
	int r;
	while ((r = flow_pull(f, &bytes, &len, e)) == 1)
		;
	return r;
}
