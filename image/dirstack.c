/* SPDX-License-Identifier: Apache-2.0 */
/* See dirstack.h. */
#include "image/dirstack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "image/whiteout.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

int path_plain(const char *path, char out[static TAR_PATH_MAX + 1], size_t *ret_name, struct err *e)
{
	size_t len = 0, depth = 0;
	*ret_name = 0;
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		bool is_dot = n == 1 && p[0] == '.';
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_new(e, EINVAL, "path leads upwards by \"..\"");
		if (n && !is_dot) {
			if (++depth > DIRSTACK_DEPTH_MAX)
				return err_new(e, E2BIG, "path is more than %d deep", DIRSTACK_DEPTH_MAX);
			if (len + n + 1 > TAR_PATH_MAX)
				return err_new(e, ENAMETOOLONG, "path of more than %d bytes", TAR_PATH_MAX);
			if (len)
				out[len++] = '/';
			*ret_name = len;
			memcpy(out + len, p, n);
			len += n;
		}
		p += n + (p[n] == '/');
	}
	out[len] = '\0';
	return 0;
}

void dirstack_open(struct dirstack *d, int root)
{
	d->root = root;
	d->depth = 0;
	d->later = NULL;
	d->later_count = d->later_room = 0;
	d->arena = (struct arena){ .top = NULL };
}

static void pop_to(struct dirstack *d, size_t depth)
{
	while (d->depth > depth)
		fd_close(d->level[--d->depth].fd);
}

void dirstack_done(struct dirstack *d)
{
	pop_to(d, 0);
	free(d->later);
	d->later = NULL;
	arena_done(&d->arena);
}

int dirstack_clear(int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	int r = errno == EISDIR || errno == EPERM ? file_remove_tree(parent, name) : -errno;
	return r == -ENOENT ? 0 : r;
}

int dirstack_make(int parent, const char *name, mode_t mode, bool *ret_is_new, struct err *e)
{
	struct stat st;
	bool is_whiteout = false;
	*ret_is_new = true;
	if (mkdirat(parent, name, mode) == 0)
		return 0;
	if (errno == EEXIST) {
		if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "stat");
		*ret_is_new = !S_ISDIR(st.st_mode);
		if (S_ISDIR(st.st_mode))
			return 0;
		is_whiteout = whiteout_is(&st);
		int r = dirstack_clear(parent, name);
		if (r < 0)
			return err_ret(e, r, "replace");
		if (mkdirat(parent, name, mode) == 0)
			return is_whiteout ? opaque_set(parent, name, e) : 0;
	}
	return err_sys(e, "make directory");
}

