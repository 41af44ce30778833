/* SPDX-License-Identifier: Apache-2.0 */
/* See inherit.h. */
#include "image/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/meta.h"
#include "image/treedir.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

enum { IMPLIED_MAX = 512 << 20 };

/* The layers of one image, lowest first. */
struct stack {
	const struct store *store;
	int making; /* the directory where jobs make layers */
	const struct layerjob *jobs;
	size_t count;
	int *trees;
	bool *is_opaque;
	inherit_fn *report;
	void *ctx;
};

/* ---- the trees ---- */

/* The job that makes a layer, be it another's with the same tree; NULL: it is in the store. */
static const struct layerjob *maker_of(const struct stack *s, size_t i)
{
	const char *diff_id = s->jobs[i].diff_id;
	for (size_t k = 0; k < s->count; k++)
		if (s->jobs[k].wants_tree && (k == i || (*diff_id && strcmp(s->jobs[k].diff_id, diff_id) == 0)))
			return &s->jobs[k];
	return NULL;
}

static void dir_of(const struct stack *s, size_t i, char out[static STORE_PATH_MAX])
{
	const struct layerjob *made = maker_of(s, i);
	if (made)
		snprintf(out, STORE_PATH_MAX, "layer-%zu", made->number);
	else
		store_layer_path(s->jobs[i].diff_id, out);
}

/* Opens something in a layer's directory: where its job has put it, or in the store. */
static int open_in(const struct stack *s, size_t i, const char *name, int flags)
{
	char path[STORE_PATH_MAX + 16], layer[STORE_PATH_MAX];
	dir_of(s, i, layer);
	snprintf(path, sizeof(path), "%s/%s", layer, name);
	return path_open(maker_of(s, i) ? s->making : s->store->dir, path, PATH_BENEATH, flags | O_NOFOLLOW, 0);
}

static int open_tree(const struct stack *s, size_t i, bool *ret_is_opaque)
{
	int fd = open_in(s, i, "fs", O_PATH | O_DIRECTORY);
	*ret_is_opaque = fd < 0;
	return fd < 0 ? open_in(s, i, "fs-opaque", O_PATH | O_DIRECTORY) : fd;
}

int inherit_open(const struct ingest *in, const struct layerjob *jobs, size_t count, size_t i, bool *ret_is_opaque)
{
	const struct stack s = { .store = in->store, .making = in->dir, .jobs = jobs, .count = count };
	return open_tree(&s, i, ret_is_opaque);
}

/* ---- taking over ---- */

static int copy_xattrs(int from, int to, struct err *e)
{
	char names[4096], path[32];
	ssize_t len = listxattr(fd_path(from, path), names, sizeof(names));
	free_auto char *value = mem_alloc(PAX_XATTR_MAX);
	for (char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t n = meta_xattr_is_kept(name) ? getxattr(path, name, value, PAX_XATTR_MAX) : -1;
		if (n >= 0 && fsetxattr(to, name, value, (size_t)n, 0) < 0)
			return err_sys(e, "xattr %s", name);
	}
	return 0;
}

static int copy_meta(int from, int to, struct err *e)
{
	struct stat st;
	if (fstat(from, &st) < 0)
		return err_sys(e, "stat");
	struct timespec times[2] = { st.st_mtim, st.st_mtim };
	if (fchown(to, st.st_uid, st.st_gid) < 0 || fchmod(to, st.st_mode & 07777) < 0)
		return err_sys(e, "owner and mode");
	int r = copy_xattrs(from, to, e);
	if (r == 0 && futimens(to, times) < 0)
		r = err_sys(e, "time");
	return r;
}

/*
 * Finds `path` in the layers below `top`, as O_PATH. -ENOENT: there it is no directory, or a lower layer hides it.
 */
