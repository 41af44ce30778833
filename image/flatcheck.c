/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a merged directory is what the layers show when they lie upon each other. See flatwrite.h. */
#include "image/flatwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/erofsdisk.h"
#include "image/flatsource.h"
#include "image/layers.h"
#include "image/meta.h"
#include "image/treelayer.h"
#include "image/treeout.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

enum { LIST_MAX = 64 << 10 };

struct compare {
	struct flat_source src;
	char *names, *value; /* of xattrs */
};

static int compare_xattrs(struct compare *c, const struct tree_inode *inode, int dir, struct err *e)
{
	ssize_t len = flistxattr(dir, c->names, LIST_MAX);
	size_t count = 0;
	for (const char *p = c->names; len > 0 && p < c->names + len; p += strlen(p) + 1)
		count += meta_xattr_is_kept(p);
	if (count != inode->xattr_count)
		return err_new(e, EBADMSG, "xattrs differ");
	for (size_t i = 0; i < count; i++) {
		const struct tar_xattr *x = &inode->xattrs[i];
		ssize_t n = fgetxattr(dir, x->name, c->value, EROFS_XATTR_MAX);
		if (n < 0 || (size_t)n != x->len || memcmp(c->value, x->value, x->len) != 0)
			return err_new(e, EBADMSG, "xattr %s differs", x->name);
	}
	return 0;
}

static int compare_meta(struct compare *c, const struct tree_inode *inode, int dir, struct err *e)
{
	struct stat st;
	if (fstat(dir, &st) < 0)
		return err_sys(e, "stat");
	if (st.st_mode != inode->mode || st.st_uid != inode->uid || st.st_gid != inode->gid)
		return err_new(e, EBADMSG, "mode or owner differs");
	if (st.st_mtim.tv_sec != inode->mtime.tv_sec || st.st_mtim.tv_nsec != inode->mtime.tv_nsec)
		return err_new(e, EBADMSG, "time differs");
	return compare_xattrs(c, inode, dir, e);
}

static int compare_dir(struct compare *c, const struct tree_node *node, int dir, struct err *e);

static int compare_kid(struct compare *c, const struct tree_node *node, const struct tree_node *kid, int dir,
		       struct err *e)
{
	struct stat is, must;
	if (S_ISDIR(kid->inode->mode)) {
		fd_auto int sub = path_open(dir, kid->name, PATH_BENEATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		return sub < 0 ? err_ret(e, sub, "open") : compare_dir(c, kid, sub, e);
	}
	int from = flat_source_dir(&c->src, node, kid->inode, e);
	if (from < 0)
		return from;
	if (fstatat(dir, kid->name, &is, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(from, kid->inode->origin->name, &must, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stat");
	if (is.st_ino != must.st_ino || is.st_dev != must.st_dev)
		return err_new(e, EBADMSG, "not the file of its layer");
	return 0;
}

/* Both lists are sorted by their bytes. */
static int compare_names(const struct tree_node *node, char **names, size_t count, struct err *e)
{
	size_t i = 0;
	for (; i < node->kid_count && i < count; i++) {
		int order = strcmp(node->kids[i]->name, names[i]);
		if (order)
			return err_new(e, EBADMSG, "%.200s: %s", order < 0 ? node->kids[i]->name : names[i],
				       order < 0 ? "missing" : "not in the layers");
	}
	if (i < node->kid_count)
		return err_new(e, EBADMSG, "%.200s: missing", node->kids[i]->name);
	return i < count ? err_new(e, EBADMSG, "%.200s: not in the layers", names[i]) : 0;
}

static int compare_dir(struct compare *c, const struct tree_node *node, int dir, struct err *e)
{
	char **names = NULL;
	size_t count = 0;
	int r = treeout_list(dir, &names, &count);
	if (r < 0)
		return err_ret(e, r, "list");
	r = compare_names(node, names, count, e);
	treeout_unlist(names, count);
	/* Directories after the others: the layers' directories are open for one at a time. */
	for (int is_dir = 0; is_dir < 2; is_dir++)
		for (size_t i = 0; r == 0 && i < node->kid_count; i++) {
			const struct tree_node *kid = node->kids[i];
			if (S_ISDIR(kid->inode->mode) != is_dir)
				continue;
			r = compare_kid(c, node, kid, dir, e);
			if (r < 0)
				err_at(e, r, "%.200s", kid->name);
		}
	return r < 0 ? r : compare_meta(c, node->inode, dir, e);
}

/* ---- the layers that it was made of ---- */

/* Fills `layers` lowest first. A layer that hides all below it is a new lowest one. */
static int open_layers(const struct store *s, char *list, int layers[static IMAGE_LAYERS_MAX + 1], size_t *n,
		       struct err *e)
{
	for (char *save = NULL, *line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool is_opaque;
		if (!digest_is_valid(line) || *n == IMAGE_LAYERS_MAX)
			return err_new(e, EBADMSG, "layers: \"%.80s\" is no digest", line);
		int fd = layer_open(s, line, &is_opaque);
		if (fd < 0)
			return err_ret(e, fd == -ENOENT ? -EBADMSG : fd, "layer %s", line);
		while (is_opaque && *n > 0)
			fd_close(layers[--*n]);
		layers[(*n)++] = fd;
	}
	return 0;
}

static int compare_tree(int *layers, size_t n, int root, struct err *e)
{
	tree_auto struct tree t = TREE_NONE;
	t.is_frame = true;
	struct compare c;
	int r = tree_from_layers(&t, layers, n, e);
	if (r < 0)
		return r;
	flat_source_open(&c.src, &t);
	c.names = mem_alloc(LIST_MAX);
	c.value = mem_alloc(EROFS_XATTR_MAX);
	r = compare_dir(&c, t.root, root, e);
	free(c.names);
	free(c.value);
	flat_source_done(&c.src);
	return r;
}

int flat_check(const struct store *s, const char *digest, struct err *e)
{
	char path[STORE_PATH_MAX];
	int layers[IMAGE_LAYERS_MAX + 1];
	size_t n = 0;
	free_auto char *list = NULL;
	fd_auto int top =
		path_open(s->dir, flat_path(digest, path), PATH_BENEATH, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (top == -ENOENT)
		return err_ret(e, top, "merged directory of %s", digest);
	int r = top < 0 ? top : file_read(top, "layers", LIST_MAX, false, &list, NULL);
	fd_auto int root = r < 0 ? r : path_open(top, "fs", PATH_BENEATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	r = root < 0 ? err_ret(e, root == -ENOENT ? -EBADMSG : root, "fs and layers")
		     : open_layers(s, list, layers, &n, e);
	if (r == 0)
		r = compare_tree(layers, n, root, e);
	while (n > 0)
		fd_close(layers[--n]);
	return r < 0 ? err_at(e, r, "merged directory of %s", digest) : 0;
}
