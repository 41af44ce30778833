/* SPDX-License-Identifier: Apache-2.0 */
/* See fileindex.h. */
#include "image/fileindex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/fastsum.h"
#include "util/fd.h"
#include "util/mem.h"

enum { FAN_BITS_MAX = 20 };

/* The file: this, the rows, the fan of 2^fan_bits + 1 numbers, the text. All of the machine's byte order. */
struct head {
	char magic[8];
	uint32_t row_count;
	uint32_t fan_bits;
	uint32_t text_bytes;
	uint32_t is_opaque;
	uint32_t is_cut;
	uint32_t zero;
};

static const char magic[8] = { 'k', 'i', 's', 't', 'f', 'l', 's', '1' };

uint32_t fileindex_path_hash(const char *path)
{
	return (uint32_t)fastsum64(path, strlen(path));
}

static int compare_rows(const void *a, const void *b)
{
	const struct fileindex_row *x = a, *y = b;
	const uint64_t left[] = { x->key, x->digest[0], x->digest[1], x->path_hash, x->path };
	const uint64_t right[] = { y->key, y->digest[0], y->digest[1], y->path_hash, y->path };
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return 0;
}

/* ---- reading ---- */

static size_t fan_count(uint32_t bits)
{
	return ((size_t)1 << bits) + 1;
}

/* Checks the sizes against the file's; what the rows say is checked when it is used. */
static int take_head(struct fileindex *x, const struct head *h)
{
	if (memcmp(h->magic, magic, sizeof(magic)) != 0 || h->fan_bits > FAN_BITS_MAX || h->is_opaque > 1 || h->is_cut > 1)
		return -EBADMSG;
	size_t rows = sizeof(*h), fan = rows + (size_t)h->row_count * sizeof(struct fileindex_row);
	size_t text = fan + fan_count(h->fan_bits) * sizeof(uint32_t);
	if (text + h->text_bytes != x->map_bytes)
		return -EBADMSG;
	const char *p = x->map;
	if (h->text_bytes && p[x->map_bytes - 1])
		return -EBADMSG;
	x->rows = (const void *)(p + rows);
	x->fan = (const void *)(p + fan);
	x->text = p + text;
	x->row_count = h->row_count;
	x->fan_bits = h->fan_bits;
	x->text_bytes = h->text_bytes;
	x->is_opaque = h->is_opaque;
	x->is_cut = h->is_cut;
	return 0;
}

int fileindex_map(int fd, struct fileindex *ret_index)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct head))
		return -EBADMSG;
	struct fileindex x = { .map_bytes = (size_t)st.st_size };
	x.map = mmap(NULL, x.map_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (x.map == MAP_FAILED)
		return -errno;
	int r = take_head(&x, x.map);
	if (r < 0)
		munmap(x.map, x.map_bytes);
	else
		*ret_index = x;
	return r;
}

int fileindex_open(int dir, const char *name, struct fileindex *ret_index)
{
	fd_auto int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fileindex_map(fd, ret_index);
}

void fileindex_done(struct fileindex *x)
{
	if (x->map)
		munmap(x->map, x->map_bytes);
	x->map = NULL;
}

static size_t fan_of(uint64_t key, uint32_t bits)
{
	return bits ? (size_t)(key >> (64 - bits)) : 0;
}

static bool is_equal(const struct fileindex_row *a, const struct fileindex_row *b)
{
	return a->key == b->key && a->digest[0] == b->digest[0] && a->digest[1] == b->digest[1];
}

