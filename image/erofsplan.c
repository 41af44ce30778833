/* SPDX-License-Identifier: Apache-2.0 */
/* See erofsplan.h. */
#include "image/erofsplan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "image/erofsdisk.h"
#include "util/mem.h"

static uint64_t round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

void erofs_plan_done(struct erofs_plan *plan)
{
	free(plan->order);
	*plan = (struct erofs_plan){ .order = NULL };
}

uint64_t erofs_block_bytes(const struct tree_inode *inode)
{
	return inode->is_inline ? inode->size & ~(uint64_t)(EROFS_BLOCK - 1) : inode->size;
}

static uint32_t block_count(const struct tree_inode *inode)
{
	return (uint32_t)(round_up(erofs_block_bytes(inode), EROFS_BLOCK) / EROFS_BLOCK);
}

/* ---- directories: "." and ".." are entries like others, in their place of the order ---- */

struct row {
	const char *name;
	const struct tree_inode *inode;
};

/* The rows of a directory, sorted. The caller frees. */
static struct row *dir_rows(const struct tree_node *dir, size_t *ret_count)
{
	const struct tree_node *up = dir->parent ? dir->parent : dir;
	const struct row dots[2] = { { ".", dir->inode }, { "..", up->inode } };
	struct row *rows = mem_alloc((dir->kid_count + 2) * sizeof(*rows));
	size_t n = 0, dot = 0;
	for (size_t i = 0; i < dir->kid_count; i++) {
		while (dot < 2 && strcmp(dots[dot].name, dir->kids[i]->name) < 0)
			rows[n++] = dots[dot++];
		rows[n++] = (struct row){ dir->kids[i]->name, dir->kids[i]->inode };
	}
	while (dot < 2)
		rows[n++] = dots[dot++];
	*ret_count = n;
	return rows;
}

/* How many rows from `at` on go into one block, and how many bytes they take. */
static size_t rows_in_block(const struct row *rows, size_t count, size_t *ret_bytes)
{
	size_t n = 0, used = 0;
	for (; n < count; n++) {
		size_t more = sizeof(struct erofs_dirent) + strlen(rows[n].name);
		if (used + more > EROFS_BLOCK)
			break;
		used += more;
	}
	*ret_bytes = used;
	return n;
}

static uint64_t dir_size(const struct tree_node *dir)
{
	size_t count, bytes = 0;
	uint64_t size = 0;
	struct row *rows = dir_rows(dir, &count);
	for (size_t at = 0; at < count;) {
		size = round_up(size, EROFS_BLOCK);
		at += rows_in_block(rows + at, count - at, &bytes);
		size += bytes;
	}
	free(rows);
	return size;
}

static uint8_t file_type(mode_t mode)
{
	static const uint8_t types[16] = { [S_IFREG >> 12] = 1, [S_IFDIR >> 12] = 2, [S_IFCHR >> 12] = 3,
					   [S_IFBLK >> 12] = 4, [S_IFIFO >> 12] = 5, [S_IFLNK >> 12] = 7 };
	return types[mode >> 12 & 15];
}

static void fill_dir_block(const struct row *rows, size_t count, uint8_t *out)
{
	size_t name_at = count * sizeof(struct erofs_dirent);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(rows[i].name);
		struct erofs_dirent d = {
			.nid = htole64(rows[i].inode->at / EROFS_SLOT),
			.name_at = htole16((uint16_t)name_at),
			.type = file_type(rows[i].inode->mode),
		};
		memcpy(out + i * sizeof(d), &d, sizeof(d));
		memcpy(out + name_at, rows[i].name, len);
		name_at += len;
	}
}

static void fill_dir(const struct tree_inode *inode, uint8_t *meta)
{
	size_t count, bytes;
	struct row *rows = dir_rows(inode->first, &count);
	uint64_t whole = erofs_block_bytes(inode);
	for (uint64_t at = 0, done = 0; done < count; at += EROFS_BLOCK) {
		size_t n = rows_in_block(rows + done, count - done, &bytes);
		fill_dir_block(rows + done, n,
			       at < whole ? meta + (uint64_t)inode->block * EROFS_BLOCK + at : meta + inode->tail_at);
		done += n;
	}
	free(rows);
}

/* ---- xattrs ---- */

