/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See tar.h. Sources: tar(5) of libarchive, pax(1) "ustar Interchange Format", GNU tar manual "Basic Tar
 * Format".
 */
#include "image/tar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/tarfield.h"
#include "image/tarsparse.h"
#include "util/mem.h"

void tar_open(struct tar *t, struct flow *in)
{
	*t = (struct tar){ .in = in };
}

void tar_done(struct tar *t)
{
	free(t->body);
	free(t->parts.v);
	pax_done(&t->pax);
	t->body = NULL;
	t->parts = (struct tar_parts){ .v = NULL };
}

/* ---- bytes ---- */

/* Makes sure that at least one byte is at hand. Returns 1, 0 at the flow's end, or -errno. */
static int fill(struct tar *t, struct err *e)
{
	return t->n ? 1 : flow_pull(t->in, &t->p, &t->n, e);
}

static void advance(struct tar *t, size_t len)
{
	t->p += len;
	t->n -= len;
	t->offset += len;
}

static int truncated(const struct tar *t, struct err *e)
{
	return err_new(e, EINVAL, "tar ends in the middle, at byte %llu", (unsigned long long)t->offset);
}

/* Reads up to `len` bytes; less only at the flow's end. */
static ssize_t read_some(struct tar *t, void *out, size_t len, struct err *e)
{
	size_t got = 0;
	while (got < len) {
		int r = fill(t, e);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		size_t n = t->n < len - got ? t->n : len - got;
		memcpy((char *)out + got, t->p, n);
		advance(t, n);
		got += n;
	}
	return (ssize_t)got;
}

int tar_read(struct tar *t, void *out, size_t len, struct err *e)
{
	ssize_t n = read_some(t, out, len, e);
	return n < 0 ? (int)n : (size_t)n < len ? truncated(t, e) : 0;
}

static int skip(struct tar *t, uint64_t len, struct err *e)
{
	while (len) {
		if (!t->n && t->in->skip) {
			t->offset += len;
			return t->in->skip(t->in, len, e);
		}
		int r = fill(t, e);
		if (r <= 0)
			return r < 0 ? r : truncated(t, e);
		size_t n = t->n < len ? t->n : (size_t)len;
		advance(t, n);
		len -= n;
	}
	return 0;
}

/*
 * Padding behind the last entry may be missing, as umoci and others leave it away: then this is the archive's
 * end.
 */
static int skip_padding(struct tar *t, struct err *e)
{
	ssize_t n = read_some(t, t->block, (size_t)t->pad_left, e);
	t->is_end |= n >= 0 && (uint64_t)n < t->pad_left;
	return n < 0 ? (int)n : 0;
}

static void set_data(struct tar *t, uint64_t bytes)
{
	t->data_left = bytes;
	t->pad_left = -bytes & (TAR_BLOCK_SIZE - 1);
}

/* The header block's own name: ustar and star put the front part of a long one into `prefix`. */
static void take_names(struct tar *t, const uint8_t *h)
{
	size_t len = 0;
	if (tar_is_ustar(h)) {
		bool is_star = memcmp(h + AT_STAR, "tar\0", 4) == 0;
		tar_text(t->path, h + AT_PREFIX, is_star ? 131 : 155);
		len = strlen(t->path);
		if (len)
			t->path[len++] = '/';
	}
	tar_text(t->path + len, h + AT_NAME, 100);
	tar_text(t->link, h + AT_LINK, 100);
}

/* ---- headers ---- */

/*
 * Reads the next header into t->block. Returns 1, or 0 at the end: two zero blocks, one and the end, or the
 * flow's.
 */
static int next_header(struct tar *t, struct err *e)
{
	for (int zeros = 0; zeros < 2; zeros++) {
		ssize_t n = read_some(t, t->block, TAR_BLOCK_SIZE, e);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		if (n < TAR_BLOCK_SIZE)
			return truncated(t, e);
		bool is_zero = t->block[0] == 0 && memcmp(t->block, t->block + 1, TAR_BLOCK_SIZE - 1) == 0;
		if (!is_zero && zeros)
			return err_new(e, EINVAL, "tar: a lone zero block at byte %llu",
				       (unsigned long long)t->offset - 2 * TAR_BLOCK_SIZE);
		if (is_zero)
			continue;
		if (!tar_sum_is_right(t->block))
			return err_new(e, EINVAL, "tar: bad header checksum at byte %llu",
				       (unsigned long long)t->offset - TAR_BLOCK_SIZE);
		return 1;
	}
	t->is_end = true;
	return 0;
}

