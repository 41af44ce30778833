/* SPDX-License-Identifier: Apache-2.0 */
/* See sharing.h. */
#include "image/sharing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/fastsum.h"
#include "image/meta.h"
#include "image/ref.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

enum {
	MAPPED_MAX = 24 << 20, /* bytes of lists that are mapped, but for the image's own */
	ROWS_MAX = 32,	  /* equal rows looked at for one file */
	TRIES_MAX = 4,	  /* files opened in vain for one file */
	XATTR_NAMES_MAX = 4096,
};

/* ---- one ingest ---- */

/* A layer that is there, before its list is mapped. */
struct found {
	char hex[65];
	bool is_of_image;
	off_t bytes; /* of its list; 0: none */
};

/* The image's own layers first, then the longest lists, which are those of the layers that others build upon. */
static int compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	if (x->is_of_image != y->is_of_image)
		return x->is_of_image ? -1 : 1;
	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

static void list_path(const char *hex, char out[static STORE_PATH_MAX])
{
	snprintf(out, STORE_PATH_MAX, "%.64s/" FILEINDEX_NAME, hex);
}

static size_t find_layers(int layers, bool (*is_of_image)(const void *ctx, const char *diff_id), const void *ctx,
			  struct found **ret_found)
{
	int list = openat(layers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = list < 0 ? NULL : fdopendir(list);
	size_t n = 0;
	*ret_found = NULL;
	if (!d) {
		fd_close(list);
		return 0;
	}
	for (struct dirent *de; (de = readdir(d));) {
		char digest[NAME_MAX + 16], path[STORE_PATH_MAX];
		struct stat st;
		snprintf(digest, sizeof(digest), "sha256:%s", de->d_name);
		if (!digest_is_valid(digest))
			continue;
		*ret_found = mem_grow(*ret_found, (n + 1) * sizeof(**ret_found));
		struct found *f = &(*ret_found)[n++];
		*f = (struct found){ .is_of_image = is_of_image(ctx, digest) };
		memcpy(f->hex, de->d_name, sizeof(f->hex));
		list_path(f->hex, path);
		if (fstatat(layers, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			f->bytes = st.st_size;
	}
	closedir(d);
	return n;
}

static void open_list(struct sharing *s, const struct found *f)
{
	char path[STORE_PATH_MAX];
	struct sharing_list list = { .is_of_image = f->is_of_image };
	list_path(f->hex, path);
	int r = fileindex_open(s->layers, path, &list.index);
	s->is_by_path |= f->is_of_image && (r < 0 || list.index.is_cut);
	if (r < 0)
		return;
	memcpy(list.hex, f->hex, sizeof(list.hex));
	s->lists = mem_grow(s->lists, (s->n + 1) * sizeof(*s->lists));
	s->lists[s->n++] = list;
}

void sharing_open(const struct store *s, bool (*is_of_image)(const void *ctx, const char *diff_id), const void *ctx,
		  struct sharing *ret_sharing)
{
	struct sharing out = SHARING_NONE;
	free_auto struct found *found = NULL;
	out.budget = FILEINDEX_BUDGET;
	out.layers = openat(s->dir, "layers/sha256", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t n = out.layers < 0 ? 0 : find_layers(out.layers, is_of_image, ctx, &found);
	if (n)
		qsort(found, n, sizeof(*found), compare_found);
	off_t left = MAPPED_MAX;
	for (size_t i = 0; i < n; i++) {
		if (!found[i].is_of_image && (!found[i].bytes || found[i].bytes > left))
			continue;
		open_list(&out, &found[i]);
		left -= found[i].bytes;
	}
	*ret_sharing = out;
}

void sharing_done(struct sharing *s)
{
	while (s->n > 0)
		fileindex_done(&s->lists[--s->n].index);
	free(s->lists);
	s->lists = NULL;
	numberset_done(&s->used);
	fd_drop(&s->layers);
}

/* ---- one layer ---- */

void sharing_begin(struct sharing_layer *l, struct sharing *all)
{
	*l = (struct sharing_layer){ .all = all, .made = { .budget = &all->budget } };
	l->buf = mem_alloc(SHARING_HEAD);
}

void sharing_end(struct sharing_layer *l)
{
	fileindex_made_done(&l->made);
	free(l->buf);
	*l = (struct sharing_layer){ .all = NULL };
}

/* Rows and inodes have numbers in one set. */
static uint64_t number_of_inode(uint64_t ino)
{
	return ino << 1;
}

static uint64_t number_of_row(size_t list, uint32_t row)
{
	return ((uint64_t)list << 32 | row) << 1 | 1;
}

/* ---- what equal means ---- */

/* All but the content, as a number. xattrs are summed up: archives have them in any order. */
static uint64_t key_of(const struct tar_entry *en)
{
	struct {
		uint64_t size, seconds, xattrs;
		uint32_t nanoseconds, mode, uid, gid;
	} m = { en->size, (uint64_t)en->mtime.tv_sec, 0, (uint32_t)en->mtime.tv_nsec, en->mode, en->uid, en->gid };
	for (size_t i = 0; i < en->xattr_count; i++)
		if (meta_xattr_is_kept(en->xattrs[i].name))
			m.xattrs += fastsum64(en->xattrs[i].name, strlen(en->xattrs[i].name)) * 3 +
				    fastsum64(en->xattrs[i].value, en->xattrs[i].len);
	return fastsum64(&m, sizeof(m));
}

static bool is_stat_equal(const struct stat *st, const struct tar_entry *en)
{
	return S_ISREG(st->st_mode) && (uint64_t)st->st_size == en->size && (st->st_mode & 07777) == en->mode &&
	       st->st_uid == en->uid && st->st_gid == en->gid && st->st_mtim.tv_sec == en->mtime.tv_sec &&
	       st->st_mtim.tv_nsec == en->mtime.tv_nsec;
}

static bool has_xattr(int fd, const struct tar_xattr *x)
{
	char small[256];
	free_auto char *large = x->len >= sizeof(small) ? mem_alloc(x->len + 1) : NULL;
	char *value = large ? large : small;
	ssize_t n = fgetxattr(fd, x->name, value, x->len + 1);
	return n == (ssize_t)x->len && memcmp(value, x->value, x->len) == 0;
}

/* Each of the entry's is there, and as many are there as it has. */
static bool are_xattrs_equal(int fd, const struct tar_entry *en)
{
	char names[XATTR_NAMES_MAX];
	ssize_t len = flistxattr(fd, names, sizeof(names));
	size_t has = 0, wants = 0;
	if (len < 0 && errno != ENOTSUP)
		return false;
	for (char *name = names; name < names + len; name += strlen(name) + 1)
		has += meta_xattr_is_kept(name);
	for (size_t i = 0; i < en->xattr_count; i++)
		if (meta_xattr_is_kept(en->xattrs[i].name)) {
			wants++;
			if (!has_xattr(fd, &en->xattrs[i]))
				return false;
		}
	return has == wants;
}

bool sharing_compare(struct sharing_layer *l, struct sharing_file *f, const void *bytes, size_t len)
{
	const char *p = bytes;
	while (len) {
		size_t want = len < SHARING_HEAD ? len : SHARING_HEAD;
		ssize_t n = pread(f->bytes, l->buf, want, (off_t)f->compared);
		if (n <= 0 || memcmp(l->buf, p, (size_t)n) != 0)
			return false;
		f->compared += (uint64_t)n;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- candidates ---- */

struct place {
	size_t list;
	uint32_t row;
};

struct places {
	struct place v[ROWS_MAX];
	size_t n;
};

struct candidates {
	struct places same_path, others;
	struct places of_image; /* other names in this image: their inodes are not to be used */
};

/* False: there are more than fit. */
static bool add_place(struct places *p, size_t list, uint32_t row)
{
	if (p->n < ROWS_MAX)
		p->v[p->n++] = (struct place){ list, row };
	else
		return false;
	return true;
}

static void gather(const struct sharing_layer *l, const struct sharing_file *f, struct candidates *c)
{
	bool is_full = false;
	for (size_t i = 0; i < l->all->n; i++) {
		const struct sharing_list *list = &l->all->lists[i];
		uint32_t count, first = fileindex_find(&list->index, f->row.key, f->row.digest, &count);
		if (count == FILEINDEX_EQUAL_MAX) {
			first = fileindex_find_path(&list->index, &f->row, &count);
			is_full |= list->is_of_image;
		}
		for (uint32_t row = first; row < first + count; row++) {
			if (list->index.rows[row].path_hash == f->row.path_hash)
				add_place(&c->same_path, i, row);
			else if (list->is_of_image)
				is_full |= !add_place(&c->of_image, i, row);
			else if (!numberset_has(&l->all->used, number_of_row(i, row)))
				add_place(&c->others, i, row);
		}
	}
	/* Not all of the image's own names can be looked at: only the same path is known to be none of them. */
	if (is_full || l->all->is_by_path)
		c->others.n = 0;
}

/*
 * Opens a row's file as O_PATH: what is there now may be a device, which is not to be opened. The way leads
 * through no symlink and to no other mount.
 */
static int open_place(const struct sharing *s, const struct place *p, struct stat *ret_st)
{
	char path[STORE_PATH_MAX + TAR_PATH_MAX];
	const struct sharing_list *list = &s->lists[p->list];
	const char *name = fileindex_path(&list->index, p->row);
	if (!name)
		return -EBADMSG;
	int len =
		snprintf(path, sizeof(path), "%s/%s/%s", list->hex, list->index.is_opaque ? "fs-opaque" : "fs", name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	fd_auto int fd = path_open(s->layers, path, PATH_BENEATH, O_PATH | O_NOFOLLOW, 0);
	if (fd >= 0 && fstat(fd, ret_st) < 0)
		return -errno;
	return fd_take(&fd);
}

static bool is_inode_of_image(const struct sharing *s, const struct candidates *c, uint64_t ino)
{
	for (size_t i = 0; i < c->of_image.n; i++) {
		struct stat st;
		fd_auto int fd = open_place(s, &c->of_image.v[i], &st);
		if (fd >= 0 && st.st_ino == ino)
			return true;
	}
	return false;
}

static bool try_place(struct sharing_layer *l, struct sharing_file *f, const struct candidates *c,
		      const struct place *p, const void *head, size_t head_len)
{
	char name[32];
	struct stat st;
	fd_auto int fd = open_place(l->all, p, &st);
	if (fd < 0 || !is_stat_equal(&st, f->en) || numberset_has(&l->all->used, number_of_inode(st.st_ino)) ||
	    is_inode_of_image(l->all, c, st.st_ino))
		return false;
	fd_auto int bytes = open(fd_path(fd, name), O_RDONLY | O_NOATIME | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (bytes < 0)
		return false;
	f->bytes = bytes;
	f->compared = 0;
	if (!are_xattrs_equal(bytes, f->en) || !sharing_compare(l, f, head, head_len)) {
		f->bytes = -1;
		return false;
	}
	f->other = fd_take(&fd);
	fd_take(&bytes);
	f->ino = st.st_ino;
	f->used = number_of_row(p->list, p->row);
	return true;
}

static bool try_places(struct sharing_layer *l, struct sharing_file *f, const struct candidates *c,
		       const struct places *places, const void *head, size_t head_len)
{
	for (size_t i = 0; i < places->n && i < TRIES_MAX; i++)
		if (try_place(l, f, c, &places->v[i], head, head_len))
			return true;
	return false;
}

bool sharing_find(struct sharing_layer *l, struct sharing_file *f, const char *path, const struct tar_entry *en,
		  const void *head, size_t head_len)
{
	*f = (struct sharing_file){ .path = path, .en = en, .other = -1, .bytes = -1 };
	f->row.key = key_of(en);
	f->row.path_hash = fileindex_path_hash(path);
	fastsum128(head, head_len, f->row.digest);
	if (!l->all->n)
		return false;
	struct candidates c;
	c.same_path.n = c.others.n = c.of_image.n = 0;
	gather(l, f, &c);
	return try_places(l, f, &c, &c.same_path, head, head_len) || try_places(l, f, &c, &c.others, head, head_len);
}

void sharing_file_done(struct sharing_file *f)
{
	fd_drop(&f->other);
	fd_drop(&f->bytes);
}

/* ---- the outcome ---- */

int sharing_link(struct sharing_layer *l, struct sharing_file *f, int parent, const char *name)
{
	char path[32];
	if (!f->is_claimed && !numberset_take(&l->all->used, number_of_inode(f->ino)))
		return -EBUSY;
	f->is_claimed = true;
	/* linkat(2): by descriptor, so that it is the very file that was compared. */
	if (linkat(AT_FDCWD, fd_path(f->other, path), parent, name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	numberset_take(&l->all->used, f->used);
	l->shared_files++;
	l->shared_bytes += f->en->size;
	return 0;
}

int sharing_copy(const struct sharing_file *f, int fd, struct err *e)
{
	off_t at = 0;
	while ((uint64_t)at < f->compared) {
		ssize_t n = sendfile(fd, f->bytes, &at, (size_t)(f->compared - (uint64_t)at));
		if (n <= 0)
			return n < 0 ? err_sys(e, "copy") : err_new(e, EIO, "copy: cut off");
	}
	return 0;
}

void sharing_note(struct sharing_layer *l, const struct sharing_file *f)
{
	fileindex_add(&l->made, &f->row, f->path);
}
