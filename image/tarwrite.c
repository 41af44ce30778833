/* SPDX-License-Identifier: Apache-2.0 */
/* See tarwrite.h. Source: pax(1) "ustar Interchange Format", "pax Extended Header". */
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
#include "image/whiteout.h"
#include "util/arena.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

enum { BLOCK = 512, PIECE = 256 << 10, DEPTH_MAX = 512 };

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
	struct str pax;
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
	static const char zeros[BLOCK];
	return put(w, zeros, -size & (BLOCK - 1), e);
}

/* ---- headers ---- */

/* One pax record, "LENGTH KEY=VALUE\n", whose length counts its own digits. */
static void pax_add(struct str *pax, const char *key, const void *value, size_t len)
{
	size_t body = strlen(key) + len + 3, total = body;
	for (;;) {
		char digits[24];
		size_t with = body + (size_t)snprintf(digits, sizeof(digits), "%zu", total);
		if (with == total)
			break;
		total = with;
	}
	str_fmt(pax, "%zu %s=", total, key);
	str_add(pax, value, len);
	str_puts(pax, "\n");
}

static void pax_text(struct str *pax, const char *key, const char *text)
{
	pax_add(pax, key, text, strlen(text));
}

static void octal(char *field, size_t size, uint64_t value)
{
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

/* A number that does not fit its octal field goes into a pax record, and 0 into the field. */
static void number(struct str *pax, const char *key, char *field, size_t size, uint64_t value)
{
	char text[24];
	bool fits = value < 1ULL << (3 * (size - 1));
	octal(field, size, fits ? value : 0);
	if (fits)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	pax_text(pax, key, text);
}

static int put_header(struct writer *w, char h[static BLOCK], char type, struct err *e)
{
	unsigned int sum = 0;
	h[156] = type;
	memcpy(h + 257,
	       "ustar\0"
	       "00",
	       8);
	memset(h + 148, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	return put(w, h, BLOCK, e);
}

static int put_pax(struct writer *w, struct err *e)
{
	char h[BLOCK] = "PaxHeader";
	if (!w->pax.len)
		return 0;
	octal(h + 100, 8, 0644);
	octal(h + 108, 8, 0);
	octal(h + 116, 8, 0);
	octal(h + 124, 12, w->pax.len);
	octal(h + 136, 12, 0);
	int r = put_header(w, h, 'x', e);
	if (r == 0)
		r = put(w, w->pax.p, w->pax.len, e);
	return r < 0 ? r : pad(w, w->pax.len, e);
}

static void add_times(struct writer *w, char *h, const struct stat *st)
{
	char text[48];
	int64_t sec = st->st_mtim.tv_sec;
	bool is_plain = sec >= 0 && st->st_mtim.tv_nsec == 0;
	octal(h + 136, 12, sec > 0 && sec < 1LL << 33 ? (uint64_t)sec : 0);
	if (is_plain && sec < 1LL << 33)
		return;
	if (sec >= 0)
		snprintf(text, sizeof(text), "%lld.%09ld", (long long)sec, st->st_mtim.tv_nsec);
	else if (st->st_mtim.tv_nsec)
		snprintf(text, sizeof(text), "-%lld.%09ld", (long long)-(sec + 1),
			 1000000000 - st->st_mtim.tv_nsec);
	else
		snprintf(text, sizeof(text), "%lld", (long long)sec);
	pax_text(&w->pax, "mtime", text);
}

/* Adds the xattrs that layers may have. `fd` is O_PATH. */
static int add_xattrs(struct writer *w, int fd, struct err *e)
{
	char path[32], names[64 << 10];
	fd_path(fd, path);
	ssize_t len = listxattr(path, names, sizeof(names));
	if (len < 0 && errno != ENOTSUP)
		return err_sys(e, "list xattrs");
	for (char *name = names; name < names + len; name += strlen(name) + 1) {
		if (!meta_xattr_is_kept(name))
			continue;
		free_auto char *key = mem_fmt("SCHILY.xattr.%s", name);
		free_auto char *value = mem_alloc(PAX_XATTR_MAX);
		ssize_t n = getxattr(path, name, value, PAX_XATTR_MAX);
		if (n < 0)
			return err_sys(e, "xattr %s", name);
		pax_add(&w->pax, key, value, (size_t)n);
	}
	return 0;
}

static int put_entry(struct writer *w, int fd, const char *path, const struct stat *st, char type,
		     const char *link, struct err *e)
{
	char h[BLOCK] = { 0 };
	w->pax.len = 0;
	size_t len = strlen(path), link_len = link ? strlen(link) : 0;
	memcpy(h, path, len < 100 ? len : 100);
	memcpy(h + 157, link ? link : "", link_len < 100 ? link_len : 100);
	if (len > 100)
		pax_text(&w->pax, "path", path);
	if (link_len > 100)
		pax_text(&w->pax, "linkpath", link);
	octal(h + 100, 8, st->st_mode & 07777);
	number(&w->pax, "uid", h + 108, 8, st->st_uid);
	number(&w->pax, "gid", h + 116, 8, st->st_gid);
	number(&w->pax, "size", h + 124, 12, type == '0' ? (uint64_t)st->st_size : 0);
	add_times(w, h, st);
	bool is_device = type == '3' || type == '4';
	octal(h + 329, 8, is_device ? major(st->st_rdev) : 0);
	octal(h + 337, 8, is_device ? minor(st->st_rdev) : 0);
	int r = type == '1' ? 0 : add_xattrs(w, fd, e);
	if (r == 0)
		r = put_pax(w, e);
	return r < 0 ? r : put_header(w, h, type, e);
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
	int r = put_entry(w, fd, with_slash, st, '5', NULL, e);
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
	return put_entry(w, fd, path, st, '2', target, e);
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
		return put_entry(w, fd, path, &st, '1', first, e);
	if (S_ISLNK(st.st_mode))
		return put_link(w, fd, path, &st, e);
	char type = S_ISREG(st.st_mode) ? '0' : S_ISCHR(st.st_mode) ? '3' : S_ISBLK(st.st_mode) ? '4' : '6';
	int r = put_entry(w, fd, path, &st, type, NULL, e);
	return r < 0 || type != '0' ? r : put_data(w, parent, name, (uint64_t)st.st_size, e);
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
	static const char end[2 * BLOCK];
	struct stat st;
	if (fstat(root, &st) < 0)
		return err_sys(e, "stat");
	struct writer w = { .out = out, .dev = st.st_dev, .buf = mem_alloc(PIECE), .pax = STR_MAX(8 << 20) };
	fd_auto int self = path_open(root, ".", PATH_BENEATH, O_PATH | O_DIRECTORY, 0);
	int r = self < 0 ? err_ret(e, self, "open") : put_entry(&w, self, "./", &st, '5', NULL, e);
	if (r == 0)
		r = put_tree(&w, root, "", 0, e);
	if (r == 0)
		r = put(&w, end, sizeof(end), e);
	if (r == 0)
		r = flush(&w, e);
	free(w.buf);
	free(w.links);
	str_done(&w.pax);
	arena_done(&w.arena);
	return r;
}