/* Reads the body of an extra header (pax, GNU's long names), NUL-terminated, into memory of the caller's. */
static int read_body(struct tar *t, const uint8_t *h, size_t max, char *out, size_t *ret_len, struct err *e)
{
	int64_t size;
	if (!tar_number(h + AT_SIZE, 12, &size) || size < 0)
		return err_new(e, EINVAL, "tar: bad size of an extended header");
	if ((uint64_t)size > max)
		return err_new(e, E2BIG, "tar: an extended header of %lld bytes, at most %zu",
			       (long long)size, max);
	int r = tar_read(t, out, (size_t)size, e);
	if (r == 0)
		r = skip(t, -(uint64_t)size & (TAR_BLOCK_SIZE - 1), e);
	out[r == 0 ? size : 0] = '\0';
	if (ret_len)
		*ret_len = (size_t)size;
	return r;
}

static int read_pax(struct tar *t, const uint8_t *h, bool is_global, struct err *e)
{
	size_t len;
	if (!t->body)
		t->body = mem_alloc(PAX_BODY_MAX + 1);
	if (is_global) {
		int64_t size;
		if (!tar_number(h + AT_SIZE, 12, &size) || size < 0 || size > PAX_BODY_MAX)
			return err_new(e, EINVAL, "tar: bad size of a global header");
		return skip(t, ((uint64_t)size + TAR_BLOCK_SIZE - 1) & ~(uint64_t)(TAR_BLOCK_SIZE - 1), e);
	}
	int r = read_body(t, h, PAX_BODY_MAX, t->body, &len, e);
	return r < 0 ? r : pax_parse(&t->pax, t->body, len, e);
}

static int read_name(struct tar *t, const uint8_t *h, char out[static TAR_PATH_MAX + 2], struct err *e)
{
	int r = read_body(t, h, TAR_PATH_MAX + 1, out, NULL, e);
	return r == 0 && strlen(out) > TAR_PATH_MAX ?
		       err_new(e, ENAMETOOLONG, "tar: name of more than %d bytes", TAR_PATH_MAX) :
		       r;
}

struct long_names {
	bool has_path, has_link;
	char path[TAR_PATH_MAX + 2];
	char link[TAR_PATH_MAX + 2];
};

/* Extra headers come before the one they speak of. Returns 1 when `h` was one of them, 0 when it was not. */
static int take_extra(struct tar *t, const uint8_t *h, struct long_names *names, struct err *e)
{
	char type = (char)h[AT_TYPE];
	int r = 0;
	if (type == 'x' || type == 'X' || type == 'g') {
		r = read_pax(t, h, type == 'g', e);
	} else if (type == 'L') {
		r = read_name(t, h, names->path, e);
		names->has_path = true;
	} else if (type == 'K') {
		r = read_name(t, h, names->link, e);
		names->has_link = true;
	} else {
		return 0;
	}
	return r < 0 ? r : 1;
}

static const struct {
	char flag;
	enum tar_type type;
} types[] = {
	{ '0', TAR_FILE },     { '\0', TAR_FILE },   { '7', TAR_FILE }, { 'S', TAR_FILE },
	{ '1', TAR_HARDLINK }, { '2', TAR_SYMLINK }, { '3', TAR_CHAR }, { '4', TAR_BLOCK },
	{ '5', TAR_DIR },      { '6', TAR_FIFO },
};

static int take_type(struct tar *t, const uint8_t *h, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].flag == (char)h[AT_TYPE]) {
			t->entry.type = types[i].type;
			return 0;
		}
	return err_new(e, EINVAL, "entry type 0x%02x is not known", h[AT_TYPE]);
}

static int take_id(const uint8_t *field, bool has, uint64_t pax, const char *what, uint32_t *ret_id,
		   struct err *e)
{
	int64_t v = (int64_t)pax;
	if (!has && !tar_number(field, 8, &v))
		return err_new(e, EINVAL, "bad %s", what);
	/* 2^32-1 means "no change" to chown(2). */
	if (v < 0 || v >= UINT32_MAX)
		return err_new(e, EINVAL, "%s %lld is out of range", what, (long long)v);
	*ret_id = (uint32_t)v;
	return 0;
}