/* A component that is not a directory: a symlink to one counts, and a whiteout gives way. */
static int enter_odd(struct dirstack *d, int from, const char *name, const char *prefix, struct err *e)
{
	struct stat st;
	bool is_new;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "parent \"%.200s\"", prefix);
	int fd = -ENOTDIR;
	if (S_ISLNK(st.st_mode)) {
		fd = path_open(d->root, prefix, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
		if (fd == -ENOENT || fd == -ENOTDIR)
			return err_new(
				e, ENOTDIR,
				"parent \"%.200s\": a symlink that leads to no directory of this layer",
				prefix);
	} else if (whiteout_is(&st)) {
		int r = dirstack_make(from, name, 0755, &is_new, e);
		if (r < 0)
			return r;
		dirstack_imply(d, prefix);
		fd = path_open(from, name, PATH_BENEATH, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	}
	return fd < 0 ? err_ret(e, fd, "parent \"%.200s\"", prefix) : fd;
}

/* Opens one component below `from`; `prefix` is its path from the root. */
static int enter_one(struct dirstack *d, int from, const char *name, const char *prefix, struct err *e)
{
	int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
	int fd = path_open(from, name, PATH_BENEATH, flags, 0);
	if (fd == -ENOENT) {
		if (mkdirat(from, name, 0755) < 0)
			return err_sys(e, "make parent \"%.200s\"", prefix);
		dirstack_imply(d, prefix);
		fd = path_open(from, name, PATH_BENEATH, flags, 0);
	}
	if (fd == -ENOTDIR || fd == -ELOOP)
		return enter_odd(d, from, name, prefix, e);
	return fd < 0 ? err_ret(e, fd, "parent \"%.200s\"", prefix) : fd;
}

/* Keeps the levels that lead to the wanted path too. */
static void keep_common(struct dirstack *d, const char *path, size_t len)
{
	size_t keep = 0;
	while (keep < d->depth && d->level[keep].end <= len) {
		size_t end = d->level[keep].end, begin = keep ? d->level[keep - 1].end : 0;
		if (memcmp(d->path + begin, path + begin, end - begin) != 0 ||
		    (end < len && path[end] != '/'))
			break;
		keep++;
	}
	pop_to(d, keep);
}

int dirstack_enter(struct dirstack *d, const char *path, size_t len, struct err *e)
{
	keep_common(d, path, len);
	size_t at = d->depth ? d->level[d->depth - 1].end : 0;
	while (at < len) {
		size_t begin = at ? at + 1 : 0;
		size_t end = begin + strcspn(path + begin, "/");
		if (end > len)
			end = len;
		char *prefix = d->path;
		memcpy(prefix + at, path + at, end - at);
		prefix[end] = '\0';
		int from = d->depth ? d->level[d->depth - 1].fd : d->root;
		int fd = enter_one(d, from, prefix + begin, prefix, e);
		if (fd < 0)
			return fd;
		d->level[d->depth].fd = fd;
		d->level[d->depth++].end = end;
		at = end;
	}
	return d->depth ? d->level[d->depth - 1].fd : d->root;
}

void dirstack_later(struct dirstack *d, const struct dir_later *later)
{
	if (d->later_count == d->later_room) {
		d->later_room = d->later_room ? d->later_room * 2 : 256;
		d->later = mem_grow(d->later, d->later_room * sizeof(*d->later));
	}
	d->later[d->later_count] = *later;
	d->later[d->later_count++].path = arena_str(&d->arena, later->path);
}

void dirstack_imply(struct dirstack *d, const char *path)
{
	dirstack_later(d, &(struct dir_later){
				  .path = path, .mode = 0755, .has_mode = true, .has_mtime = true, .is_implied = true });
}

/* Modes and times in the order of the archive, so that the last entry for a path wins. */
int dirstack_finish(struct dirstack *d, struct err *e)
{
	pop_to(d, 0);
	for (size_t i = 0; i < d->later_count; i++) {
		const struct dir_later *l = &d->later[i];
		int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
		fd_auto int fd = path_open(d->root, l->path, PATH_BENEATH, flags, 0);
		if (fd == -ELOOP)
			fd = path_open(d->root, l->path, PATH_IN_ROOT, flags, 0);
		/* A later entry may have taken the directory's place. */
		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			continue;
		if (fd < 0)
			return err_ret(e, fd, "entry \"%.200s\"", l->path);
		struct timespec times[2] = { l->mtime, l->mtime };
		if ((l->has_mode && fchmod(fd, l->mode) < 0) || (l->has_mtime && futimens(fd, times) < 0))
			return err_sys(e, "entry \"%.200s\"", l->path);
	}
	return 0;
}

/* Rows of one path together, in the order of the archive. */
static int compare_later(const void *a, const void *b)
{
	const struct dir_later *const *x = a, *const *y = b;
	int by_path = strcmp((*x)->path, (*y)->path);
	return by_path ? by_path : *x < *y ? -1 : 1;
}

char *dirstack_implied(const struct dirstack *d, size_t *ret_len)
{
	const struct dir_later **rows = mem_alloc((d->later_count + 1) * sizeof(const struct dir_later *));
	struct str out = STR_MAX(SIZE_MAX);
	for (size_t i = 0; i < d->later_count; i++)
		rows[i] = &d->later[i];
	if (d->later_count)
		qsort(rows, d->later_count, sizeof(const struct dir_later *), compare_later);
	for (size_t i = 0; i < d->later_count; i++) {
		bool is_last = i + 1 == d->later_count || strcmp(rows[i]->path, rows[i + 1]->path) != 0;
		if (is_last && rows[i]->is_implied)
			str_add(&out, rows[i]->path, strlen(rows[i]->path) + 1);
	}
	free(rows);
	*ret_len = out.len;
	return out.p;
}
