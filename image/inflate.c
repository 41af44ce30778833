/* SPDX-License-Identifier: Apache-2.0 */
/* See inflate.h. Sources: RFC 1952 "Member format", RFC 8878 "Frames", isa-l's igzip_lib.h, zstd.h. */
#include "image/inflate.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <string.h>
#define ZSTD_STATIC_LINKING_ONLY /* for an allocator of our own: kist links the archive */
#include <zstd.h>
#include <zstd_errors.h>

#include "util/fd.h"
#include "util/mem.h"

enum { PIECE = 256 << 10 };

const struct inflate_limits inflate_limits_default = {
	.bytes = 16ULL << 30,
	.ratio = 1000,
	.ratio_from = 64ULL << 20,
};

static int pull_input(struct inflate *z, struct err *e)
{
	int r = flow_pull(z->in, &z->p, &z->n, e);
	if (r == 1)
		z->in_bytes += z->n;
	return r;
}

/* Counts a piece of output against the limits and hands it on. */
static int give(struct inflate *z, const uint8_t *bytes, size_t len, const uint8_t **ret_bytes,
		size_t *ret_len, struct err *e)
{
	z->out_bytes += len;
	if (z->out_bytes > z->limits.bytes)
		return err_new(e, EFBIG, "unpacks to more than %llu bytes",
			       (unsigned long long)z->limits.bytes);
	if (z->packing != PACKING_NONE && z->out_bytes > z->limits.ratio_from &&
	    z->out_bytes / z->limits.ratio >= z->in_bytes)
		return err_new(e, EFBIG,
			       "unpacks to more than %llu times its size (%llu bytes of %llu so far)",
			       (unsigned long long)z->limits.ratio, (unsigned long long)z->out_bytes,
			       (unsigned long long)z->in_bytes);
	*ret_bytes = bytes;
	*ret_len = len;
	return 1;
}

static int pull_plain(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct inflate *z = (struct inflate *)f;
	if (!z->n) {
		int r = pull_input(z, e);
		if (r <= 0)
			return r;
	}
	size_t len = z->n;
	z->n = 0;
	return give(z, z->p, len, ret_bytes, ret_len, e);
}

/* ---- gzip ---- */

static const char *gzip_words(int code)
{
	return code == ISAL_INCORRECT_CHECKSUM                                 ? "gzip: checksum mismatch" :
	       code == ISAL_INVALID_WRAPPER || code == ISAL_UNSUPPORTED_METHOD ? "gzip: bad header" :
										 "gzip: corrupt data";
}

/*
 * Behind a member: the end, another member, or padding with zeros to the end. Returns 1 when a member begins.
 */
static int gzip_next_member(struct inflate *z, struct err *e)
{
	struct inflate_state *s = z->state;
	for (;;) {
		while (z->n && *z->p == 0) {
			z->p++;
			z->n--;
			z->is_padding = true;
		}
		if (z->n)
			break;
		int r = pull_input(z, e);
		if (r <= 0)
			return r;
	}
	if (*z->p != 0x1f || z->is_padding)
		return err_new(e, EINVAL, "gzip: garbage behind the end");
	isal_inflate_reset(s);
	s->crc_flag = ISAL_GZIP;
	z->is_member_end = false;
	return 1;
}

static int pull_gzip(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct inflate *z = (struct inflate *)f;
	struct inflate_state *s = z->state;
	for (;;) {
		int r = 1;
		if (z->is_member_end)
			r = gzip_next_member(z, e);
		else if (!z->n && !z->is_full && (r = pull_input(z, e)) == 0)
			return err_new(e, EINVAL, "gzip: cut off after %llu bytes",
				       (unsigned long long)z->in_bytes);
		if (r <= 0)
			return r;
		s->next_in = (uint8_t *)(uintptr_t)z->p;
		s->avail_in = (uint32_t)z->n;
		s->next_out = z->buf;
		s->avail_out = PIECE;
		int code = isal_inflate(s);
		if (code != ISAL_DECOMP_OK)
			return err_new(e, EINVAL, "%s", gzip_words(code));
		z->p = s->next_in;
		z->n = s->avail_in;
		z->is_full = s->avail_out == 0;
		z->is_member_end = s->block_state == ISAL_BLOCK_FINISH;
		if (s->avail_out < PIECE)
			return give(z, z->buf, PIECE - s->avail_out, ret_bytes, ret_len, e);
	}
}

/* ---- zstd ---- */