/* What is left of a name behind its prefix, and the prefix's number; NULL: EROFS has no number for it. */
static const char *split_name(const char *name, uint8_t *ret_number)
{
	for (size_t i = 0; i < ARRAY_LEN(erofs_prefixes); i++) {
		size_t len = strlen(erofs_prefixes[i].text);
		if (strncmp(name, erofs_prefixes[i].text, len) == 0) {
			*ret_number = erofs_prefixes[i].number;
			return name + len;
		}
	}
	return NULL;
}

/* The bytes behind an inode; 0 for none; UINT64_MAX: the format cannot hold them. */
static uint64_t xattr_bytes(const struct tree_inode *inode)
{
	uint64_t n = inode->xattr_count ? sizeof(struct erofs_xattr_head) : 0;
	for (size_t i = 0; i < inode->xattr_count; i++) {
		const struct tar_xattr *x = &inode->xattrs[i];
		uint8_t number;
		const char *name = split_name(x->name, &number);
		if (!name || strlen(name) > 255 || x->len > EROFS_XATTR_MAX)
			return UINT64_MAX;
		n += round_up(sizeof(struct erofs_xattr) + strlen(name) + x->len, 4);
	}
	return n <= sizeof(struct erofs_xattr_head) + 4 * (uint64_t)(UINT16_MAX - 1) ? n : UINT64_MAX;
}

static void fill_xattrs(const struct tree_inode *inode, uint8_t *out)
{
	out += sizeof(struct erofs_xattr_head);
	for (size_t i = 0; i < inode->xattr_count; i++) {
		const struct tar_xattr *x = &inode->xattrs[i];
		struct erofs_xattr head = { .value_len = htole16((uint16_t)x->len) };
		const char *name = split_name(x->name, &head.prefix);
		if (!name)
			continue;
		head.name_len = (uint8_t)strlen(name);
		memcpy(out, &head, sizeof(head));
		memcpy(out + sizeof(head), name, head.name_len);
		memcpy(out + sizeof(head) + head.name_len, x->value, x->len);
		out += round_up(sizeof(head) + head.name_len + x->len, 4);
	}
}

/* ---- places ---- */

static int place_inode(struct tree_inode *inode, uint64_t *at, struct err *e)
{
	uint64_t xattrs = xattr_bytes(inode);
	if (xattrs == UINT64_MAX)
		return err_new(e, E2BIG, "its xattrs: more, or others, than EROFS can hold");
	if (S_ISDIR(inode->mode))
		inode->size = dir_size(inode->first);
	uint64_t head = sizeof(struct erofs_inode) + xattrs, tail = inode->size % EROFS_BLOCK;
	inode->is_inline = tail && tail <= EROFS_TAIL_MAX && head + tail <= EROFS_BLOCK;
	/* What begins in a block and may not cross its end: the inode itself, and a tail. */
	uint64_t whole = inode->is_inline ? head + tail : sizeof(struct erofs_inode);
	*at = round_up(*at, EROFS_SLOT);
	if (*at % EROFS_BLOCK + whole > EROFS_BLOCK)
		*at = round_up(*at, EROFS_BLOCK);
	inode->at = *at;
	inode->tail_at = *at + head;
	*at += inode->is_inline ? head + tail : head;
	return 0;
}

/* Preorder: a directory, then what is in it; a file at the first of its names. */
static int place_tree(struct tree_node *node, struct erofs_plan *plan, uint64_t *at, struct err *e)
{
	if (node->inode->at)
		return 0;
	int r = place_inode(node->inode, at, e);
	plan->order[plan->count++] = node->inode;
	for (size_t i = 0; r == 0 && i < node->kid_count; i++)
		if ((r = place_tree(node->kids[i], plan, at, e)) < 0)
			err_at(e, r, "%.200s", node->kids[i]->name);
	return r;
}

/* Places that a tree has from elsewhere do not count. */
static void clear_places(const struct tree_node *node)
{
	node->inode->at = 0;
	for (size_t i = 0; i < node->kid_count; i++)
		clear_places(node->kids[i]);
}

static uint64_t place_blocks(const struct erofs_plan *plan, bool is_dirs, uint64_t block)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct tree_inode *inode = plan->order[i];
		uint32_t n = block_count(inode);
		if (S_ISDIR(inode->mode) != is_dirs || !n)
			continue;
		inode->block = (uint32_t)block;
		block += n;
	}
	return block;
}

