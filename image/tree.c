/* SPDX-License-Identifier: Apache-2.0 */
/* See tree.h. */
#include "image/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/erofsdisk.h"
#include "util/fd.h"
#include "util/path.h"

void tree_done(struct tree *t)
{
	arena_done(&t->arena);
	*t = TREE_NONE;
}

struct tree_node *tree_node_new(struct tree *t, const struct tree_node *parent, const char *name, size_t len)
{
	struct tree_node *node = arena_new(&t->arena, struct tree_node);
	node->name = arena_strn(&t->arena, name, len);
	node->parent = parent;
	return node;
}

static void clear_links(const struct tree_node *node)
{
	node->inode->links = 0;
	node->inode->first = NULL;
	for (size_t i = 0; i < node->kid_count; i++)
		clear_links(node->kids[i]);
}

static size_t count_links(const struct tree_node *node)
{
	if (!node->inode->first)
		node->inode->first = node;
	bool is_dir = S_ISDIR(node->inode->mode);
	size_t names = 1;
	node->inode->links += is_dir ? 2 : 1;
	for (size_t i = 0; i < node->kid_count; i++) {
		node->inode->links += S_ISDIR(node->kids[i]->inode->mode);
		names += count_links(node->kids[i]);
	}
	return names;
}

void tree_count_links(struct tree *t)
{
	clear_links(t->root);
	t->names = count_links(t->root);
}

int tree_path(const struct tree_node *node, char out[static TAR_PATH_MAX + 1], struct err *e)
{
	size_t len = 0;
	for (const struct tree_node *n = node; n->parent; n = n->parent)
		len += strlen(n->name) + (len > 0);
	if (len > TAR_PATH_MAX)
		return err_new(e, ENAMETOOLONG, "entry \"...%.100s\": its path has more than %d bytes", node->name,
			       TAR_PATH_MAX);
	out[len] = '\0';
	for (const struct tree_node *n = node; n->parent; n = n->parent) {
		size_t part = strlen(n->name);
		len -= part;
		memcpy(out + len, n->name, part);
		if (len)
			out[--len] = '/';
	}
	return 0;
}

static int compare_xattrs(const void *a, const void *b)
{
	const struct tar_xattr *x = a, *y = b;
	return strcmp(x->name, y->name);
}

void tree_sort_xattrs(struct tar_xattr *rows, size_t count)
{
	if (count > 1)
		qsort(rows, count, sizeof(*rows), compare_xattrs);
}

int tree_data_open(const struct tree *t, const struct tree_inode *inode, struct tree_data *ret, struct err *e)
{
	char path[TAR_PATH_MAX + 1];
	*ret = (struct tree_data){ .inode = inode, .fd = t->erofs, .own_fd = -1 };
	if (!t->layers)
		return 0;
	int r = tree_path(inode->origin, path, e);
	if (r < 0)
		return r;
	ret->fd = ret->own_fd = path_open(t->layers[inode->layer], path, PATH_BENEATH,
					  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	return ret->fd < 0 ? err_ret(e, ret->fd, "entry \"%.200s\"", path) : 0;
}

void tree_data_done(struct tree_data *d)
{
	fd_drop(&d->own_fd);
}

static int read_at(int fd, void *buf, size_t len, uint64_t at, struct err *e)
{
	ssize_t n = fd_read_at(fd, buf, len, at);
	if (n < 0)
		return err_ret(e, (int)n, "read");
	return (size_t)n < len ? err_new(e, EIO, "shorter than it was") : 0;
}

int tree_data_read(const struct tree_data *d, uint64_t offset, void *buf, size_t len, struct err *e)
{
	const struct tree_inode *inode = d->inode;
	if (d->own_fd >= 0)
		return read_at(d->fd, buf, len, offset, e);
	/* In an EROFS file: whole blocks, then what may lie behind the inode. */
	uint64_t blocks = inode->is_inline ? inode->size & ~(uint64_t)(EROFS_BLOCK - 1) : inode->size;
	size_t front = offset >= blocks ? 0 : blocks - offset < len ? (size_t)(blocks - offset) : len;
	int r = read_at(d->fd, buf, front, (uint64_t)inode->block * EROFS_BLOCK + offset, e);
	if (r == 0)
		r = read_at(d->fd, (char *)buf + front, len - front, inode->tail_at + (offset + front - blocks), e);
	return r;
}
