/* SPDX-License-Identifier: Apache-2.0 */
/* See tarsparse.h. */
#include "image/tarsparse.h"

#include <errno.h>
#include <string.h>

#include "image/tarfield.h"

/* Puts a map that has been read into the entry, if it fits the file's size and the data. */
static int take_parts(struct tar *t, const struct tar_parts *parts, uint64_t size, struct err *e)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < parts->n; i++)
		sum += parts->v[i].len;
	const struct tar_part *last = parts->n ? &parts->v[parts->n - 1] : NULL;
	if (last && last->offset + last->len > size)
		return err_new(e, EINVAL, "sparse map: goes beyond the file's %llu bytes",
			       (unsigned long long)size);
	if (sum != t->data_left)
		return err_new(e, EINVAL, "sparse map: has %llu bytes, the archive %llu",
			       (unsigned long long)sum, (unsigned long long)t->data_left);
	t->entry.is_sparse = true;
	t->entry.size = size;
	t->entry.data_bytes = sum;
	t->entry.parts = parts->v;
	t->entry.part_count = parts->n;
	return 0;
}

/* Adds `count` pairs of 12-byte numbers; an empty pair ends them. */
static int add_old(struct tar *t, const uint8_t *p, int count, struct err *e)
{
	for (int i = 0; i < count; i++, p += 24) {
		int64_t offset, len;
		if (p[0] == 0 && p[12] == 0)
			return 0;
		if (!tar_number(p, 12, &offset) || !tar_number(p + 12, 12, &len) || offset < 0 || len < 0)
			return err_new(e, EINVAL, "sparse map: bad number");
		int r = tar_parts_add(&t->parts, (uint64_t)offset, (uint64_t)len, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int sparse_old(struct tar *t, const uint8_t *header, struct err *e)
{
	int64_t size;
	if (!tar_number(header + 483, 12, &size) || size < 0)
		return err_new(e, EINVAL, "sparse map: bad file size");
	t->parts.n = 0;
	int r = add_old(t, header + 386, 4, e);
	bool has_more = header[482] != 0;
	while (r == 0 && has_more) {
		uint8_t block[512];
		if ((r = tar_read(t, block, sizeof(block), e)) == 0)
			r = add_old(t, block, 21, e);
		has_more = block[504] != 0;
	}
	return r < 0 ? r : take_parts(t, &t->parts, (uint64_t)size, e);
}

/* Reads one decimal line of a 1.0 map out of the entry's data, block by block. */
struct map_reader {
	struct tar *t;
	char block[512];
	size_t at;
};

static int map_line(struct map_reader *m, uint64_t *ret_value, struct err *e)
{
	char digits[24];
	for (size_t len = 0; len < sizeof(digits); len++) {
		if (m->at == sizeof(m->block)) {
			if (m->t->data_left < sizeof(m->block))
				return err_new(e, EINVAL, "sparse map: cut off");
			int r = tar_read(m->t, m->block, sizeof(m->block), e);
			if (r < 0)
				return r;
			m->t->data_left -= sizeof(m->block);
			m->at = 0;
		}
		digits[len] = m->block[m->at++];
		if (digits[len] == '\n')
			return tar_decimal(digits, digits + len, ret_value) ?
				       0 :
				       err_new(e, EINVAL, "sparse map: bad number");
	}
	return err_new(e, EINVAL, "sparse map: bad number");
}

static int read_map(struct tar *t, struct err *e)
{
	struct map_reader m = { .t = t, .at = sizeof(m.block) };
	uint64_t count, offset, len;
	int r = map_line(&m, &count, e);
	if (r < 0)
		return r;
	t->parts.n = 0;
	for (uint64_t i = 0; i < count; i++) {
		if ((r = map_line(&m, &offset, e)) < 0 || (r = map_line(&m, &len, e)) < 0 ||
		    (r = tar_parts_add(&t->parts, offset, len, e)) < 0)
			return r;
	}
	return 0;
}

int sparse_pax(struct tar *t, struct err *e)
{
	const struct pax *pax = &t->pax;
	if (!pax->has_sparse_size)
		return err_new(e, EINVAL, "sparse file without GNU.sparse.size");
	if (!pax->has_sparse_major || pax->sparse_major == 0) {
		for (size_t i = 1; i < pax->parts.n; i++)
			if (pax->parts.v[i].offset < pax->parts.v[i - 1].offset + pax->parts.v[i - 1].len)
				return err_new(e, EINVAL, "sparse map: parts overlap");
		return take_parts(t, &pax->parts, pax->sparse_size, e);
	}
	if (pax->sparse_major != 1 || pax->sparse_minor != 0)
		return err_new(e, EINVAL, "sparse format %llu.%llu is not known",
			       (unsigned long long)pax->sparse_major, (unsigned long long)pax->sparse_minor);
	int r = read_map(t, e);
	return r < 0 ? r : take_parts(t, &t->parts, pax->sparse_size, e);
}
