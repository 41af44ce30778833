/* SPDX-License-Identifier: Apache-2.0 */
/* See erofsread.h. */
#include "image/erofsread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/erofsdisk.h"
#include "image/erofsplan.h"
#include "image/inodes.h"
#include "image/meta.h"
#include "util/mem.h"

enum { WINDOW = 256 << 10 };

struct reader {
	struct tree *t;
	int fd;
	uint64_t size;
	/* what the file has room for; each is counted down */
	uint64_t names, inodes, xattrs, bytes;
	struct inodes seen; /* by place */
	uint8_t *window;
	uint64_t window_at;
	size_t window_len;
};

static int bad(struct err *e, const char *what)
{
	return err_new(e, EBADMSG, "%s", what);
}

/* Copies bytes of the file, which may lie anywhere; beyond its end is an error. */
static int get(struct reader *r, uint64_t at, void *out, size_t len, struct err *e)
{
	if (at > r->size || len > r->size - at)
		return bad(e, "leads beyond the end of the file");
	for (char *p = out; len;) {
		if (at < r->window_at || at >= r->window_at + r->window_len) {
			ssize_t n = pread(r->fd, r->window, WINDOW, (off_t)at);
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return n < 0 ? err_sys(e, "read") : bad(e, "ends early");
			r->window_at = at;
			r->window_len = (size_t)n;
		}
		size_t off = (size_t)(at - r->window_at), n = r->window_len - off < len ? r->window_len - off : len;
		memcpy(p, r->window + off, n);
		p += n;
		at += n;
		len -= n;
	}
	return 0;
}

static bool take(uint64_t *left, uint64_t n)
{
	if (n > *left)
		return false;
	*left -= n;
	return true;
}

/* ---- one inode ---- */

static const char *prefix_text(uint8_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(erofs_prefixes); i++)
		if (erofs_prefixes[i].number == number)
			return erofs_prefixes[i].text;
	return NULL;
}

static int read_xattr(struct reader *r, uint64_t *at, uint64_t end, struct tar_xattr *ret, struct err *e)
{
	struct erofs_xattr head;
	char name[256 + 32] = "";
	int n = get(r, *at, &head, sizeof(head), e);
	if (n < 0)
		return n;
	const char *prefix = prefix_text(head.prefix);
	size_t len = le16toh(head.value_len), total = sizeof(head) + head.name_len + len;
	if (!prefix || total > end - *at)
		return bad(e, "a wrong xattr");
	size_t front = strlen(prefix);
	memcpy(name, prefix, front);
	char *value = arena_alloc(&r->t->arena, len + 1);
	if ((n = get(r, *at + sizeof(head), name + front, head.name_len, e)) < 0 ||
	    (n = get(r, *at + sizeof(head) + head.name_len, value, len, e)) < 0)
		return n;
	if (strlen(name) != front + head.name_len || !meta_xattr_is_kept(name))
		return bad(e, "an xattr that no layer may have");
	*ret = (struct tar_xattr){ arena_str(&r->t->arena, name), value, len };
	*at += (total + 3) & ~(size_t)3;
	return 0;
}

static int read_xattrs(struct reader *r, struct tree_inode *inode, uint64_t at, uint64_t bytes, struct err *e)
{
	uint64_t end = at + bytes;
	if (!take(&r->xattrs, bytes))
		return bad(e, "more xattrs than the file has room for");
	struct tar_xattr *rows = NULL;
	int n = 0;
	at += sizeof(struct erofs_xattr_head);
	while (n == 0 && at < end && end - at >= sizeof(struct erofs_xattr)) {
		if (inode->xattr_count == PAX_XATTRS_MAX)
			return bad(e, "too many xattrs");
		if (!(inode->xattr_count & (inode->xattr_count - 1))) {
			struct tar_xattr *more =
				arena_array(&r->t->arena, inode->xattr_count ? inode->xattr_count * 2 : 1, sizeof(*more));
			if (rows)
				memcpy(more, rows, inode->xattr_count * sizeof(*more));
			rows = more;
		}
		n = read_xattr(r, &at, end, &rows[inode->xattr_count], e);
		if (n == 0 && inode->xattr_count &&
		    strcmp(rows[inode->xattr_count - 1].name, rows[inode->xattr_count].name) >= 0)
			n = bad(e, "xattrs are not sorted");
		inode->xattr_count += n == 0;
	}
	inode->xattrs = rows;
	return n;
}

