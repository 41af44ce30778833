/* SPDX-License-Identifier: Apache-2.0 */
/* See treelayer.h. */
#include "image/treelayer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/erofsdisk.h"
#include "image/inodes.h"
#include "image/meta.h"
#include "image/treeout.h"
#include "image/whiteout.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

struct merge {
	struct tree *t;
	uint32_t layer;
	dev_t dev;
	size_t names_max;
	struct inodes links; /* files with several names */
	char *value;   /* of an xattr */
};

/* ---- one file's metadata ---- */

static int read_xattr(struct merge *m, const char *path, const char *name, struct tar_xattr *ret, struct err *e)
{
	ssize_t n = lgetxattr(path, name, m->value, EROFS_XATTR_MAX);
	if (n < 0)
		return err_sys(e, "xattr %s", name);
	char *value = arena_alloc(&m->t->arena, (size_t)n + 1);
	memcpy(value, m->value, (size_t)n);
	*ret = (struct tar_xattr){ arena_str(&m->t->arena, name), value, (size_t)n };
	return 0;
}

/*
 * The xattrs that a layer may bring. *ret_is_opaque: this directory hides what is below it. The name is one component of
 * a directory that belongs to kist alone, and the call follows no link.
 */
static int read_xattrs(struct merge *m, int dir, const char *name, struct tree_inode *inode, bool *ret_is_opaque,
		       struct err *e)
{
	char path[NAME_MAX + 64], names[64 << 10];
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	ssize_t len = llistxattr(path, names, sizeof(names));
	if (len < 0 && errno != ENOTSUP)
		return err_sys(e, "list xattrs");
	size_t count = 0;
	*ret_is_opaque = false;
	for (const char *p = names; p < names + len; p += strlen(p) + 1) {
		*ret_is_opaque |= !strcmp(p, "trusted.overlay.opaque") || !strcmp(p, "user.overlay.opaque");
		count += meta_xattr_is_kept(p);
	}
	if (!count)
		return 0;
	struct tar_xattr *rows = arena_array(&m->t->arena, count, sizeof(*rows));
	int r = 0;
	for (const char *p = names; r == 0 && p < names + len; p += strlen(p) + 1)
		if (meta_xattr_is_kept(p))
			r = read_xattr(m, path, p, &rows[inode->xattr_count++], e);
	tree_sort_xattrs(rows, inode->xattr_count);
	inode->xattrs = rows;
	return r;
}

static int read_target(struct merge *m, int dir, const char *name, struct tree_inode *inode, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));
	if (n < 0 || n == sizeof(target))
		return n < 0 ? err_sys(e, "read link") : err_new(e, ENAMETOOLONG, "read link");
	inode->target = arena_strn(&m->t->arena, target, (size_t)n);
	inode->size = (uint64_t)n;
	return 0;
}

/* Gives a name its inode: a new one, or that of another name. */
static int read_inode(struct merge *m, int dir, struct tree_node *node, const char *name, const struct stat *st,
		      bool *ret_is_opaque, struct err *e)
{
	bool has_names = st->st_nlink > 1 && !S_ISDIR(st->st_mode);
	*ret_is_opaque = false;
	struct inodes_row *row = has_names ? inodes_row(&m->links, st->st_dev, st->st_ino) : NULL;
	if (row && row->of) {
		node->inode = row->of;
		return 0;
	}
	struct tree_inode *inode = arena_new(&m->t->arena, struct tree_inode);
	*inode = (struct tree_inode){
		.mode = st->st_mode, .uid = st->st_uid, .gid = st->st_gid, .mtime = st->st_mtim,
		.size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0, .origin = node, .layer = m->layer,
	};
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		inode->dev_major = major(st->st_rdev);
		inode->dev_minor = minor(st->st_rdev);
	}
	node->inode = inode;
	if (row)
		row->of = inode;
	if (m->t->is_frame && !S_ISDIR(st->st_mode))
		return 0;
	int r = S_ISLNK(st->st_mode) ? read_target(m, dir, name, inode, e) : 0;
	return r < 0 ? r : read_xattrs(m, dir, name, inode, ret_is_opaque, e);
}