/* libzstd itself takes windows up to 2 GiB; what is too much for kist fails in its allocator. */
static int zstd_failed(const struct inflate *z, size_t code, struct err *e)
{
	const struct window *w = &z->window;
	if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
		return err_new(e, EFBIG, "zstd: a window above 2048 MiB; at most %d are taken", WINDOW_MAX >> 20);
	if (w->refused && w->refused_num == EFBIG)
		return err_new(e, EFBIG, "zstd: a window of %zu MiB; at most %d are taken",
			       window_of(w->refused) >> 20, WINDOW_MAX >> 20);
	if (w->refused)
		return err_ret(e, -w->refused_num, "zstd: a window of %zu MiB", window_of(w->refused) >> 20);
	return err_new(e, EINVAL, "zstd: %s", ZSTD_getErrorName(code));
}

static void *zstd_open(struct inflate *z, int spill)
{
	z->window = WINDOW(spill);
	const ZSTD_customMem mem = { window_alloc, window_free, &z->window };
	ZSTD_DCtx *ctx = ZSTD_createDCtx_advanced(mem);
	if (!ctx)
		mem_out();
	ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, ZSTD_WINDOWLOG_MAX);
	return ctx;
}

static int pull_zstd(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct inflate *z = (struct inflate *)f;
	for (;;) {
		int r = 1;
		if (!z->n && !z->is_full)
			r = pull_input(z, e);
		if (r == 0 && !z->is_member_end)
			return err_new(e, EINVAL, "zstd: cut off after %llu bytes",
				       (unsigned long long)z->in_bytes);
		if (r <= 0)
			return r;
		ZSTD_inBuffer in = { z->p, z->n, 0 };
		ZSTD_outBuffer out = { z->buf, PIECE, 0 };
		size_t code = ZSTD_decompressStream(z->state, &out, &in);
		if (ZSTD_isError(code))
			return zstd_failed(z, code, e);
		window_trim(&z->window);
		z->p += in.pos;
		z->n -= in.pos;
		z->is_full = out.pos == PIECE;
		z->is_member_end = code == 0;
		if (out.pos)
			return give(z, z->buf, out.pos, ret_bytes, ret_len, e);
	}
}

/* ---- begin and end ---- */

/* Gets the first four bytes together, though the first pieces may be shorter. */
static int pull_head(struct inflate *z, struct err *e)
{
	size_t len = 0;
	int r;
	while ((r = pull_input(z, e)) == 1) {
		if (len == 0 && z->n >= sizeof(z->head))
			return 0;
		size_t n = z->n < sizeof(z->head) - len ? z->n : sizeof(z->head) - len;
		memcpy(z->head + len, z->p, n);
		len += n;
		if (len == sizeof(z->head) && n == z->n)
			break;
		if (len == sizeof(z->head))
			return err_new(e, EIO, "read in pieces that are too small");
	}
	z->p = z->head;
	z->n = len;
	return r < 0 ? r : 0;
}

/* RFC 1952 "Member header and trailer", RFC 8878 "Zstandard Frames". */
enum packing packing_of(const uint8_t *head, size_t n)
{
	if (n >= 2 && head[0] == 0x1f && head[1] == 0x8b)
		return PACKING_GZIP;
	return n >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0 ? PACKING_ZSTD : PACKING_NONE;
}

enum packing packing_at(int fd, uint64_t offset)
{
	uint8_t head[4];
	ssize_t n = fd_read_at(fd, head, sizeof(head), offset);
	return packing_of(head, n < 0 ? 0 : (size_t)n);
}

int inflate_open(struct inflate *z, struct flow *in, const struct inflate_limits *limits, int spill, struct err *e)
{
	*z = (struct inflate){ .flow = { .pull = pull_plain }, .in = in, .limits = *limits };
	int r = pull_head(z, e);
	if (r < 0)
		return r;
	z->packing = packing_of(z->p, z->n);
	if (z->packing == PACKING_GZIP) {
		z->flow.pull = pull_gzip;
		struct inflate_state *s = mem_alloc(sizeof(*s));
		isal_inflate_init(s);
		s->crc_flag = ISAL_GZIP;
		z->state = s;
	} else if (z->packing == PACKING_ZSTD) {
		z->flow.pull = pull_zstd;
		z->state = zstd_open(z, spill);
	}
	if (z->packing != PACKING_NONE)
		z->buf = mem_alloc(PIECE);
	return 0;
}

void inflate_done(struct inflate *z)
{
	if (z->packing == PACKING_ZSTD)
		ZSTD_freeDCtx(z->state);
	else
		free(z->state);
	free(z->buf);
	z->state = NULL;
	z->buf = NULL;
}