static int read_target(struct reader *r, struct tree_inode *inode, struct err *e)
{
	char target[TAR_PATH_MAX + 1];
	struct tree_data data = { .inode = inode, .fd = r->fd, .own_fd = -1 };
	if (!inode->size || inode->size > TAR_PATH_MAX)
		return bad(e, "a link's target is empty or too long");
	int n = tree_data_read(&data, 0, target, inode->size, e);
	if (n < 0)
		return n;
	if (memchr(target, '\0', inode->size))
		return bad(e, "a link's target has a NUL");
	inode->target = arena_strn(&r->t->arena, target, inode->size);
	return 0;
}

/* The file's own word for where its bytes are: inside of it. */
static bool lies_inside(const struct reader *r, const struct tree_inode *inode)
{
	uint64_t blocks = erofs_block_bytes(inode), at = (uint64_t)inode->block * EROFS_BLOCK;
	return (!blocks || (at <= r->size && blocks <= r->size - at)) &&
	       (!inode->is_inline || (inode->tail_at <= r->size && inode->size - blocks <= r->size - inode->tail_at));
}

static bool is_known_type(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode);
}

static void set_device(struct tree_inode *inode, uint32_t u)
{
	inode->dev_major = (u & 0xfff00) >> 8;
	inode->dev_minor = (u & 0xff) | (u >> 12 & 0xfff00);
}

static int read_inode(struct reader *r, uint64_t at, const struct tree_node *node, struct tree_inode *inode,
		      struct err *e)
{
	struct erofs_inode d;
	int n = get(r, at, &d, sizeof(d), e);
	if (n < 0)
		return n;
	uint16_t format = le16toh(d.format), units = le16toh(d.xattr_units);
	uint64_t xattrs = units ? sizeof(struct erofs_xattr_head) + 4 * ((uint64_t)units - 1) : 0;
	*inode = (struct tree_inode){
		.mode = le16toh(d.mode), .uid = le32toh(d.uid), .gid = le32toh(d.gid), .size = le64toh(d.size),
		.mtime = { (time_t)le64toh(d.mtime), (long)le32toh(d.mtime_nsec) }, .origin = node,
		.tail_at = at + sizeof(d) + xattrs, .is_inline = format == EROFS_INLINE,
	};
	bool has_bytes = S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode);
	if ((format != EROFS_PLAIN && format != EROFS_INLINE) || !is_known_type(inode->mode) ||
	    inode->mtime.tv_nsec >= 1000000000)
		return bad(e, "an inode that kist does not write");
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode))
		set_device(inode, le32toh(d.u));
	else
		inode->block = le32toh(d.u);
	/* To overlayfs, it is a whiteout. */
	if (S_ISCHR(inode->mode) && !inode->dev_major && !inode->dev_minor)
		return bad(e, "a whiteout");
	if ((!has_bytes && inode->size) || !lies_inside(r, inode) || !take(&r->bytes, inode->size))
		return bad(e, "more bytes than the file has");
	n = xattrs ? read_xattrs(r, inode, at + sizeof(d), xattrs, e) : 0;
	return n < 0 || !S_ISLNK(inode->mode) ? n : read_target(r, inode, e);
}

/* ---- directories ---- */

static int read_node(struct reader *r, struct tree_node *node, uint64_t at, int depth, struct err *e);

