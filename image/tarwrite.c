/* SPDX-License-Identifier: Apache-2.0 */
/* See tarwrite.h. */
#include "image/tarwrite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/meta.h"
#include "image/tarhead.h"
#include "image/whiteout.h"
#include "util/arena.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

enum { PIECE = 256 << 10, DEPTH_MAX = 512 };

/* A file with several names, and the first of them in the archive. */
struct link_row {
	dev_t dev;
	ino_t ino;
	const char *path;
};

struct writer {
	int out;
	dev_t dev;
	struct arena arena;
	struct link_row *links;
	size_t link_count, link_room;
	char *buf;
	size_t used; /* bytes in buf that are not written yet */
	struct str pax, head;
};

static int flush(struct writer *w, struct err *e)
{
	int r = fd_write_all(w->out, w->buf, w->used);
	w->used = 0;
	return r < 0 ? err_ret(e, r, "write the archive") : 0;
}

static int put(struct writer *w, const void *bytes, size_t len, struct err *e)
{
	for (const char *p = bytes; len;) {
		size_t n = PIECE - w->used < len ? PIECE - w->used : len;
		memcpy(w->buf + w->used, p, n);
		w->used += n;
		p += n;
		len -= n;
		int r = w->used == PIECE ? flush(w, e) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int pad(struct writer *w, uint64_t size, struct err *e)
{
	static const char zeros[TAR_BLOCK_SIZE];
	return put(w, zeros, tar_pad(size), e);
}

/* The xattrs that layers may have; they live in the arena. `fd` is O_PATH. */
static int read_xattrs(struct arena *arena, int fd, struct tar_entry *en, struct err *e)
{
	char path[32], names[64 << 10];
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
			.name = arena_str(arena, name), .value = arena_strn(arena, value, (size_t)n), .len = (size_t)n,
		};
	}
	en->xattrs = rows;
	return 0;
}

static int put_entry(struct writer *w, int fd, const char *path, const struct stat *st, enum tar_type type,
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
	if (r < 0)
		return r;
	w->head.len = 0;
	tar_head(&en, &w->pax, &w->head);
	return put(w, w->head.p, w->head.len, e);
}

/* ---- the tree ---- */