static int take_numbers(struct tar *t, const uint8_t *h, struct err *e)
{
	struct tar_entry *en = &t->entry;
	const struct pax *pax = &t->pax;
	int64_t mode, mtime, size = (int64_t)pax->size, dev_major = 0, dev_minor = 0;
	int r = take_id(h + AT_UID, pax->has_uid, pax->uid, "uid", &en->uid, e);
	if (r < 0 || (r = take_id(h + AT_GID, pax->has_gid, pax->gid, "gid", &en->gid, e)) < 0)
		return r;
	if (!tar_number(h + AT_MODE, 8, &mode) || !tar_number(h + AT_MTIME, 12, &mtime))
		return err_new(e, EINVAL, "bad mode or time");
	if ((!pax->has_size && !tar_number(h + AT_SIZE, 12, &size)) || size < 0)
		return err_new(e, EINVAL, "bad size");
	if ((en->type == TAR_CHAR || en->type == TAR_BLOCK) &&
	    (!tar_number(h + AT_MAJOR, 8, &dev_major) || !tar_number(h + AT_MINOR, 8, &dev_minor) ||
	     dev_major < 0 || dev_minor < 0 || dev_major > UINT32_MAX || dev_minor > UINT32_MAX))
		return err_new(e, EINVAL, "bad device number");
	en->mode = (uint32_t)mode & 07777;
	en->mtime = pax->has_mtime ? pax->mtime : (struct timespec){ .tv_sec = mtime };
	en->dev_major = (uint32_t)dev_major;
	en->dev_minor = (uint32_t)dev_minor;
	/* Links, devices and directories have no data, whatever their size field says. */
	en->size = en->data_bytes = en->type == TAR_FILE ? (uint64_t)size : 0;
	return 0;
}

/* Names in the order of who wins: GNU's long name, pax, the header block. */
static void choose_names(struct tar *t, const struct long_names *names)
{
	const struct pax *pax = &t->pax;
	if (names->has_path)
		memcpy(t->path, names->path, sizeof(t->path));
	if (names->has_link)
		memcpy(t->link, names->link, sizeof(t->link));
	t->path[TAR_PATH_MAX] = t->link[TAR_PATH_MAX] = '\0';
	t->entry.path = !names->has_path && pax->path ? pax->path : t->path;
	t->entry.link = !names->has_link && pax->link ? pax->link : t->link;
	if (pax->is_sparse && pax->sparse_name)
		t->entry.path = pax->sparse_name;
}

static int take_entry(struct tar *t, const uint8_t *h, const struct long_names *names, struct err *e)
{
	take_names(t, h);
	choose_names(t, names);
	struct tar_entry *en = &t->entry;
	size_t len = strlen(en->path);
	if (len == 0)
		return err_new(e, EINVAL, "entry without a name");
	int r = take_type(t, h, e);
	if (r == 0)
		r = take_numbers(t, h, e);
	if (r < 0)
		return r;
	set_data(t, en->data_bytes);
	en->xattrs = t->pax.xattrs;
	en->xattr_count = t->pax.xattr_count;
	if (h[AT_TYPE] == 'S' && tar_is_gnu(h))
		r = sparse_old(t, h, e);
	else if (h[AT_TYPE] == 'S')
		r = err_new(e, EINVAL, "a sparse entry that is not GNU's");
	else if (t->pax.is_sparse && en->type == TAR_FILE)
		r = sparse_pax(t, e);
	/* Before there was a type for directories, a slash at the end said it. */
	if (r == 0 && en->type == TAR_FILE && en->path[len - 1] == '/')
		en->type = TAR_DIR;
	return r;
}

int tar_next(struct tar *t, const struct tar_entry **ret_entry, struct err *e)
{
	if (t->is_end)
		return 0;
	int r = skip(t, t->data_left, e);
	if (r == 0)
		r = skip_padding(t, e);
	set_data(t, 0);
	if (r == 0 && t->is_end)
		return 0;
	pax_reset(&t->pax);
	t->entry = (struct tar_entry){ .path = NULL };
	struct long_names names;
	names.has_path = names.has_link = false;
	bool is_extra = false;
	while (r == 0) {
		const uint8_t *h = t->block;
		r = next_header(t, e);
		if (r == 0 && is_extra)
			return err_new(e, EINVAL, "tar: an extended header at the end");
		if (r <= 0)
			return r;
		r = take_extra(t, h, &names, e);
		if (r == 1) {
			is_extra = true;
			r = 0;
			continue;
		}
		if (r == 0)
			r = take_entry(t, h, &names, e);
		if (r < 0)
			return t->entry.path ? err_at(e, r, "entry \"%.200s\"", t->entry.path) : r;
		*ret_entry = &t->entry;
		return 1;
	}
	return r;
}

int tar_data(struct tar *t, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	if (!t->data_left)
		return 0;
	int r = fill(t, e);
	if (r <= 0)
		return r < 0 ? r : truncated(t, e);
	size_t n = t->n < t->data_left ? t->n : (size_t)t->data_left;
	*ret_bytes = t->p;
	*ret_len = n;
	advance(t, n);
	t->data_left -= n;
	return 1;
}

int tar_drain(struct tar *t, struct err *e)
{
	int r;
	while ((r = fill(t, e)) == 1)
		advance(t, t->n);
	return r;
}
