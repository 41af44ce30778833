/* SPDX-License-Identifier: Apache-2.0 */
/* See tarsame.h. */
#include "image/tarsame.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool is_same(int fd, uint8_t *buf, const uint8_t *p, size_t len, uint64_t offset)
{
	while (len) {
		size_t want = len < TARSAME_PIECE ? len : TARSAME_PIECE;
		ssize_t n = pread(fd, buf, want, (off_t)offset);
		if (n <= 0 || memcmp(buf, p, (size_t)n) != 0)
			return false;
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

/* A hole of the archive must read as zeros; those of the file are passed over at once. lseek(2) "SEEK_DATA". */
static bool is_zero(int fd, uint8_t *buf, uint64_t from, uint64_t to)
{
	while (from < to) {
		off_t data = lseek(fd, (off_t)from, SEEK_DATA);
		if (data < 0)
			return errno == ENXIO;
		if ((uint64_t)data >= to)
			return true;
		from = (uint64_t)data;
		size_t want = to - from < TARSAME_PIECE ? (size_t)(to - from) : TARSAME_PIECE;
		ssize_t n = pread(fd, buf, want, data);
		if (n <= 0)
			return false;
		for (ssize_t i = 0; i < n; i++)
			if (buf[i])
				return false;
		from += (uint64_t)n;
	}
	return true;
}

/* Where in the file the data stands: one part for a plain file. */
int tar_is_same(struct tar *tar, const struct tar_entry *en, int fd, uint8_t *buf, bool *ret_is_same, struct err *e)
{
	const struct tar_part whole = { .offset = 0, .len = en->size };
	const struct tar_part *parts = en->is_sparse ? en->parts : &whole;
	size_t count = en->is_sparse ? en->part_count : 1, n = 0;
	const uint8_t *p = NULL;
	uint64_t at = 0;
	*ret_is_same = true;
	for (size_t i = 0; i < count && *ret_is_same; i++) {
		*ret_is_same = at >= parts[i].offset || is_zero(fd, buf, at, parts[i].offset);
		at = parts[i].offset;
		for (uint64_t left = parts[i].len; left && *ret_is_same;) {
			int r = n ? 1 : tar_data(tar, &p, &n, e);
			if (r <= 0)
				return r < 0 ? r : err_new(e, EINVAL, "sparse map: more than the data");
			size_t len = n < left ? n : (size_t)left;
			*ret_is_same = is_same(fd, buf, p, len, at);
			p += len;
			n -= len;
			at += len;
			left -= len;
		}
	}
	*ret_is_same = *ret_is_same && (at >= en->size || is_zero(fd, buf, at, en->size));
	return 0;
}
