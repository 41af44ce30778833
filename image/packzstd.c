/* SPDX-License-Identifier: Apache-2.0 */
/* See packzstd.h. */
#include "image/packzstd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "image/digest.h"
#include "util/fd.h"
#include "util/mem.h"

enum { PIECE = 1 << 20, LEVEL = 6, PAYLOAD_AT = 4096, WINDOW_LOG_MAX = 27 };

/* ---- in ---- */

struct packer {
	ZSTD_CCtx *ctx;
	int plain, fd;
	uint8_t *in, *out;
	struct digest digest;
	struct pack_part *part;
};

/* Packs what is in `in`, and with `is_last` all that the library still holds. */
static int pack_piece(struct packer *p, size_t len, bool is_last, struct err *e)
{
	ZSTD_inBuffer in = { p->in, len, 0 };
	size_t left;
	do {
		ZSTD_outBuffer out = { p->out, PIECE, 0 };
		left = ZSTD_compressStream2(p->ctx, &out, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return err_new(e, EIO, "zstd: %s", ZSTD_getErrorName(left));
		ssize_t n = pwrite(p->fd, p->out, out.pos, (off_t)(p->part->offset + p->part->size));
		if (n != (ssize_t)out.pos)
			return n < 0 ? err_sys(e, "write") : err_new(e, ENOSPC, "write");
		digest_add(&p->digest, p->out, out.pos);
		p->part->size += out.pos;
	} while (is_last ? left != 0 : in.pos < in.size);
	return 0;
}

static int pack_all(struct packer *p, uint64_t size, struct err *e)
{
	for (uint64_t at = PACK_HEAD_SIZE; at < size;) {
		size_t want = size - at < PIECE ? (size_t)(size - at) : PIECE;
		ssize_t n = pread(p->plain, p->in, want, (off_t)at);
		if (n <= 0)
			return n < 0 ? err_sys(e, "read") : err_new(e, EIO, "shorter than it was");
		at += (uint64_t)n;
		int r = pack_piece(p, (size_t)n, at == size, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int pack_zstd(int plain, struct pack_head *head, int fd, struct err *e)
{
	free_auto uint8_t *in = mem_alloc(PIECE), *out = mem_alloc(PIECE);
	struct packer p = { .ctx = ZSTD_createCCtx(), .plain = plain, .fd = fd, .in = in, .out = out, .part = &head->zstd };
	if (!p.ctx)
		mem_out();
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	ZSTD_CCtx_setParameter(p.ctx, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(p.ctx, ZSTD_c_checksumFlag, 1);
	/* A library without threads refuses this, and works without. */
	ZSTD_CCtx_setParameter(p.ctx, ZSTD_c_nbWorkers, cpus > 1 ? (int)(cpus < 8 ? cpus : 8) : 0);
	head->zstd = (struct pack_part){ .offset = PAYLOAD_AT };
	digest_begin(&p.digest);
	int r = pack_all(&p, head->erofs_size, e);
	if (r == 0)
		digest_text(&p.digest, head->zstd.digest);
	digest_done(&p.digest);
	ZSTD_freeCCtx(p.ctx);
	return r;
}

/* ---- out ---- */

static int check_fill(int fd, struct err *e)
{
	uint8_t fill[PAYLOAD_AT - PACK_HEAD_SIZE];
	if (fd_read_at(fd, fill, sizeof(fill), PACK_HEAD_SIZE) != (ssize_t)sizeof(fill))
		return err_new(e, EBADMSG, "damaged: ends early");
	for (size_t i = 0; i < sizeof(fill); i++)
		if (fill[i])
			return err_new(e, EBADMSG, "damaged: bytes before the file system");
	return 0;
}

static int write_all(int fd, const uint8_t *p, size_t len, uint64_t at, struct err *e)
{
	ssize_t n = pwrite(fd, p, len, (off_t)at);
	return n == (ssize_t)len ? 0 : n < 0 ? err_sys(e, "write") : err_new(e, ENOSPC, "write");
}

static int unpack_all(ZSTD_DCtx *ctx, int fd, const struct pack_head *head, int plain, struct digest *d, uint8_t *in_buf,
		      uint8_t *out_buf, struct err *e)
{
	uint64_t at = PACK_HEAD_SIZE;
	size_t state = 1;
	for (uint64_t done = 0; done < head->zstd.size;) {
		size_t want = head->zstd.size - done < PIECE ? (size_t)(head->zstd.size - done) : PIECE;
		ssize_t n = pread(fd, in_buf, want, (off_t)(head->zstd.offset + done));
		if (n <= 0)
			return n < 0 ? err_sys(e, "read") : err_new(e, EBADMSG, "damaged: ends early");
		digest_add(d, in_buf, (size_t)n);
		done += (uint64_t)n;
		ZSTD_inBuffer in = { in_buf, (size_t)n, 0 };
		while (in.pos < in.size) {
			ZSTD_outBuffer out = { out_buf, PIECE, 0 };
			state = ZSTD_decompressStream(ctx, &out, &in);
			if (ZSTD_isError(state))
				return err_new(e, EBADMSG, "damaged: zstd: %s", ZSTD_getErrorName(state));
			if (out.pos > head->erofs_size - at)
				return err_new(e, EBADMSG, "damaged: unpacks to more than it says");
			int r = write_all(plain, out_buf, out.pos, at, e);
			if (r < 0)
				return r;
			at += out.pos;
		}
	}
	/* What the library could not put out at once comes without more input. */
	while (state != 0 && at < head->erofs_size) {
		ZSTD_inBuffer in = { in_buf, 0, 0 };
		ZSTD_outBuffer out = { out_buf, PIECE, 0 };
		state = ZSTD_decompressStream(ctx, &out, &in);
		if (ZSTD_isError(state) || !out.pos || out.pos > head->erofs_size - at)
			break;
		int r = write_all(plain, out_buf, out.pos, at, e);
		if (r < 0)
			return r;
		at += out.pos;
	}
	return at == head->erofs_size ? 0 : err_new(e, EBADMSG, "damaged: unpacks to less than it says");
}

int unpack_zstd(int fd, const struct pack_head *head, int plain, struct err *e)
{
	free_auto uint8_t *in = mem_alloc(PIECE), *out = mem_alloc(PIECE);
	char got[DIGEST_TEXT_MAX];
	struct digest d;
	int r = check_fill(fd, e);
	if (r < 0)
		return r;
	ZSTD_DCtx *ctx = ZSTD_createDCtx();
	if (!ctx)
		mem_out();
	ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	digest_begin(&d);
	r = unpack_all(ctx, fd, head, plain, &d, in, out, e);
	if (r == 0)
		digest_text(&d, got);
	if (r == 0 && strcmp(got, head->zstd.digest) != 0)
		r = err_new(e, EBADMSG, "damaged: digest mismatch: expected %s, got %s", head->zstd.digest, got);
	digest_done(&d);
	ZSTD_freeDCtx(ctx);
	return r;
}