/* ---- one directory upon another ---- */

static int apply_dir(struct merge *m, int dir, struct tree_node *node, int depth, struct err *e);

/*
 * What a layer has under one name, upon what was there (NULL: nothing). Returns 1 with the name's node, 0 when there is
 * no such name any more, or -errno.
 */
static int apply_name(struct merge *m, int dir, const struct tree_node *parent, const char *name,
		      struct tree_node *below, int depth, struct tree_node **ret, struct err *e)
{
	struct stat st;
	bool is_opaque;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stat");
	if (whiteout_is(&st) || S_ISSOCK(st.st_mode))
		return 0;
	if (++m->t->names > m->names_max)
		return err_new(e, E2BIG, "more than %zu entries", m->names_max);
	bool is_dir = S_ISDIR(st.st_mode), is_upon = is_dir && below && S_ISDIR(below->inode->mode);
	struct tree_node *node = is_upon ? below : tree_node_new(m->t, parent, name, strlen(name));
	int r = read_inode(m, dir, node, name, &st, &is_opaque, e);
	*ret = node;
	if (r < 0 || !is_dir)
		return r < 0 ? r : 1;
	if (is_opaque)
		node->kid_count = 0;
	fd_auto int sub = path_open(dir, name, PATH_BENEATH, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	r = sub < 0 ? err_ret(e, sub, "open") : apply_dir(m, sub, node, depth + 1, e);
	return r < 0 ? r : 1;
}

/* Joins two sorted lists: the directory's children so far, and the names that the layer has there. */
static int join(struct merge *m, int dir, struct tree_node *node, char **names, size_t count, int depth, struct err *e)
{
	struct tree_node **old = node->kids;
	struct tree_node **kids = arena_array(&m->t->arena, node->kid_count + count, sizeof(struct tree_node *));
	size_t i = 0, n = 0;
	for (size_t k = 0; k < count; k++) {
		int order = -1;
		while (i < node->kid_count && (order = strcmp(old[i]->name, names[k])) < 0)
			kids[n++] = old[i++];
		struct tree_node *below = i < node->kid_count && order == 0 ? old[i++] : NULL;
		int r = apply_name(m, dir, node, names[k], below, depth, &kids[n], e);
		if (r < 0)
			return err_at(e, r, "%.200s", names[k]);
		n += (size_t)r;
	}
	while (i < node->kid_count)
		kids[n++] = old[i++];
	node->kids = kids;
	node->kid_count = n;
	return 0;
}

static int apply_dir(struct merge *m, int dir, struct tree_node *node, int depth, struct err *e)
{
	char **names = NULL;
	size_t count = 0;
	int r = depth > TREE_DEPTH_MAX ? -ELOOP : treeout_list(dir, &names, &count);
	if (r < 0)
		err_ret(e, r, "list");
	else if (count)
		r = join(m, dir, node, names, count, depth, e);
	treeout_unlist(names, count);
	return r;
}

int tree_from_layers(struct tree *t, int *layers, size_t count, struct err *e)
{
	struct merge m = { .t = t, .value = mem_alloc(EROFS_XATTR_MAX) };
	m.names_max = t->names_max ? t->names_max : TREE_NAMES_MAX;
	int r = 0;
	t->layers = layers;
	t->root = tree_node_new(t, NULL, "", 0);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct stat st;
		bool is_opaque;
		m.layer = (uint32_t)i;
		r = fstat(layers[i], &st) < 0 ? err_sys(e, "layer %zu", i + 1) : 0;
		if (r == 0)
			r = read_inode(&m, layers[i], t->root, ".", &st, &is_opaque, e);
		if (r == 0)
			r = apply_dir(&m, layers[i], t->root, 0, e);
	}
	if (r == 0 && !t->root->inode) {
		t->root->inode = arena_new(&t->arena, struct tree_inode);
		t->root->inode->mode = S_IFDIR | 0755;
	}
	inodes_done(&m.links);
	free(m.value);
	if (r == 0)
		tree_count_links(t);
	return r;
}
