/* SPDX-License-Identifier: Apache-2.0 */
/* See pax.h. */
#include "image/pax.h"

#include <errno.h>
#include <string.h>

#include "util/mem.h"

bool tar_decimal(const char *p, const char *end, uint64_t *ret_value)
{
	uint64_t v = 0;
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9' || v > (INT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	*ret_value = v;
	return true;
}

int tar_parts_add(struct tar_parts *parts, uint64_t offset, uint64_t len, struct err *e)
{
	if (parts->n == TAR_PARTS_MAX)
		return err_new(e, E2BIG, "sparse map: more than %d parts", TAR_PARTS_MAX);
	uint64_t behind = parts->n ? parts->v[parts->n - 1].offset + parts->v[parts->n - 1].len : 0;
	if (offset < behind || offset > INT64_MAX || len > INT64_MAX - offset)
		return err_new(e, EINVAL, "sparse map: parts overlap or lie too far");
	if (parts->n == parts->room) {
		parts->room = parts->room ? parts->room * 2 : 32;
		parts->v = mem_grow(parts->v, parts->room * sizeof(*parts->v));
	}
	parts->v[parts->n++] = (struct tar_part){ offset, len };
	return 0;
}

void pax_reset(struct pax *pax)
{
	struct tar_parts parts = { .v = pax->parts.v, .room = pax->parts.room };
	*pax = (struct pax){ .parts = parts, .xattrs = pax->xattrs, .xattr_room = pax->xattr_room };
}

void pax_done(struct pax *pax)
{
	free(pax->parts.v);
	free(pax->xattrs);
	*pax = (struct pax){ .path = NULL };
}

/* ---- one function per kind of record: value is NUL-terminated at `end` ---- */

static int bad_value(const char *key, struct err *e)
{
	return err_new(e, EINVAL, "pax record %.80s: bad value", key);
}

static int take_number(uint64_t *ret, bool *ret_has, const char *key, const char *value, const char *end,
		       struct err *e)
{
	if (!tar_decimal(value, end, ret))
		return bad_value(key, e);
	*ret_has = true;
	return 0;
}

static int take_path(const char **ret, const char *key, const char *value, const char *end, struct err *e)
{
	if (memchr(value, '\0', (size_t)(end - value)))
		return bad_value(key, e);
	if (end - value > TAR_PATH_MAX)
		return err_new(e, ENAMETOOLONG, "pax record %s: more than %d bytes", key, TAR_PATH_MAX);
	*ret = value;
	return 0;
}

/* Seconds with an optional sign and fraction; what is finer than a nanosecond is cut off. */
static int take_time(struct pax *pax, const char *key, const char *value, const char *end, struct err *e)
{
	bool is_negative = *value == '-';
	const char *p = value + is_negative;
	const char *dot = memchr(p, '.', (size_t)(end - p));
	uint64_t sec;
	if (!tar_decimal(p, dot ? dot : end, &sec))
		return bad_value(key, e);
	long ns = 0, scale = 100000000;
	for (p = dot ? dot + 1 : end; p < end; p++, scale /= 10) {
		if (*p < '0' || *p > '9')
			return bad_value(key, e);
		ns += (*p - '0') * scale;
	}
	pax->mtime = (struct timespec){ .tv_sec = (time_t)sec, .tv_nsec = ns };
	if (is_negative)
		pax->mtime = (struct timespec){ .tv_sec = -(time_t)sec - (ns > 0),
						.tv_nsec = ns ? 1000000000 - ns : 0 };
	pax->has_mtime = true;
	return 0;
}

static int take_xattr(struct pax *pax, const char *name, const char *value, const char *end, struct err *e)
{
	size_t len = (size_t)(end - value);
	if (!*name || strlen(name) > 255)
		return err_new(e, EINVAL, "xattr name of %zu bytes", strlen(name));
	if (len > PAX_XATTR_MAX)
		return err_new(e, E2BIG, "xattr %s: %zu bytes, at most %d", name, len, PAX_XATTR_MAX);
	if (pax->xattr_count == PAX_XATTRS_MAX)
		return err_new(e, E2BIG, "more than %d xattrs", PAX_XATTRS_MAX);
	if (pax->xattr_count == pax->xattr_room) {
		pax->xattr_room = pax->xattr_room ? pax->xattr_room * 2 : 8;
		pax->xattrs = mem_grow(pax->xattrs, pax->xattr_room * sizeof(*pax->xattrs));
	}
	pax->xattrs[pax->xattr_count++] = (struct tar_xattr){ name, value, len };
	return 0;
}

