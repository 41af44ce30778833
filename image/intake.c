/* SPDX-License-Identifier: Apache-2.0 */
/* See intake.h. */
#include "image/intake.h"

#include <errno.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"

enum { PIECE = 256 << 10 };

static int pull(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct intake *in = (struct intake *)f;
	size_t want = in->left < PIECE ? (size_t)in->left : PIECE;
	if (want == 0 || in->is_end)
		return 0;
	/* A pipe gives short pieces: they are put together, so that whoever comes next sees whole headers. */
	ssize_t n = in->is_positioned ? pread(in->fd, in->buf, want, (off_t)in->offset) :
					fd_read_all(in->fd, in->buf, want);
	if (n < 0 && in->is_positioned)
		n = -errno;
	if (n < 0)
		return err_ret(e, (int)n, "read");
	if (n == 0 && in->left != UINT64_MAX)
		return err_new(e, EINVAL, "ends %llu bytes early", (unsigned long long)in->left);
	in->is_end = n == 0;
	if (n == 0)
		return 0;
	in->offset += (uint64_t)n;
	in->bytes += (uint64_t)n;
	if (in->left != UINT64_MAX)
		in->left -= (uint64_t)n;
	digest_add(&in->digest, in->buf, (size_t)n);
	int r = in->copy >= 0 ? fd_write_all(in->copy, in->buf, (size_t)n) : 0;
	if (r < 0)
		return err_ret(e, r, "write to the store");
	*ret_bytes = in->buf;
	*ret_len = (size_t)n;
	return 1;
}

void intake_part(struct intake *in, int fd, uint64_t offset, uint64_t len, int copy)
{
	*in = (struct intake){
		.flow = { .pull = pull },
		.fd = fd,
		.copy = copy,
		.is_positioned = true,
		.offset = offset,
		.left = len,
		.buf = mem_alloc(PIECE),
	};
	digest_begin(&in->digest);
}

void intake_stream(struct intake *in, int fd, int copy)
{
	*in = (struct intake){
		.flow = { .pull = pull }, .fd = fd, .copy = copy, .left = UINT64_MAX, .buf = mem_alloc(PIECE)
	};
	digest_begin(&in->digest);
}

void intake_digest(struct intake *in, char out[static DIGEST_TEXT_MAX])
{
	digest_text(&in->digest, out);
}

void intake_done(struct intake *in)
{
	free(in->buf);
	in->buf = NULL;
	digest_done(&in->digest);
}
