/* SPDX-License-Identifier: Apache-2.0 */
/* See treetar.h. */
#include "image/treetar.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/digest.h"
#include "image/erofsdisk.h"
#include "image/tarhead.h"
#include "util/fd.h"

enum { PIECE = 256 << 10 };

struct writer {
	const struct tree *t;
	tree_sink *sink;
	void *ctx;
	uint8_t *buf;
	size_t used;
	uint64_t bytes;
	struct str pax, head;
	char path[TAR_PATH_MAX + 4], link[TAR_PATH_MAX + 1];
};

static int flush(struct writer *w, struct err *e)
{
	int r = w->used ? w->sink(w->ctx, w->buf, w->used, e) : 0;
	w->bytes += w->used;
	w->used = 0;
	return r;
}

static int put(struct writer *w, const void *bytes, size_t len, struct err *e)
{
	for (const char *p = bytes; len;) {
		size_t n = PIECE - w->used < len ? PIECE - w->used : len;
		memcpy(w->buf + w->used, p, n);
		w->used += n;
		p += n;
		len -= n;
		int r = w->used == PIECE ? flush(w, e) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- one file's bytes ---- */

/* The fill behind the bytes of a file in an EROFS file, which is 0 as kist writes it. */
static int check_fill(const struct writer *w, const struct tree_inode *inode, struct err *e)
{
	uint64_t blocks = inode->is_inline ? inode->size & ~(uint64_t)(EROFS_BLOCK - 1) : inode->size;
	uint8_t fill[EROFS_BLOCK];
	size_t len = (size_t)(-blocks & (EROFS_BLOCK - 1));
	uint64_t at = (uint64_t)inode->block * EROFS_BLOCK + blocks;
	if (w->t->layers || !len)
		return 0;
	ssize_t n = pread(w->t->erofs, fill, len, (off_t)at);
	if (n < 0)
		return err_sys(e, "read");
	for (size_t i = 0; i < len; i++)
		if ((size_t)n != len || fill[i])
			return err_new(e, EBADMSG, "the fill behind its bytes is not 0");
	return 0;
}

static int put_data(struct writer *w, const struct tree_inode *inode, struct err *e)
{
	static const char zeros[TAR_BLOCK_SIZE];
	struct tree_data data;
	int r = tree_data_open(w->t, inode, &data, e);
	if (r < 0)
		return r;
	for (uint64_t done = 0; r == 0 && done < inode->size;) {
		size_t room = PIECE - w->used, n = inode->size - done < room ? (size_t)(inode->size - done) : room;
		r = tree_data_read(&data, done, w->buf + w->used, n, e);
		w->used += n;
		done += n;
		if (r == 0 && w->used == PIECE)
			r = flush(w, e);
	}
	tree_data_done(&data);
	if (r == 0)
		r = put(w, zeros, tar_pad(inode->size), e);
	return r;
}

/* ---- entries ---- */

static enum tar_type type_of(mode_t mode)
{
	static const enum tar_type types[16] = {
		[S_IFREG >> 12] = TAR_FILE, [S_IFDIR >> 12] = TAR_DIR, [S_IFLNK >> 12] = TAR_SYMLINK,
		[S_IFCHR >> 12] = TAR_CHAR, [S_IFBLK >> 12] = TAR_BLOCK, [S_IFIFO >> 12] = TAR_FIFO,
	};
	return types[mode >> 12 & 15];
}

static int put_entry(struct writer *w, const struct tree_node *node, struct err *e)
{
	const struct tree_inode *inode = node->inode;
	bool is_again = inode->first != node;
	struct tar_entry en = {
		.type = is_again ? TAR_HARDLINK : type_of(inode->mode), .path = w->path, .link = inode->target,
		.mode = inode->mode & 07777, .uid = inode->uid, .gid = inode->gid, .dev_major = inode->dev_major,
		.dev_minor = inode->dev_minor, .size = inode->size, .mtime = inode->mtime,
		.xattrs = inode->xattrs, .xattr_count = inode->xattr_count,
	};
	int r = tree_path(node, w->path, e);
	if (r == 0 && is_again)
		r = tree_path(inode->first, w->link, e);
	if (r < 0)
		return r;
	if (is_again)
		en.link = w->link;
	/* The root is "./", another directory "a/b/". */
	if (S_ISDIR(inode->mode))
		memcpy(w->path + strlen(w->path), node->parent ? "/" : "./", node->parent ? 2 : 3);
	w->head.len = 0;
	tar_head(&en, &w->pax, &w->head);
	return put(w, w->head.p, w->head.len, e);
}

static int put_node(struct writer *w, const struct tree_node *node, struct err *e)
{
	const struct tree_inode *inode = node->inode;
	int r = put_entry(w, node, e);
	if (r == 0 && inode->first == node && S_ISREG(inode->mode) && inode->size)
		r = put_data(w, inode, e);
	if (r == 0 && inode->first == node && (S_ISREG(inode->mode) || S_ISLNK(inode->mode)))
		r = check_fill(w, inode, e);
	if (r < 0)
		return err_at(e, r, "entry \"%.200s\"", w->path);
	for (size_t i = 0; r == 0 && i < node->kid_count; i++)
		r = put_node(w, node->kids[i], e);
	return r;
}

int tree_tar(const struct tree *t, tree_sink *sink, void *ctx, uint64_t *ret_size, struct err *e)
{
	static const char end[2 * TAR_BLOCK_SIZE];
	struct writer *w = mem_zero(1, sizeof(*w));
	w->t = t;
	w->sink = sink;
	w->ctx = ctx;
	w->buf = mem_alloc(PIECE);
	w->pax = STR_MAX(80 << 20);
	w->head = STR_MAX(81 << 20);
	int r = put_node(w, t->root, e);
	if (r == 0)
		r = put(w, end, sizeof(end), e);
	if (r == 0)
		r = flush(w, e);
	*ret_size = w->bytes;
	str_done(&w->pax);
	str_done(&w->head);
	free(w->buf);
	free(w);
	return r;
}

static int sink_write(void *ctx, const void *bytes, size_t len, struct err *e)
{
	int r = fd_write_all(*(const int *)ctx, bytes, len);
	return r < 0 ? err_ret(e, r, "write the archive") : 0;
}

int tree_tar_write(const struct tree *t, int out, struct err *e)
{
	uint64_t size;
	return tree_tar(t, sink_write, &out, &size, e);
}

static int sink_digest(void *ctx, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	digest_add(ctx, bytes, len);
	return 0;
}

int tree_tar_digest(const struct tree *t, char ret_digest[static DIGEST_TEXT_MAX], uint64_t *ret_size, struct err *e)
{
	struct digest d;
	digest_begin(&d);
	int r = tree_tar(t, sink_digest, &d, ret_size, e);
	if (r == 0)
		digest_text(&d, ret_digest);
	digest_done(&d);
	return r;
}
