/* SPDX-License-Identifier: Apache-2.0 */
/* See treeout.h. */
#include "image/treeout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/meta.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/path.h"

enum { PIECE = 256 << 10, NAMES_MAX = 64 << 10 };

void treeout_open(struct treeout *w, struct tarout *out)
{
	*w = (struct treeout){ .out = out, .buf = mem_alloc(PIECE) };
}

void treeout_done(struct treeout *w)
{
	inodes_done(&w->links);
	free(w->buf);
	arena_done(&w->arena);
	*w = (struct treeout){ .out = NULL };
}

/* ---- links ---- */

/* The first name of a file that has several, or NULL when this is it. */
static const char *first_name(struct treeout *w, const struct stat *st, const char *path)
{
	if (st->st_nlink < 2)
		return NULL;
	struct inodes_row *row = inodes_row(&w->links, st->st_dev, st->st_ino);
	if (row->of)
		return row->of;
	row->of = arena_str(&w->arena, path);
	return NULL;
}

/* ---- one entry ---- */

/* The xattrs that layers may have; they live in the arena. `fd` is O_PATH. */
static int read_xattrs(struct arena *arena, int fd, struct tar_entry *en, struct err *e)
{
	char path[32], names[NAMES_MAX];
	fd_path(fd, path);
	ssize_t len = listxattr(path, names, sizeof(names));
	if (len < 0 && errno != ENOTSUP)
		return err_sys(e, "list xattrs");
	struct tar_xattr *rows = NULL;
	for (char *name = names; name < names + len; name += strlen(name) + 1) {
		if (!meta_xattr_is_kept(name))
			continue;
		free_auto char *value = mem_alloc(PAX_XATTR_MAX);
		ssize_t n = getxattr(path, name, value, PAX_XATTR_MAX);
		if (n < 0)
			return err_sys(e, "xattr %s", name);
		struct tar_xattr *more = arena_array(arena, en->xattr_count + 1, sizeof(*more));
		if (rows)
			memcpy(more, rows, en->xattr_count * sizeof(*more));
		rows = more;
		rows[en->xattr_count++] = (struct tar_xattr){
			.name = arena_str(arena, name),
			.value = arena_strn(arena, value, (size_t)n),
			.len = (size_t)n,
		};
	}
	en->xattrs = rows;
	return 0;
}

static int put_head(struct treeout *w, int fd, const char *path, const struct stat *st, enum tar_type type,
		    const char *link, struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	struct tar_entry en = {
		.type = type,
		.path = path,
		.link = link,
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.dev_major = major(st->st_rdev),
		.dev_minor = minor(st->st_rdev),
		.size = (uint64_t)st->st_size,
		.mtime = st->st_mtim,
	};
	int r = type == TAR_HARDLINK ? 0 : read_xattrs(&arena, fd, &en, e);
	return r < 0 ? r : tarout_entry(w->out, &en, e);
}

/* What a file has lost while it was read. */
static int fill_up(struct treeout *w, uint64_t left, const char *path, struct err *e)
{
	if (!w->is_live)
		return err_new(e, EIO, "shrank while it was read");
	log_warn("%s: shrank by %llu bytes while it was read: filled up with zeros", path, (unsigned long long)left);
	return tarout_zeros(w->out, left, e);
}

static int put_data(struct treeout *w, int fd, const char *path, uint64_t size, struct err *e)
{
	int r = 0;
	for (uint64_t left = size; r == 0 && left;) {
		ssize_t n = read(fd, w->buf, left < PIECE ? (size_t)left : PIECE);
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0) {
			r = fill_up(w, left, path, e);
			break;
		}
		left -= (uint64_t)n;
		r = tarout_data(w->out, w->buf, (size_t)n, e);
	}
	return r < 0 ? r : tarout_pad(w->out, size, e);
}

/*
 * The data is that of the inode that was looked at, whatever has its name now: a program in the container could put a
 * device there, which opening sets going.
 */
static int put_file(struct treeout *w, int fd, const char *path, const struct stat *st, struct err *e)
{
	char self[32];
	fd_auto int data = openat(AT_FDCWD, fd_path(fd, self), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (data < 0)
		return err_sys(e, "open");
	int r = put_head(w, fd, path, st, TAR_FILE, NULL, e);
	return r < 0 ? r : put_data(w, data, path, (uint64_t)st->st_size, e);
}

static int put_symlink(struct treeout *w, int fd, const char *path, const struct stat *st, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
	if (n < 0)
		return err_sys(e, "read link");
	target[n] = '\0';
	return put_head(w, fd, path, st, TAR_SYMLINK, target, e);
}

int treeout_look(const struct treeout *w, int parent, const char *name, struct stat *ret_st, struct err *e)
{
	fd_auto int fd = path_open(parent, name, PATH_BENEATH, O_PATH | O_NOFOLLOW, 0);
	if (fd == -EXDEV || (fd == -ENOENT && w->is_live))
		return fd;
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return fd < 0 ? err_ret(e, fd, "open") : err_sys(e, "stat");
	return fd_take(&fd);
}

int treeout_put(struct treeout *w, int fd, const char *path, const struct stat *st, struct err *e)
{
	if (S_ISSOCK(st->st_mode))
		return 0;
	if (S_ISDIR(st->st_mode)) {
		char with_slash[PATH_MAX + 2];
		snprintf(with_slash, sizeof(with_slash), "%s/", path);
		return put_head(w, fd, with_slash, st, TAR_DIR, NULL, e);
	}
	const char *first = first_name(w, st, path);
	if (first)
		return put_head(w, fd, path, st, TAR_HARDLINK, first, e);
	if (S_ISLNK(st->st_mode))
		return put_symlink(w, fd, path, st, e);
	if (S_ISREG(st->st_mode))
		return put_file(w, fd, path, st, e);
	enum tar_type type = S_ISCHR(st->st_mode) ? TAR_CHAR : S_ISBLK(st->st_mode) ? TAR_BLOCK : TAR_FIFO;
	return put_head(w, fd, path, st, type, NULL, e);
}

/* ---- directories ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void treeout_unlist(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

int treeout_list(int dir, char ***ret_names, size_t *ret_count)
{
	int own = path_open(dir, ".", PATH_BENEATH, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	if (!d) {
		fd_close(own);
		return own < 0 ? own : -ENOMEM;
	}
	char **names = NULL;
	size_t n = 0;
	int r = 0;
	for (struct dirent *de; (de = fd_next(d, &r));) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		if (!(n & (n - 1)))
			names = mem_grow(names, (n ? n * 2 : 1) * sizeof(*names));
		names[n++] = mem_str(de->d_name);
	}
	closedir(d);
	if (n)
		qsort(names, n, sizeof(*names), compare);
	if (r < 0) {
		treeout_unlist(names, n);
		return r;
	}
	*ret_names = names;
	*ret_count = n;
	return 0;
}