/* Sizes are somebody's word until here: their sum must be one of blocks that have numbers. */
static bool is_small_enough(const struct erofs_plan *plan)
{
	uint64_t blocks = 0;
	for (size_t i = 0; i < plan->count; i++) {
		blocks += plan->order[i]->size / EROFS_BLOCK + 1;
		if (blocks > UINT32_MAX / 2)
			return false;
	}
	return true;
}

int erofs_plan(struct tree *t, struct erofs_plan *ret_plan, struct err *e)
{
	erofs_plan_auto struct erofs_plan plan = { .order = mem_alloc(t->names * sizeof(struct tree_inode *)) };
	uint64_t at = EROFS_ROOT_AT;
	clear_places(t->root);
	int r = place_tree(t->root, &plan, &at, e);
	if (r < 0)
		return r;
	if (!is_small_enough(&plan))
		return err_new(e, EFBIG, "more than 8 TiB");
	uint64_t block = place_blocks(&plan, true, round_up(at, EROFS_BLOCK) / EROFS_BLOCK);
	plan.meta_bytes = block * EROFS_BLOCK;
	plan.blocks = place_blocks(&plan, false, block);
	*ret_plan = plan;
	plan.order = NULL;
	return 0;
}

/* ---- bytes ---- */

/* The kernel's encoding of a device number: 12 bits of major between 20 bits of minor. */
static uint32_t device(const struct tree_inode *inode)
{
	return (inode->dev_minor & 0xff) | inode->dev_major << 8 | (inode->dev_minor & ~0xffu) << 12;
}

static void fill_inode(const struct tree_inode *inode, size_t number, uint8_t *meta)
{
	uint64_t xattrs = xattr_bytes(inode);
	bool is_device = S_ISCHR(inode->mode) || S_ISBLK(inode->mode);
	struct erofs_inode d = {
		.format = htole16(inode->is_inline ? EROFS_INLINE : EROFS_PLAIN),
		.xattr_units = htole16(xattrs ? (uint16_t)((xattrs - sizeof(struct erofs_xattr_head)) / 4 + 1) : 0),
		.mode = htole16((uint16_t)inode->mode),
		.size = htole64(inode->size),
		.u = htole32(is_device ? device(inode) : inode->block),
		.ino = htole32((uint32_t)number),
		.uid = htole32(inode->uid),
		.gid = htole32(inode->gid),
		.mtime = htole64((uint64_t)inode->mtime.tv_sec),
		.mtime_nsec = htole32((uint32_t)inode->mtime.tv_nsec),
		.links = htole32(inode->links),
	};
	memcpy(meta + inode->at, &d, sizeof(d));
	if (xattrs)
		fill_xattrs(inode, meta + inode->at + sizeof(d));
	if (S_ISDIR(inode->mode))
		fill_dir(inode, meta);
	/* A target that has blocks of its own lies behind the metadata, with the files. */
	if (S_ISLNK(inode->mode) && inode->is_inline && inode->size < EROFS_BLOCK)
		memcpy(meta + inode->tail_at, inode->target, inode->size);
}

void erofs_fill(const struct tree *t, const struct erofs_plan *plan, uint8_t *meta)
{
	struct erofs_super super = {
		.magic = htole32(EROFS_MAGIC),
		.feature_compat = htole32(EROFS_COMPAT_CHECKSUM | EROFS_COMPAT_MTIME),
		.block_bits = 12,
		.root_nid = htole16((uint16_t)(t->root->inode->at / EROFS_SLOT)),
		.inodes = htole64(plan->count),
		.blocks = htole32((uint32_t)plan->blocks),
	};
	memcpy(meta + EROFS_SUPER_AT, &super, sizeof(super));
	for (size_t i = 0; i < plan->count; i++)
		fill_inode(plan->order[i], i + 1, meta);
}

/* CRC-32C without the last inversion, from the superblock to the end of its block, its own field being 0. */
void erofs_seal(uint8_t *meta)
{
	uint32_t crc = ~0u;
	memset(meta + EROFS_SUPER_AT + 4, 0, 4);
	for (size_t i = EROFS_SUPER_AT; i < EROFS_BLOCK; i++) {
		crc ^= meta[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
	}
	crc = htole32(crc);
	memcpy(meta + EROFS_SUPER_AT + 4, &crc, 4);
}
