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
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

int inherit_open(const struct ingest *in, const struct layerjob *jobs, size_t i, bool *ret_is_opaque)
{
	static const char *const names[] = { "fs", "fs-opaque" };
	char path[STORE_PATH_MAX], layer[STORE_PATH_MAX];
	const struct layerjob *job = jobs[i].same_as >= 0 ? &jobs[jobs[i].same_as] : &jobs[i];
	int fd = -1;
	for (int k = 0; k < 4 && fd < 0; k++) {
		bool is_ours = k < 2;
		if (is_ours)
			snprintf(path, sizeof(path), "layer-%zu/%s", job->number, names[k & 1]);
		else
			snprintf(path, sizeof(path), "%.100s/%s", store_layer_path(job->diff_id, layer),
				 names[k & 1]);
		fd = path_open(is_ours ? in->dir : in->store->dir, path, PATH_BENEATH,
			       O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		*ret_is_opaque = k & 1;
	}
	return fd;
}

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
 * Finds `path` in the layers below `top` and copies what it is there. Where a lower layer hides it, nothing
 * is.
 */
static int inherit_one(const int *trees, const bool *is_opaque, size_t top, const char *path, struct err *e)
{
	fd_auto int to = path_open(trees[top], path, PATH_BENEATH, O_RDONLY | O_DIRECTORY, 0);
	if (to < 0)
		return 0;
	for (size_t i = top; i-- > 0;) {
		fd_auto int from =
			path_open(trees[i], path, PATH_BENEATH, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		if (from >= 0) {
			int r = copy_meta(from, to, e);
			return r < 0 ? err_at(e, r, "entry \"%.200s\"", path) : 0;
		}
		if (from != -ENOENT || is_opaque[i])
			return 0;
	}
	return 0;
}

static int inherit_layer(const struct layerjob *job, const int *trees, const bool *is_opaque, size_t top,
			 struct err *e)
{
	const char *end = job->unpacked.implied + job->unpacked.implied_len;
	int r = 0;
	if (is_opaque[top])
		return 0;
	for (const char *path = job->unpacked.implied; r == 0 && path < end; path += strlen(path) + 1)
		r = inherit_one(trees, is_opaque, top, path, e);
	return r < 0 ? err_at(e, r, "layer %s", job->diff_id) : 0;
}

static bool has_work(const struct layerjob *jobs, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (jobs[i].unpacked.implied)
			return true;
	return false;
}

int inherit_dirs(struct ingest *in, const struct layerjob *jobs, size_t count, struct err *e)
{
	if (!has_work(jobs, count))
		return 0;
	int *trees = mem_alloc(count * sizeof(*trees));
	bool *is_opaque = mem_alloc(count * sizeof(*is_opaque));
	int r = 0;
	size_t opened = 0;
	for (; r == 0 && opened < count; opened++) {
		trees[opened] = inherit_open(in, jobs, opened, &is_opaque[opened]);
		if (trees[opened] < 0)
			r = err_ret(e, trees[opened], "layer %s", jobs[opened].diff_id);
		else if (jobs[opened].unpacked.implied)
			r = inherit_layer(&jobs[opened], trees, is_opaque, opened, e);
	}
	while (opened-- > 0)
		fd_close(trees[opened]);
	free(trees);
	free(is_opaque);
	return r;
}