/* A whiteout's name would delete what is beside it, once the tree is a layer. */
static bool is_name(const char *name, size_t len)
{
	return len && len <= EROFS_NAME_MAX && !memchr(name, '/', len) && !memchr(name, '\0', len) &&
	       (len < 4 || memcmp(name, ".wh.", 4) != 0);
}

/* Names in one block, in the order of the block; "." and ".." are left to the comparison. */
static int read_block(struct reader *r, struct tree_node *node, const uint8_t *block, size_t len, uint64_t **nids,
		      size_t *room, struct err *e)
{
	struct erofs_dirent d;
	if (len < sizeof(d))
		return bad(e, "a directory's block is too short");
	memcpy(&d, block, sizeof(d));
	size_t first = le16toh(d.name_at), count = first / sizeof(d);
	if (!count || first % sizeof(d) || first > len)
		return bad(e, "a directory's block has a wrong beginning");
	for (size_t i = 0; i < count; i++) {
		struct erofs_dirent next = { .name_at = htole16((uint16_t)len) };
		memcpy(&d, block + i * sizeof(d), sizeof(d));
		if (i + 1 < count)
			memcpy(&next, block + (i + 1) * sizeof(d), sizeof(d));
		size_t from = le16toh(d.name_at), to = le16toh(next.name_at);
		if (from < first || to < from || to > len)
			return bad(e, "a directory's names are out of order");
		const char *name = (const char *)block + from;
		size_t name_len = to - from;
		/* The last name of a whole block may end before it. */
		if (i + 1 == count)
			name_len = strnlen(name, name_len);
		if (!is_name(name, name_len))
			return bad(e, "a name that is none");
		if (name[0] == '.' && (name_len == 1 || (name_len == 2 && name[1] == '.')))
			continue;
		if (!take(&r->names, 1))
			return bad(e, "more names than the file has room for");
		if (node->kid_count == *room) {
			*room = *room ? *room * 2 : 16;
			node->kids = mem_grow(node->kids, *room * sizeof(struct tree_node *));
			*nids = mem_grow(*nids, *room * sizeof(**nids));
		}
		struct tree_node *kid = tree_node_new(r->t, node, name, name_len);
		if (node->kid_count && strcmp(node->kids[node->kid_count - 1]->name, kid->name) >= 0)
			return bad(e, "a directory is not sorted");
		(*nids)[node->kid_count] = le64toh(d.nid);
		node->kids[node->kid_count++] = kid;
	}
	return 0;
}

static int read_names(struct reader *r, struct tree_node *node, uint64_t **nids, struct err *e)
{
	const struct tree_inode *inode = node->inode;
	struct tree_data data = { .inode = inode, .fd = r->fd, .own_fd = -1 };
	uint8_t block[EROFS_BLOCK];
	size_t room = 0;
	int n = 0;
	for (uint64_t at = 0; n == 0 && at < inode->size; at += EROFS_BLOCK) {
		size_t len = inode->size - at < EROFS_BLOCK ? (size_t)(inode->size - at) : EROFS_BLOCK;
		n = tree_data_read(&data, at, block, len, e);
		if (n == 0)
			n = read_block(r, node, block, len, nids, &room, e);
	}
	/* The list moves into the arena, also when it is of no use any more. */
	struct tree_node **kids = arena_array(&r->t->arena, node->kid_count, sizeof(*kids));
	if (node->kid_count)
		memcpy(kids, node->kids, node->kid_count * sizeof(*kids));
	free(node->kids);
	node->kids = kids;
	return n;
}

static int read_dir(struct reader *r, struct tree_node *node, int depth, struct err *e)
{
	free_auto uint64_t *nids = NULL;
	if (depth > TREE_DEPTH_MAX)
		return bad(e, "directories are too deep");
	int n = read_names(r, node, &nids, e);
	for (size_t i = 0; n == 0 && i < node->kid_count; i++) {
		uint64_t nid = nids[i];
		n = nid > r->size / EROFS_SLOT ? bad(e, "leads beyond the end of the file") :
						 read_node(r, node->kids[i], nid * EROFS_SLOT, depth + 1, e);
		if (n < 0)
			err_at(e, n, "%.100s", node->kids[i]->name);
	}
	return n;
}