/* GNU sparse 0.1: "offset,length,offset,length,...". */
static int take_map(struct pax *pax, const char *key, const char *value, const char *end, struct err *e)
{
	pax->parts.n = 0;
	for (const char *p = value; p < end;) {
		uint64_t offset, len;
		const char *comma = memchr(p, ',', (size_t)(end - p));
		if (!comma || !tar_decimal(p, comma, &offset))
			return bad_value(key, e);
		p = comma + 1;
		comma = memchr(p, ',', (size_t)(end - p));
		if (!tar_decimal(p, comma ? comma : end, &len))
			return bad_value(key, e);
		p = comma ? comma + 1 : end;
		int r = tar_parts_add(&pax->parts, offset, len, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* GNU sparse 0.0: pairs of records, offset then numbytes. */
static int take_pair(struct pax *pax, const char *key, const char *value, const char *end, bool is_offset,
		     struct err *e)
{
	uint64_t v;
	if (!tar_decimal(value, end, &v) || pax->has_offset == is_offset)
		return bad_value(key, e);
	pax->has_offset = is_offset;
	if (!is_offset) {
		struct tar_part *part = &pax->parts.v[pax->parts.n - 1];
		if (v > INT64_MAX - part->offset)
			return bad_value(key, e);
		part->len = v;
		return 0;
	}
	return tar_parts_add(&pax->parts, v, 0, e);
}

static int take_sparse(struct pax *pax, const char *key, const char *value, const char *end, struct err *e)
{
	const char *what = key + strlen("GNU.sparse.");
	bool ignored;
	uint64_t number;
	pax->is_sparse = true;
	if (strcmp(what, "name") == 0)
		return take_path(&pax->sparse_name, key, value, end, e);
	if (strcmp(what, "map") == 0)
		return take_map(pax, key, value, end, e);
	if (strcmp(what, "offset") == 0 || strcmp(what, "numbytes") == 0)
		return take_pair(pax, key, value, end, *what == 'o', e);
	if (strcmp(what, "size") == 0 || strcmp(what, "realsize") == 0)
		return take_number(&pax->sparse_size, &pax->has_sparse_size, key, value, end, e);
	if (strcmp(what, "major") == 0)
		return take_number(&pax->sparse_major, &pax->has_sparse_major, key, value, end, e);
	if (strcmp(what, "minor") == 0)
		return take_number(&pax->sparse_minor, &ignored, key, value, end, e);
	if (strcmp(what, "numblocks") == 0)
		return take_number(&number, &ignored, key, value, end, e);
	return err_new(e, EINVAL, "pax record %.80s: not known", key);
}

static int take_record(struct pax *pax, char *key, char *value, const char *end, struct err *e)
{
	if (strncmp(key, "SCHILY.xattr.", 13) == 0)
		return take_xattr(pax, key + 13, value, end, e);
	/* An empty value takes the record away (pax(1)); the header block's own field counts then. */
	if (value == end)
		return 0;
	if (strncmp(key, "GNU.sparse.", 11) == 0)
		return take_sparse(pax, key, value, end, e);
	if (strcmp(key, "path") == 0)
		return take_path(&pax->path, key, value, end, e);
	if (strcmp(key, "linkpath") == 0)
		return take_path(&pax->link, key, value, end, e);
	if (strcmp(key, "size") == 0)
		return take_number(&pax->size, &pax->has_size, key, value, end, e);
	if (strcmp(key, "uid") == 0)
		return take_number(&pax->uid, &pax->has_uid, key, value, end, e);
	if (strcmp(key, "gid") == 0)
		return take_number(&pax->gid, &pax->has_gid, key, value, end, e);
	if (strcmp(key, "mtime") == 0)
		return take_time(pax, key, value, end, e);
	return 0;
}

/* Each record is "LENGTH KEY=VALUE\n", where LENGTH counts all of it. */
int pax_parse(struct pax *pax, char *body, size_t len, struct err *e)
{
	pax_reset(pax);
	for (char *p = body, *end = body + len; p < end;) {
		char *space = memchr(p, ' ', (size_t)(end - p));
		uint64_t record;
		if (!space || !tar_decimal(p, space, &record) || record > (uint64_t)(end - p) ||
		    record < (uint64_t)(space - p) + 3 || p[record - 1] != '\n')
			return err_new(e, EINVAL, "pax header: bad record at byte %td", p - body);
		char *last = p + record - 1;
		char *key = space + 1;
		char *equals = memchr(key, '=', (size_t)(last - key));
		if (!equals || equals == key || memchr(key, '\0', (size_t)(equals - key)))
			return err_new(e, EINVAL, "pax header: bad key at byte %td", p - body);
		*equals = '\0';
		*last = '\0';
		int r = take_record(pax, key, equals + 1, last, e);
		if (r < 0)
			return r;
		p += record;
	}
	if (pax->has_offset)
		return err_new(e, EINVAL, "pax header: GNU.sparse.offset without its numbytes");
	return 0;
}
