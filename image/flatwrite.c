/* SPDX-License-Identifier: Apache-2.0 */
/* See flatwrite.h. Sources: linkat(2), overlayfs.rst "whiteouts and opaque directories". */
#include "image/flatwrite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/erofsmount.h"
#include "image/flatsource.h"
#include "image/inherit.h"
#include "image/treelayer.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

#define TEMPORARY "flat"

enum { LIST_MAX = 64 << 10 };

/* ---- the tree ---- */

static int link_files(struct flat_source *src, const struct tree_node *node, int dir, struct err *e)
{
	for (size_t i = 0; i < node->kid_count; i++) {
		const struct tree_node *kid = node->kids[i];
		if (S_ISDIR(kid->inode->mode))
			continue;
		int from = flat_source_dir(src, node, kid->inode, e);
		if (from < 0)
			return from;
		/* Without AT_SYMLINK_FOLLOW a symlink itself gets a name more. */
		if (linkat(from, kid->inode->origin->name, dir, kid->name, 0) < 0)
			return err_sys(e, "link %.200s", kid->name);
	}
	return 0;
}

/* Last, for what is made in a directory changes its time. */
static int finish_dir(const struct tree_inode *inode, int dir, struct err *e)
{
	const struct timespec times[2] = { inode->mtime, inode->mtime };
	if (fchown(dir, inode->uid, inode->gid) < 0 || fchmod(dir, inode->mode & 07777) < 0)
		return err_sys(e, "owner and mode");
	for (size_t i = 0; i < inode->xattr_count; i++) {
		const struct tar_xattr *x = &inode->xattrs[i];
		if (fsetxattr(dir, x->name, x->value, x->len, 0) < 0)
			return err_sys(e, "xattr %s", x->name);
	}
	return futimens(dir, times) < 0 ? err_sys(e, "time") : 0;
}