static int read_node(struct reader *r, struct tree_node *node, uint64_t at, int depth, struct err *e)
{
	static const char nowhere[] = "an inode lies where none can be";
	if (at < EROFS_ROOT_AT)
		return bad(e, nowhere);
	struct inodes_row *seen = inodes_row(&r->seen, 0, at);
	node->inode = seen->of;
	if (node->inode)
		return S_ISDIR(node->inode->mode) ? bad(e, "a directory has two names") : 0;
	if (!take(&r->inodes, 1))
		return bad(e, nowhere);
	node->inode = seen->of = arena_new(&r->t->arena, struct tree_inode);
	int n = read_inode(r, at, node, node->inode, e);
	if (n < 0 || !S_ISDIR(node->inode->mode))
		return n;
	return read_dir(r, node, depth, e);
}

/* ---- the comparison ---- */

/* The bytes up to the first file's block, as kist would write them for this tree, against the file's. */
static int compare(struct reader *r, struct err *e)
{
	erofs_plan_auto struct erofs_plan plan = { .order = NULL };
	struct tree *t = r->t;
	int n = erofs_plan(t, &plan, e);
	if (n < 0)
		return n;
	if (plan.blocks * EROFS_BLOCK != r->size)
		return bad(e, "has not the size that kist gives it");
	free_auto uint8_t *meta = mem_zero(1, plan.meta_bytes);
	free_auto uint8_t *piece = mem_alloc(WINDOW);
	erofs_fill(t, &plan, meta);
	for (size_t i = 0; n == 0 && i < plan.count; i++) {
		const struct tree_inode *inode = plan.order[i];
		if (S_ISREG(inode->mode) && inode->is_inline)
			n = get(r, inode->tail_at, meta + inode->tail_at, inode->size - erofs_block_bytes(inode), e);
	}
	if (n == 0)
		erofs_seal(meta);
	for (uint64_t at = EROFS_SUPER_AT; n == 0 && at < plan.meta_bytes;) {
		size_t len = plan.meta_bytes - at < WINDOW ? (size_t)(plan.meta_bytes - at) : WINDOW;
		n = get(r, at, piece, len, e);
		if (n == 0 && memcmp(piece, meta + at, len) != 0)
			n = bad(e, "is not as kist writes it");
		at += len;
	}
	return n;
}

int tree_from_erofs(struct tree *t, int fd, uint64_t size, struct err *e)
{
	struct erofs_super super;
	struct reader r = {
		.t = t, .fd = fd, .size = size, .names = size / sizeof(struct erofs_dirent),
		.inodes = size / sizeof(struct erofs_inode), .xattrs = size, .bytes = size,
		.window = mem_alloc(WINDOW),
	};
	r.names = r.names < TREE_NAMES_MAX ? r.names : TREE_NAMES_MAX;
	t->erofs = fd;
	t->root = tree_node_new(t, NULL, "", 0);
	int n = get(&r, EROFS_SUPER_AT, &super, sizeof(super), e);
	if (n == 0 && (le32toh(super.magic) != EROFS_MAGIC || le16toh(super.root_nid) * EROFS_SLOT != EROFS_ROOT_AT))
		n = bad(e, "has no superblock of kist's");
	if (n == 0)
		n = read_node(&r, t->root, EROFS_ROOT_AT, 0, e);
	if (n == 0 && !S_ISDIR(t->root->inode->mode))
		n = bad(e, "its root is no directory");
	if (n == 0) {
		tree_count_links(t);
		n = compare(&r, e);
	}
	inodes_done(&r.seen);
	free(r.window);
	return n < 0 ? err_at(e, n, "EROFS file system") : 0;
}