static int put_data(struct writer *w, int parent, const char *name, uint64_t size, struct err *e)
{
	fd_auto int fd =
		path_open(parent, name, PATH_BENEATH, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return err_ret(e, fd, "open");
	free_auto char *buf = mem_alloc(PIECE);
	int r = 0;
	for (uint64_t left = size; r == 0 && left;) {
		ssize_t n = read(fd, buf, left < PIECE ? (size_t)left : PIECE);
		if (n <= 0)
			return n < 0 ? err_sys(e, "read") : err_new(e, EIO, "shrank while it was read");
		left -= (uint64_t)n;
		r = put(w, buf, (size_t)n, e);
	}
	return r < 0 ? r : pad(w, size, e);
}

/* The first name of a file that has several, or NULL when this is it. */
static const char *first_name(struct writer *w, const struct stat *st, const char *path)
{
	if (st->st_nlink < 2)
		return NULL;
	for (size_t i = w->link_count; i-- > 0;)
		if (w->links[i].ino == st->st_ino && w->links[i].dev == st->st_dev)
			return w->links[i].path;
	if (w->link_count == w->link_room) {
		w->link_room = w->link_room ? w->link_room * 2 : 64;
		w->links = mem_grow(w->links, w->link_room * sizeof(*w->links));
	}
	w->links[w->link_count++] = (struct link_row){ st->st_dev, st->st_ino, arena_str(&w->arena, path) };
	return NULL;
}

static int put_tree(struct writer *w, int dir, const char *prefix, int depth, struct err *e);

static int put_dir(struct writer *w, int fd, const char *path, const struct stat *st, int depth,
		   struct err *e)
{
	char with_slash[PATH_MAX + 2];
	snprintf(with_slash, sizeof(with_slash), "%s/", path);
	int r = put_entry(w, fd, with_slash, st, TAR_DIR, NULL, e);
	if (r < 0 || st->st_dev != w->dev)
		return r;
	fd_auto int dir = path_open(fd, ".", PATH_BENEATH, O_RDONLY | O_DIRECTORY, 0);
	return dir < 0 ? err_ret(e, dir, "open") : put_tree(w, dir, with_slash, depth, e);
}

static int put_link(struct writer *w, int fd, const char *path, const struct stat *st, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
	if (n < 0)
		return err_sys(e, "read link");
	target[n] = '\0';
	return put_entry(w, fd, path, st, TAR_SYMLINK, target, e);
}

static int put_one(struct writer *w, int parent, const char *name, const char *path, int depth, struct err *e)
{
	struct stat st;
	fd_auto int fd = path_open(parent, name, PATH_BENEATH, O_PATH | O_NOFOLLOW, 0);
	/* What is mounted on a file or directory is not part of the tree. */
	if (fd == -EXDEV)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? err_ret(e, fd, "open") : err_sys(e, "stat");
	if (S_ISDIR(st.st_mode))
		return put_dir(w, fd, path, &st, depth + 1, e);
	if (S_ISSOCK(st.st_mode) || whiteout_is(&st))
		return 0;
	const char *first = first_name(w, &st, path);
	if (first)
		return put_entry(w, fd, path, &st, TAR_HARDLINK, first, e);
	if (S_ISLNK(st.st_mode))
		return put_link(w, fd, path, &st, e);
	enum tar_type type = S_ISREG(st.st_mode) ? TAR_FILE :
			     S_ISCHR(st.st_mode) ? TAR_CHAR :
			     S_ISBLK(st.st_mode) ? TAR_BLOCK :
						   TAR_FIFO;
	int r = put_entry(w, fd, path, &st, type, NULL, e);
	return r < 0 || type != TAR_FILE ? r : put_data(w, parent, name, (uint64_t)st.st_size, e);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in a directory, sorted. The caller frees the list and each name. */
static int list(int dir, char ***ret_names, size_t *ret_count)
{
	int own = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	if (!d) {
		int failed = -errno;
		fd_close(own);
		return failed;
	}
	char **names = NULL;
	size_t n = 0;
	int r = 0;
	for (;;) {
		errno = 0;
		struct dirent *de = readdir(d);
		if (!de) {
			r = -errno;
			break;
		}
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		if (!(n & (n - 1)))
			names = mem_grow(names, (n ? n * 2 : 1) * sizeof(*names));
		names[n++] = mem_str(de->d_name);
	}
	closedir(d);
	if (n)
		qsort(names, n, sizeof(*names), compare);
	*ret_names = names;
	*ret_count = n;
	return r;
}

static int put_tree(struct writer *w, int dir, const char *prefix, int depth, struct err *e)
{
	char **names = NULL;
	size_t n = 0;
	int r = depth > DEPTH_MAX ? -ELOOP : list(dir, &names, &n);
	if (r < 0)
		err_ret(e, r, "%.200s", *prefix ? prefix : ".");
	for (size_t i = 0; i < n; i++) {
		char path[PATH_MAX];
		int len = snprintf(path, sizeof(path), "%s%s", prefix, names[i]);
		if (r == 0 && (size_t)len >= sizeof(path))
			r = err_new(e, ENAMETOOLONG, "%.200s", prefix);
		else if (r == 0 && (r = put_one(w, dir, names[i], path, depth, e)) < 0)
			err_at(e, r, "%.200s", path);
		free(names[i]);
	}
	free(names);
	return r;
}

int tar_write_tree(int root, int out, struct err *e)
{
	static const char end[2 * TAR_BLOCK_SIZE];
	struct stat st;
	if (fstat(root, &st) < 0)
		return err_sys(e, "stat");
	struct writer w = { .out = out, .dev = st.st_dev, .buf = mem_alloc(PIECE), .pax = STR_MAX(8 << 20),
			    .head = STR_MAX(16 << 20) };
	fd_auto int self = path_open(root, ".", PATH_BENEATH, O_PATH | O_DIRECTORY, 0);
	int r = self < 0 ? err_ret(e, self, "open") : put_entry(&w, self, "./", &st, TAR_DIR, NULL, e);
	if (r == 0)
		r = put_tree(&w, root, "", 0, e);
	if (r == 0)
		r = put(&w, end, sizeof(end), e);
	if (r == 0)
		r = flush(&w, e);
	free(w.buf);
	free(w.links);
	str_done(&w.pax);
	str_done(&w.head);
	arena_done(&w.arena);
	return r;
}
