/* SPDX-License-Identifier: Apache-2.0 */
/* See erofswrite.h. */
#include "image/erofswrite.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/erofsdisk.h"
#include "image/erofsplan.h"
#include "util/mem.h"

enum { PIECE = 1 << 20 };

/* Bytes on their way into the file, in their order; a piece of nothing but zeros stays a hole. */
struct out {
	int fd;
	uint64_t at; /* of the piece in the file */
	uint8_t *piece;
	size_t used;
};

static bool is_zero(const uint8_t *p, size_t len)
{
	return !len || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static int write_at(int fd, const uint8_t *p, size_t len, uint64_t at, struct err *e)
{
	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)at);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "write");
		if (n > 0) {
			p += n;
			at += (uint64_t)n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int flush(struct out *o, struct err *e)
{
	int r = is_zero(o->piece, o->used) ? 0 : write_at(o->fd, o->piece, o->used, o->at, e);
	o->at += o->used;
	o->used = 0;
	return r;
}

static int put_zeros(struct out *o, size_t len, struct err *e)
{
	if (o->used + len > PIECE) {
		int r = flush(o, e);
		if (r < 0)
			return r;
	}
	memset(o->piece + o->used, 0, len);
	o->used += len;
	return 0;
}

/* The part of a file that lies in blocks, the last of them filled up. */
static int put_blocks(struct out *o, const struct tree_data *data, uint64_t size, struct err *e)
{
	for (uint64_t done = 0; done < size;) {
		size_t n = size - done < PIECE - o->used ? (size_t)(size - done) : PIECE - o->used;
		int r = tree_data_read(data, done, o->piece + o->used, n, e);
		o->used += n;
		done += n;
		if (r == 0 && o->used == PIECE)
			r = flush(o, e);
		if (r < 0)
			return r;
	}
	return put_zeros(o, (size_t)(-size & (EROFS_BLOCK - 1)), e);
}

static int put_file(struct out *o, const struct tree *t, const struct tree_inode *inode, uint8_t *meta, struct err *e)
{
	struct tree_data data;
	uint64_t blocks = erofs_block_bytes(inode);
	int r = tree_data_open(t, inode, &data, e);
	if (r < 0)
		return r;
	r = put_blocks(o, &data, blocks, e);
	if (r == 0)
		r = tree_data_read(&data, blocks, meta + inode->tail_at, (size_t)(inode->size - blocks), e);
	tree_data_done(&data);
	return r < 0 ? err_at(e, r, "%.200s", inode->origin ? inode->origin->name : "") : 0;
}

/* A link's target that is too long to lie behind its inode. */
static int put_target(struct out *o, const struct tree_inode *inode, struct err *e)
{
	if (o->used + EROFS_BLOCK > PIECE) {
		int r = flush(o, e);
		if (r < 0)
			return r;
	}
	memset(o->piece + o->used, 0, EROFS_BLOCK);
	memcpy(o->piece + o->used, inode->target, inode->size);
	o->used += EROFS_BLOCK;
	return 0;
}

static int put_all(struct out *o, const struct tree *t, const struct erofs_plan *plan, uint8_t *meta, struct err *e)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < plan->count; i++) {
		const struct tree_inode *inode = plan->order[i];
		if (S_ISREG(inode->mode) && inode->size)
			r = put_file(o, t, inode, meta, e);
		else if (S_ISLNK(inode->mode) && erofs_block_bytes(inode))
			r = put_target(o, inode, e);
	}
	return r < 0 ? r : flush(o, e);
}

int erofs_write(struct tree *t, int fd, uint64_t *ret_size, struct err *e)
{
	erofs_plan_auto struct erofs_plan plan = { .order = NULL };
	int r = erofs_plan(t, &plan, e);
	if (r < 0)
		return r;
	free_auto uint8_t *meta = mem_zero(1, plan.meta_bytes);
	free_auto uint8_t *piece = mem_alloc(PIECE);
	struct out o = { .fd = fd, .at = plan.meta_bytes, .piece = piece };
	erofs_fill(t, &plan, meta);
	if (ftruncate(fd, (off_t)(plan.blocks * EROFS_BLOCK)) < 0)
		return err_sys(e, "write");
	if ((r = put_all(&o, t, &plan, meta, e)) < 0)
		return r;
	erofs_seal(meta);
	*ret_size = plan.blocks * EROFS_BLOCK;
	return write_at(fd, meta + EROFS_SUPER_AT, plan.meta_bytes - EROFS_SUPER_AT, EROFS_SUPER_AT, e);
}
