/* SPDX-License-Identifier: Apache-2.0 */
/* See tarout.h. */
#include "image/tarout.h"

#include <errno.h>
#include <string.h>

#include "image/tarhead.h"
#include "util/fd.h"

enum { PIECE = 256 << 10, PAX_MAX = 8 << 20, HEAD_MAX = 16 << 20 };

void tarout_open(struct tarout *t, tarout_fn *write, void *ctx)
{
	*t = (struct tarout){ .write = write,
			      .ctx = ctx,
			      .buf = mem_alloc(PIECE),
			      .pax = STR_MAX(PAX_MAX),
			      .head = STR_MAX(HEAD_MAX) };
}

void tarout_done(struct tarout *t)
{
	free(t->buf);
	t->buf = NULL;
	str_done(&t->pax);
	str_done(&t->head);
}

int tarout_to_fd(void *ctx, const void *bytes, size_t len, struct err *e)
{
	int r = fd_write_all(*(const int *)ctx, bytes, len);
	return r < 0 ? err_ret(e, r, "write the archive") : 0;
}

static int flush(struct tarout *t, struct err *e)
{
	size_t len = t->used;
	t->used = 0;
	return len ? t->write(t->ctx, t->buf, len, e) : 0;
}

int tarout_data(struct tarout *t, const void *bytes, size_t len, struct err *e)
{
	for (const char *p = bytes; len;) {
		size_t n = PIECE - t->used < len ? PIECE - t->used : len;
		memcpy(t->buf + t->used, p, n);
		t->used += n;
		p += n;
		len -= n;
		int r = t->used == PIECE ? flush(t, e) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int tarout_zeros(struct tarout *t, uint64_t len, struct err *e)
{
	static const char zeros[16 * TAR_BLOCK_SIZE];
	int r = 0;
	for (; r == 0 && len > sizeof(zeros); len -= sizeof(zeros))
		r = tarout_data(t, zeros, sizeof(zeros), e);
	return r < 0 ? r : tarout_data(t, zeros, (size_t)len, e);
}

int tarout_pad(struct tarout *t, uint64_t size, struct err *e)
{
	return tarout_zeros(t, tar_pad(size), e);
}

int tarout_entry(struct tarout *t, const struct tar_entry *en, struct err *e)
{
	t->pax.len = t->head.len = 0;
	tar_head(en, &t->pax, &t->head);
	if (t->pax.is_full || t->head.is_full)
		return err_new(e, E2BIG, "more xattrs than an archive can have");
	return tarout_data(t, t->head.p, t->head.len, e);
}

int tarout_end(struct tarout *t, struct err *e)
{
	int r = tarout_zeros(t, 2 * TAR_BLOCK_SIZE, e);
	return r < 0 ? r : flush(t, e);
}
