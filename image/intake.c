/* SPDX-License-Identifier: Apache-2.0 */
/* See intake.h. */
#include "image/intake.h"

#include <errno.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"

enum { PIECE = 256 << 10 };

/* What was read goes into the digest and the copy. Returns 1. */
static int pass(struct intake *in, const uint8_t *bytes, size_t len, const uint8_t **ret_bytes, size_t *ret_len,
		struct err *e)
{
	in->bytes += len;
	if (in->left != UINT64_MAX)
		in->left -= len;
	progress_add(in->watch, len);
	digest_add(&in->digest, bytes, len);
	int r = in->copy >= 0 ? fd_write_all(in->copy, bytes, len) : 0;
	if (r < 0)
		return err_ret(e, r, "write to the store");
	*ret_bytes = bytes;
	*ret_len = len;
	return 1;
}

static int pull_file(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct intake *in = (struct intake *)f;
	size_t want = in->left < PIECE ? (size_t)in->left : PIECE;
	if (want == 0 || in->is_end)
		return 0;
	/* A pipe gives short pieces: they are put together, so that whoever comes next sees whole headers. */
	ssize_t n = in->is_positioned ? pread(in->fd, in->buf, want, (off_t)in->offset)
				      : fd_read_all(in->fd, in->buf, want);
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
	return pass(in, in->buf, (size_t)n, ret_bytes, ret_len, e);
}

static int pull_flow(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct intake *in = (struct intake *)f;
	const uint8_t *bytes;
	size_t len;
	int r = flow_pull(in->from, &bytes, &len, e);
	if (r < 0)
		return r;
	if (r == 0 && in->left != 0 && in->left != UINT64_MAX)
		return err_new(e, EINVAL, "ends %llu bytes early", (unsigned long long)in->left);
	if (r == 0)
		return 0;
	if (len > in->left)
		return err_new(e, EBADMSG, "size mismatch: expected %llu, got more",
			       (unsigned long long)(in->bytes + in->left));
	return pass(in, bytes, len, ret_bytes, ret_len, e);
}

void intake_part(struct intake *in, int fd, uint64_t offset, uint64_t len, int copy)
{
	*in = (struct intake){
		.flow = { .pull = pull_file },
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
		.flow = { .pull = pull_file }, .fd = fd, .copy = copy, .left = UINT64_MAX, .buf = mem_alloc(PIECE)
	};
	digest_begin(&in->digest);
}

void intake_flow(struct intake *in, struct flow *from, uint64_t len, int copy)
{
	*in = (struct intake){ .flow = { .pull = pull_flow }, .fd = -1, .from = from, .copy = copy, .left = len };
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