static int write_dir(struct flat_source *src, const struct tree_node *node, int dir, struct err *e)
{
	int r = link_files(src, node, dir, e);
	for (size_t i = 0; r == 0 && i < node->kid_count; i++) {
		const struct tree_node *kid = node->kids[i];
		if (!S_ISDIR(kid->inode->mode))
			continue;
		if (mkdirat(dir, kid->name, 0700) < 0)
			return err_sys(e, "%.200s", kid->name);
		fd_auto int sub = path_open(dir, kid->name, PATH_BENEATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		r = sub < 0 ? err_ret(e, sub, "%.200s", kid->name) : write_dir(src, kid, sub, e);
	}
	return r < 0 ? r : finish_dir(node->inode, dir, e);
}

static int write_tree(const struct tree *t, int top, struct err *e)
{
	struct flat_source src;
	if (mkdirat(top, "fs", 0700) < 0)
		return err_sys(e, "fs");
	fd_auto int root = path_open(top, "fs", PATH_BENEATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (root < 0)
		return err_ret(e, root, "fs");
	flat_source_open(&src, t);
	int r = write_dir(&src, t->root, root, e);
	flat_source_done(&src);
	return r;
}

/* ---- the directory around it ---- */

static int write_list(const struct layerjob *jobs, size_t count, int top, struct err *e)
{
	str_auto struct str text = STR_MAX(LIST_MAX);
	fd_auto int fd = openat(top, "layers", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	for (size_t i = 0; i < count; i++)
		str_fmt(&text, "%s\n", jobs[i].diff_id);
	int r = fd < 0 ? -errno : fd_write_all(fd, text.p, text.len);
	return r < 0 ? err_ret(e, r, "layers") : 0;
}

static int write_all(struct ingest *in, const struct tree *t, const struct layerjob *jobs, size_t count,
		     struct err *e)
{
	if (mkdirat(in->dir, TEMPORARY, 0700) < 0)
		return err_sys(e, TEMPORARY);
	fd_auto int top = path_open(in->dir, TEMPORARY, PATH_BENEATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int r = top < 0 ? err_ret(e, top, TEMPORARY) : write_tree(t, top, e);
	return r < 0 ? r : write_list(jobs, count, top, e);
}

/* Opens the layers from the topmost one that hides all below it on, lowest first. Returns their number. */
static int open_layers(const struct ingest *in, const struct layerjob *jobs, size_t count,
		       int layers[static IMAGE_LAYERS_MAX + 1])
{
	bool is_opaque = false;
	size_t first = count, n = 0;
	int r = 0;
	while (r >= 0 && first > 0 && !is_opaque) {
		r = inherit_open(in, jobs, count, --first, &is_opaque);
		if (r >= 0)
			layers[IMAGE_LAYERS_MAX - n++] = r;
	}
	memmove(layers, layers + IMAGE_LAYERS_MAX + 1 - n, n * sizeof(*layers));
	while (r < 0 && n > 0)
		fd_close(layers[--n]);
	return r < 0 ? r : (int)n;
}

bool flat_make(struct ingest *in, const struct layerjob *jobs, size_t count, const char *digest)
{
	tree_auto struct tree t = TREE_NONE;
	int layers[IMAGE_LAYERS_MAX + 1];
	struct err ignored;
	fd_auto int old = count > FLAT_LAYERS ? flat_open(in->store, digest) : -1;
	if (count <= FLAT_LAYERS || count > IMAGE_LAYERS_MAX || old >= 0 || erofs_has(in->store, digest))
		return false;
	int n = open_layers(in, jobs, count, layers);
	t.names_max = FLAT_ENTRIES_MAX;
	t.is_frame = true;
	int r = n < 0 ? n : tree_from_layers(&t, layers, (size_t)n, &ignored);
	if (r == 0)
		r = write_all(in, &t, jobs, count, &ignored);
	while (n > 0)
		fd_close(layers[--n]);
	if (r < 0)
		file_remove_tree(in->dir, TEMPORARY);
	return r == 0;
}

int flat_publish(struct ingest *in, const char *digest, struct err *e)
{
	static const char *const dirs[] = { "flat", "flat/sha256" };
	char path[STORE_PATH_MAX];
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdirat(in->store->dir, dirs[i], 0755) < 0 && errno != EEXIST)
			return err_sys(e, "store %s: %s", in->store->path, dirs[i]);
	fd_auto int dir = openat(in->store->dir, "flat/sha256", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "store %s: flat/sha256", in->store->path);
	if (renameat(in->dir, TEMPORARY, in->store->dir, flat_path(digest, path)) < 0) {
		if (errno != EEXIST && errno != ENOTEMPTY)
			return err_sys(e, "store %s: %s", in->store->path, path);
		file_remove_tree(in->dir, TEMPORARY);
	}
	return fsync(dir) < 0 ? err_sys(e, "store %s: sync", in->store->path) : 0;
}

/* ---- by layer ---- */

static bool has_one(int top, const char *name, const struct digests *layers)
{
	char path[NAME_MAX + 16];
	free_auto char *list = NULL;
	snprintf(path, sizeof(path), "%s/layers", name);
	if (file_read(top, path, LIST_MAX, false, &list, NULL) < 0)
		return false;
	for (char *save = NULL, *line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (digest_is_valid(line) && digests_have(layers, line))
			return true;
	return false;
}

int flat_find(const struct store *s, const struct digests *layers, struct digests *images, struct err *e)
{
	int top = openat(s->dir, "flat/sha256", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = top < 0 ? NULL : fdopendir(top);
	if (!d) {
		fd_close(top);
		return errno == ENOENT ? 0 : err_sys(e, "store %s: flat/sha256", s->path);
	}
	int r = 0;
	for (struct dirent *de; (de = fd_next(d, &r));) {
		char digest[NAME_MAX + 16];
		snprintf(digest, sizeof(digest), "sha256:%s", de->d_name);
		if (digest_is_valid(digest) && has_one(top, de->d_name, layers))
			digests_add(images, digest);
	}
	closedir(d);
	return r < 0 ? err_ret(e, r, "store %s: flat/sha256", s->path) : 0;
}