/* The first row that is not before `want`, and how many from there on are equal to it but for their paths. */
static uint32_t find_rows(const struct fileindex *x, const struct fileindex_row *want, uint32_t *ret_count)
{
	size_t at = fan_of(want->key, x->fan_bits);
	uint32_t low = x->fan[at], end = x->fan[at + 1], high = end;
	*ret_count = 0;
	if (low >= end || end > x->row_count)
		return 0;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (compare_rows(&x->rows[middle], want) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (uint32_t i = low; i < end && *ret_count < FILEINDEX_EQUAL_MAX && is_equal(&x->rows[i], want); i++)
		++*ret_count;
	return low;
}

uint32_t fileindex_find(const struct fileindex *x, uint64_t key, const uint64_t digest[2], uint32_t *ret_count)
{
	const struct fileindex_row want = { .key = key, .digest = { digest[0], digest[1] } };
	return find_rows(x, &want, ret_count);
}

uint32_t fileindex_find_path(const struct fileindex *x, const struct fileindex_row *row, uint32_t *ret_count)
{
	struct fileindex_row want = *row;
	want.path = 0;
	uint32_t first = find_rows(x, &want, ret_count), n = 0;
	while (n < *ret_count && x->rows[first + n].path_hash == row->path_hash)
		n++;
	*ret_count = n;
	return first;
}

const char *fileindex_path(const struct fileindex *x, uint32_t row)
{
	uint32_t begin = x->rows[row].path;
	const char *path = begin < x->text_bytes ? x->text + begin : "";
	if (!*path || *path == '/')
		return NULL;
	for (const char *p = path; *p; p += strcspn(p, "/"), p += *p == '/')
		if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || !p[2]))
			return NULL;
	return path;
}

/* ---- writing ---- */

static bool spend(struct fileindex_budget *b, size_t len)
{
	if (b->rows <= 0 || b->text_bytes < (int64_t)len)
		return false;
	b->rows--;
	b->text_bytes -= (int64_t)len;
	return true;
}

void fileindex_add(struct fileindex_made *m, const struct fileindex_row *row, const char *path)
{
	size_t len = strlen(path) + 1;
	m->is_cut = m->is_cut || !spend(m->budget, len);
	if (m->is_cut)
		return;
	if (m->n == m->room) {
		m->room = m->room ? m->room * 2 : 256;
		m->rows = mem_grow(m->rows, m->room * sizeof(*m->rows));
	}
	if (m->text_bytes + len > m->text_room) {
		m->text_room = (m->text_room + len) * 2;
		m->text = mem_grow(m->text, m->text_room);
	}
	m->rows[m->n] = *row;
	m->rows[m->n++].path = (uint32_t)m->text_bytes;
	memcpy(m->text + m->text_bytes, path, len);
	m->text_bytes += len;
}

/* About two rows for each number of the fan. */
static uint32_t fan_bits_for(size_t rows)
{
	uint32_t bits = 0;
	while (bits < FAN_BITS_MAX && ((size_t)2 << bits) < rows)
		bits++;
	return bits;
}

static uint32_t *make_fan(const struct fileindex_made *m, uint32_t bits)
{
	uint32_t *fan = mem_alloc(fan_count(bits) * sizeof(*fan));
	size_t row = 0;
	for (size_t i = 0; i < fan_count(bits); i++) {
		while (row < m->n && fan_of(m->rows[row].key, bits) < i)
			row++;
		fan[i] = (uint32_t)row;
	}
	return fan;
}

int fileindex_write(struct fileindex_made *m, bool is_opaque, int dir, const char *name)
{
	struct head h = { .row_count = (uint32_t)m->n, .text_bytes = (uint32_t)m->text_bytes };
	memcpy(h.magic, magic, sizeof(magic));
	h.fan_bits = fan_bits_for(m->n);
	h.is_opaque = is_opaque;
	h.is_cut = m->is_cut;
	if (m->n)
		qsort(m->rows, m->n, sizeof(*m->rows), compare_rows);
	free_auto uint32_t *fan = make_fan(m, h.fan_bits);
	fd_auto int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : fd_write_all(fd, &h, sizeof(h));
	if (r == 0)
		r = fd_write_all(fd, m->rows, m->n * sizeof(*m->rows));
	if (r == 0)
		r = fd_write_all(fd, fan, fan_count(h.fan_bits) * sizeof(*fan));
	return r < 0 ? r : fd_write_all(fd, m->text, m->text_bytes);
}

void fileindex_made_done(struct fileindex_made *m)
{
	if (m->budget) {
		m->budget->rows += (int64_t)m->n;
		m->budget->text_bytes += (int64_t)m->text_bytes;
	}
	free(m->rows);
	free(m->text);
	*m = (struct fileindex_made){ .n = 0 };
}
