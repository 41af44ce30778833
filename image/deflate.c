/* SPDX-License-Identifier: Apache-2.0 */
/* See deflate.h. Sources: RFC 1952 "Member format", isa-l's igzip_lib.h. */
#include "image/deflate.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>

/* Level 2 is as fast as 1 and smaller; 3 takes half as long again for one percent. */
enum { LEVEL = 2, PIECE = 256 << 10 };

void deflate_open(struct deflate *d, tarout_fn *write, void *ctx)
{
	struct isal_zstream *z = mem_zero(1, sizeof(*z));
	*d = (struct deflate){ .write = write, .ctx = ctx, .state = z };
	d->level_buf = mem_alloc(ISAL_DEF_LVL2_DEFAULT);
	d->out = mem_alloc(PIECE);
	isal_deflate_init(z);
	z->level = LEVEL;
	z->level_buf = d->level_buf;
	z->level_buf_size = ISAL_DEF_LVL2_DEFAULT;
	z->gzip_flag = IGZIP_GZIP;
}

void deflate_done(struct deflate *d)
{
	free(d->state);
	free(d->level_buf);
	free(d->out);
	*d = (struct deflate){ .write = NULL };
}

/* Goes on until the input is used up, and at the end until the trailer is out. */
static int pump(struct deflate *d, struct err *e)
{
	struct isal_zstream *z = d->state;
	int r = 0;
	do {
		z->next_out = d->out;
		z->avail_out = PIECE;
		int code = isal_deflate(z);
		if (code != COMP_OK)
			return err_new(e, EIO, "gzip: error %d of ISA-L", code);
		if (z->avail_out < PIECE)
			r = d->write(d->ctx, d->out, PIECE - z->avail_out, e);
	} while (r == 0 && (z->avail_in || (z->end_of_stream && z->internal_state.state != ZSTATE_END)));
	return r;
}

int deflate_write(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct deflate *d = ctx;
	struct isal_zstream *z = d->state;
	const uint8_t *p = bytes;
	int r = 0;
	/* ISA-L reads it only, but has no const. */
	for (size_t n; r == 0 && len; p += n, len -= n) {
		n = len < (1U << 30) ? len : 1U << 30;
		z->next_in = (uint8_t *)(uintptr_t)p;
		z->avail_in = (uint32_t)n;
		r = pump(d, e);
	}
	return r;
}

int deflate_finish(struct deflate *d, struct err *e)
{
	struct isal_zstream *z = d->state;
	z->avail_in = 0;
	z->end_of_stream = 1;
	return pump(d, e);
}
