/* SPDX-License-Identifier: Apache-2.0 */
/* See filedata.h. */
#include "image/filedata.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "image/dirstack.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

/* One file on its way. */
struct item {
	int parent;
	const char *name;
	const char *path;
	const struct tar_entry *en;
};

static int create(const struct item *it, struct err *e)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY;
	int fd = path_open(it->parent, it->name, PATH_BENEATH, flags, it->en->mode & 0777);
	if (fd == -EEXIST || fd == -ELOOP) {
		int r = dirstack_clear(it->parent, it->name);
		if (r < 0)
			return err_ret(e, r, "replace");
		fd = path_open(it->parent, it->name, PATH_BENEATH, flags, it->en->mode & 0777);
	}
	return fd < 0 ? err_ret(e, fd, "create") : fd;
}

static int write_bytes(int fd, const void *bytes, size_t len, struct err *e)
{
	int r = fd_write_all(fd, bytes, len);
	return r < 0 ? err_ret(e, r, "write") : 0;
}

static int write_rest(struct filedata *d, int fd, struct err *e)
{
	const uint8_t *p;
	size_t n;
	int r;
	while ((r = tar_data(d->tar, &p, &n, e)) == 1)
		if ((r = write_bytes(fd, p, n, e)) < 0)
			return r;
	return r;
}

/* ---- sparse files ---- */

static int write_part(struct filedata *d, int fd, struct tar_part part, const uint8_t **p, size_t *n, struct err *e)
{
	while (part.len) {
		int r = *n ? 1 : tar_data(d->tar, p, n, e);
		if (r <= 0)
			return r < 0 ? r : err_new(e, EINVAL, "sparse map: more than the data");
		size_t len = *n < part.len ? *n : (size_t)part.len;
		ssize_t put = pwrite(fd, *p, len, (off_t)part.offset);
		if (put < 0)
			return err_sys(e, "write");
		part.offset += (uint64_t)put;
		part.len -= (uint64_t)put;
		*p += put;
		*n -= (size_t)put;
	}
	return 0;
}

static int write_sparse(struct filedata *d, int fd, const struct tar_entry *en, struct err *e)
{
	const uint8_t *p = NULL;
	size_t n = 0;
	for (size_t i = 0; i < en->part_count; i++) {
		int r = write_part(d, fd, en->parts[i], &p, &n, e);
		if (r < 0)
			return r;
	}
	return ftruncate(fd, (off_t)en->size) < 0 ? err_sys(e, "size %llu", (unsigned long long)en->size) : 0;
}

/* Holes and empty files are never shared. */
static int make_alone(struct filedata *d, const struct item *it, struct err *e)
{
	fd_auto int fd = create(it, e);
	if (fd < 0)
		return fd_take(&fd);
	int r = it->en->is_sparse ? write_sparse(d, fd, it->en, e) : write_rest(d, fd, e);
	return r < 0 ? r : meta_file(fd, it->en, d->own, e);
}

/* ---- files that may be shared ---- */

/* The first bytes, all or SHARING_HEAD of them, and what came behind them in the same piece. */
struct head {
	const uint8_t *p;
	size_t len;
	const uint8_t *rest;
	size_t rest_len;
};

static int take_head(struct filedata *d, const struct tar_entry *en, struct head *ret_head, struct err *e)
{
	size_t want = en->size < SHARING_HEAD ? (size_t)en->size : SHARING_HEAD, got = 0;
	const uint8_t *p;
	size_t n;
	int r;
	while ((r = tar_data(d->tar, &p, &n, e)) == 1) {
		size_t len = n < want - got ? n : want - got;
		if (got || len < want) {
			if (!d->head)
				d->head = mem_alloc(SHARING_HEAD);
			memcpy(d->head + got, p, len);
		}
		*ret_head = (struct head){ got || len < want ? d->head : p, want, p + len, n - len };
		got += len;
		if (got == want)
			return 0;
	}
	return r < 0 ? r : err_new(e, EINVAL, "cut off");
}

static int write_own(struct filedata *d, const struct item *it, const struct head *h, struct err *e)
{
	fd_auto int fd = create(it, e);
	int r = fd < 0 ? fd : write_bytes(fd, h->p, h->len, e);
	if (r == 0 && h->rest_len)
		r = write_bytes(fd, h->rest, h->rest_len, e);
	if (r == 0)
		r = write_rest(d, fd, e);
	return r < 0 ? r : meta_file(fd, it->en, d->own, e);
}

/* What was equal so far comes from the other file; then these bytes, then the rest. */
static int write_on(struct filedata *d, const struct item *it, const struct sharing_file *f, const void *bytes,
		    size_t len, struct err *e)
{
	fd_auto int fd = create(it, e);
	int r = fd < 0 ? fd : sharing_copy(f, fd, e);
	if (r == 0 && len)
		r = write_bytes(fd, bytes, len, e);
	if (r == 0)
		r = write_rest(d, fd, e);
	return r < 0 ? r : meta_file(fd, it->en, d->own, e);
}

static int link_or_copy(struct filedata *d, const struct item *it, struct sharing_file *f, struct err *e)
{
	int r = sharing_link(d->share, f, it->parent, it->name);
	if (r == -EEXIST) {
		if ((r = dirstack_clear(it->parent, it->name)) < 0)
			return err_ret(e, r, "replace");
		r = sharing_link(d->share, f, it->parent, it->name);
	}
	return r < 0 ? write_on(d, it, f, NULL, 0, e) : 0;
}

/* The head is equal: the rest is compared as it comes. At the first difference the file is written after all. */
static int make_found(struct filedata *d, const struct item *it, struct sharing_file *f, const struct head *h,
		      struct err *e)
{
	const uint8_t *p = h->rest;
	size_t n = h->rest_len;
	int r = n ? 1 : tar_data(d->tar, &p, &n, e);
	for (; r == 1; r = tar_data(d->tar, &p, &n, e)) {
		uint64_t before = f->compared;
		if (!sharing_compare(d->share, f, p, n)) {
			size_t equal = (size_t)(f->compared - before);
			return write_on(d, it, f, p + equal, n - equal, e);
		}
	}
	return r < 0 ? r : link_or_copy(d, it, f, e);
}

static int make_shared(struct filedata *d, const struct item *it, struct err *e)
{
	struct head h = { .len = 0 };
	struct sharing_file f;
	int r = take_head(d, it->en, &h, e);
	if (r < 0)
		return r;
	bool is_found = sharing_find(d->share, &f, it->path, it->en, h.p, h.len);
	r = is_found ? make_found(d, it, &f, &h, e) : write_own(d, it, &h, e);
	if (r == 0)
		sharing_note(d->share, &f);
	sharing_file_done(&f);
	return r;
}

int filedata_make(struct filedata *d, int parent, const char *name, const char *path, const struct tar_entry *en,
		  struct err *e)
{
	struct item it = { parent, name, path, en };
	return d->share && en->size && !en->is_sparse ? make_shared(d, &it, e) : make_alone(d, &it, e);
}

void filedata_done(struct filedata *d)
{
	free(d->head);
	d->head = NULL;
}