static int find_below(const struct stack *s, size_t top, const char *path)
{
	for (size_t i = top; i-- > 0;) {
		int fd = path_open(s->trees[i], path, PATH_BENEATH, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		if (fd >= 0)
			return fd;
		if (fd != -ENOENT || s->is_opaque[i])
			return -ENOENT;
	}
	return -ENOENT;
}

static int inherit_one(const struct stack *s, size_t top, const char *path, int to, struct err *e)
{
	fd_auto int from = find_below(s, top, path);
	return from < 0 ? 0 : copy_meta(from, to, e);
}

/* ---- comparing ---- */

/* Whether each that is kept of `a` is the same in `b`. */
static bool has_xattrs(int a, int b)
{
	char names[4096], path_a[32], path_b[32];
	free_auto char *x = mem_alloc(PAX_XATTR_MAX), *y = mem_alloc(PAX_XATTR_MAX);
	fd_path(b, path_b);
	ssize_t len = listxattr(fd_path(a, path_a), names, sizeof(names));
	for (char *name = names; name < names + len; name += strlen(name) + 1) {
		if (!meta_xattr_is_kept(name))
			continue;
		ssize_t n = getxattr(path_a, name, x, PAX_XATTR_MAX), m = getxattr(path_b, name, y, PAX_XATTR_MAX);
		if (n != m || (n > 0 && memcmp(x, y, (size_t)n) != 0))
			return false;
	}
	return len >= 0 || errno == ENOTSUP;
}

static bool has_none(int fd)
{
	char names[4096], path[32];
	ssize_t len = listxattr(fd_path(fd, path), names, sizeof(names));
	for (char *name = names; name < names + len; name += strlen(name) + 1)
		if (meta_xattr_is_kept(name))
			return false;
	return len >= 0 || errno == ENOTSUP;
}

/* What a directory is, and what it would be by the layers below. */
struct difference {
	struct stat is, want;
	bool is_by_xattrs;
};

/* Returns 1 if there is a difference. */
static int find_difference(const struct stack *s, size_t top, const char *path, int have, struct difference *ret)
{
	fd_auto int from = find_below(s, top, path);
	/* As it is made where nothing lies below. */
	*ret = (struct difference){ .want = { .st_mode = 0755 } };
	struct stat *is = &ret->is, *want = &ret->want;
	if (fstat(have, is) < 0 || (from >= 0 && fstat(from, want) < 0))
		return -errno;
	if ((is->st_mode & 07777) != (want->st_mode & 07777) || is->st_uid != want->st_uid || is->st_gid != want->st_gid)
		return 1;
	ret->is_by_xattrs = from < 0 ? !has_none(have) : !has_xattrs(from, have) || !has_xattrs(have, from);
	return ret->is_by_xattrs;
}

static int compare_one(const struct stack *s, size_t top, const char *path, int have, struct err *e)
{
	static const char who[] = "which its archive does not describe and which another image gave it,";
	struct difference d;
	int r = find_difference(s, top, path, have, &d);
	if (r <= 0)
		return r < 0 ? err_ret(e, r, "stat") : 0;
	if (d.is_by_xattrs)
		return err_new(e, EEXIST,
			       "its directory \"%.200s\", %s has other xattrs there than here: remove that image first",
			       path, who);
	return err_new(e, EEXIST,
		       "its directory \"%.200s\", %s has mode %04o and owner %u:%u there, and %04o and %u:%u here: "
		       "remove that image first",
		       path, who, d.is.st_mode & 07777, d.is.st_uid, d.is.st_gid, d.want.st_mode & 07777, d.want.st_uid,
		       d.want.st_gid);
}

static int report_one(const struct stack *s, size_t top, const char *path, int have, struct err *e)
{
	struct difference d;
	char words[200];
	int r = find_difference(s, top, path, have, &d);
	if (r <= 0)
		return r < 0 ? err_ret(e, r, "stat") : 0;
	if (d.is_by_xattrs)
		snprintf(words, sizeof(words), "xattrs: not those of the layers below");
	else
		snprintf(words, sizeof(words), "mode %04o and owner %u:%u, not %04o and %u:%u as by the layers below",
			 d.is.st_mode & 07777, d.is.st_uid, d.is.st_gid, d.want.st_mode & 07777, d.want.st_uid,
			 d.want.st_gid);
	s->report(s->ctx, s->jobs[top].diff_id, *path ? path : ".", words);
	return 0;
}

/* ---- layers ---- */

typedef int each_fn(const struct stack *s, size_t top, const char *path, int dir, struct err *e);

static int each_dir(const struct stack *s, size_t top, const char *paths, size_t len,
		    each_fn *fn, struct err *e)
{
	int r = 0;
	for (const char *path = paths; r == 0 && path < paths + len; path += strlen(path) + 1) {
		fd_auto int dir = path_open(s->trees[top], path, PATH_BENEATH, O_RDONLY | O_DIRECTORY, 0);
		if (dir >= 0 && (r = fn(s, top, path, dir, e)) < 0 && r != -EEXIST)
			err_at(e, r, "entry \"%.200s\"", path);
	}
	return r < 0 ? err_at(e, r, "layer %s", s->jobs[top].diff_id) : 0;
}

/* A layer that was here before. */
static int compare_layer(const struct stack *s, size_t top, each_fn *fn, struct err *e)
{
	char path[STORE_PATH_MAX + 16], layer[STORE_PATH_MAX];
	free_auto char *paths = NULL;
	size_t len;
	dir_of(s, top, layer);
	snprintf(path, sizeof(path), "%s/" TREEDIR_IMPLIED, layer);
	int r = file_read(s->store->dir, path, IMPLIED_MAX, false, &paths, &len);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? err_ret(e, r, "%s", path) : each_dir(s, top, paths, len, fn, e);
}

static int do_layer(const struct stack *s, size_t top, struct err *e)
{
	const struct layerjob *job = &s->jobs[top];
	if (top == 0 || s->is_opaque[top] || job->same_as >= 0)
		return 0;
	if (job->unpacked.implied)
		return each_dir(s, top, job->unpacked.implied, job->unpacked.implied_len, inherit_one, e);
	return maker_of(s, top) ? 0 : compare_layer(s, top, compare_one, e);
}

/* Opens the layers one after the other, and does what is to be done with each upon those below it. */
static int walk(struct stack *s, int (*fn)(const struct stack *s, size_t top, struct err *e), struct err *e)
{
	int r = 0;
	size_t opened = 0;
	s->trees = mem_alloc(s->count * sizeof(*s->trees));
	s->is_opaque = mem_alloc(s->count * sizeof(*s->is_opaque));
	for (; r == 0 && opened < s->count; opened++) {
		s->trees[opened] = open_tree(s, opened, &s->is_opaque[opened]);
		if (s->trees[opened] < 0)
			r = err_ret(e, s->trees[opened], "layer %s", s->jobs[opened].diff_id);
		else
			r = fn(s, opened, e);
	}
	while (opened-- > 0)
		fd_close(s->trees[opened]);
	free(s->trees);
	free(s->is_opaque);
	return r;
}

int inherit_dirs(struct ingest *in, const struct layerjob *jobs, size_t count, struct err *e)
{
	struct stack s = { .store = in->store, .making = in->dir, .jobs = jobs, .count = count };
	return count < 2 ? 0 : walk(&s, do_layer, e);
}

static int report_layer(const struct stack *s, size_t top, struct err *e)
{
	return s->is_opaque[top] ? 0 : compare_layer(s, top, report_one, e);
}

int inherit_check(const struct store *store, const char *const *diff_ids, size_t count, inherit_fn *report, void *ctx,
		  struct err *e)
{
	struct layerjob *jobs = mem_zero(count + 1, sizeof(*jobs));
	struct stack s = {
		.store = store, .making = -1, .jobs = jobs, .count = count, .report = report, .ctx = ctx
	};
	for (size_t i = 0; i < count; i++)
		snprintf(jobs[i].diff_id, sizeof(jobs[i].diff_id), "%s", diff_ids[i]);
	int r = count ? walk(&s, report_layer, e) : 0;
	free(jobs);
	return r;
}
