/* SPDX-License-Identifier: Apache-2.0 */
/* See tarwrite.h. */
#include "image/tarwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "image/whiteout.h"
#include "util/fd.h"
#include "util/path.h"

enum { DEPTH_MAX = 512 };

struct walk {
	struct treeout *w;
	dev_t dev;
};

static int put_below(struct walk *k, int dir, const char *prefix, int depth, struct err *e);

static int put_one(struct walk *k, int parent, const char *name, const char *path, int depth, struct err *e)
{
	char prefix[PATH_MAX + 2];
	struct stat st;
	fd_auto int fd = treeout_look(k->w, parent, name, &st, e);
	if (fd == -EXDEV || (fd == -ENOENT && k->w->is_live))
		return 0;
	if (fd < 0)
		return err_at(e, fd_take(&fd), "%.200s", path);
	if (whiteout_is(&st))
		return 0;
	int r = treeout_put(k->w, fd, path, &st, e);
	if (r < 0)
		return err_at(e, r, "%.200s", path);
	if (!S_ISDIR(st.st_mode) || st.st_dev != k->dev)
		return 0;
	snprintf(prefix, sizeof(prefix), "%s/", path);
	return put_below(k, fd, prefix, depth + 1, e);
}

static int put_below(struct walk *k, int dir, const char *prefix, int depth, struct err *e)
{
	char **names = NULL;
	size_t n = 0;
	int r = depth > DEPTH_MAX ? -ELOOP : treeout_list(dir, &names, &n);
	if (r == -ENOENT && k->w->is_live)
		return 0;
	if (r < 0)
		return err_ret(e, r, "%.200s", *prefix ? prefix : ".");
	for (size_t i = 0; r == 0 && i < n; i++) {
		char path[PATH_MAX];
		int len = snprintf(path, sizeof(path), "%s%s", prefix, names[i]);
		if ((size_t)len >= sizeof(path))
			r = err_new(e, ENAMETOOLONG, "%.200s", prefix);
		else
			r = put_one(k, dir, names[i], path, depth, e);
	}
	treeout_unlist(names, n);
	return r;
}

int tar_write_tree(int root, struct treeout *w, struct err *e)
{
	struct stat st;
	struct walk k = { .w = w };
	fd_auto int self = path_open(root, ".", PATH_BENEATH, O_PATH | O_DIRECTORY, 0);
	if (self < 0 || fstat(self, &st) < 0)
		return self < 0 ? err_ret(e, self, "open") : err_sys(e, "stat");
	k.dev = st.st_dev;
	int r = treeout_put(w, self, ".", &st, e);
	if (r == 0)
		r = put_below(&k, self, "", 0, e);
	return r < 0 ? r : tarout_end(w->out, e);
}
