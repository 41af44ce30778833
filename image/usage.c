/* SPDX-License-Identifier: Apache-2.0 */
/* See usage.h. */
#include "image/usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fd.h"
#include "util/mem.h"

/* One inode in one layer. Sorted, all layers of an inode stand together. */
struct usage_row {
	uint64_t ino;
	uint64_t bytes;
	uint32_t layer;
};

/* ---- walking ---- */

static void add_row(struct usage *u, const struct stat *st)
{
	if (u->row_count == u->row_room) {
		u->row_room = u->row_room ? u->row_room * 2 : 4096;
		u->rows = mem_grow(u->rows, u->row_room * sizeof(*u->rows));
	}
	u->rows[u->row_count++] = (struct usage_row){ .ino = st->st_ino,
						      .bytes = (uint64_t)st->st_blocks * 512,
						      .layer = (uint32_t)u->n };
}

static int walk(struct usage *u, int parent, const char *name);

static int take(struct usage *u, int dir, const struct dirent *de)
{
	struct stat st;
	if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
		return 0;
	if (de->d_type == DT_DIR)
		return walk(u, dir, de->d_name);
	if (de->d_type != DT_REG && de->d_type != DT_UNKNOWN)
		return 0;
	if (fstatat(dir, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(st.st_mode))
		add_row(u, &st);
	return S_ISDIR(st.st_mode) ? walk(u, dir, de->d_name) : 0;
}

/* A layer that is on its way out disappears piece by piece: what is not there is nothing. */
static int walk(struct usage *u, int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int r = d || errno == ENOENT ? 0 : -errno;
	if (!d) {
		fd_close(fd);
		return r;
	}
	int end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));)
		r = take(u, fd, de);
	closedir(d);
	return r == 0 && end != -ENOENT ? end : r;
}

static int walk_layer(struct usage *u, int top, const char *hex)
{
	static const char *const names[] = { "fs", "fs-opaque" };
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
		char path[STORE_PATH_MAX];
		snprintf(path, sizeof(path), "%.100s/%s", hex, names[i]);
		r = walk(u, top, path);
	}
	return r;
}

static int read_layers(const struct store *s, struct usage *u, struct err *e)
{
	int top = openat(s->dir, "layers/sha256", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = top < 0 ? NULL : fdopendir(top);
	if (!d) {
		int r = err_sys(e, "store %s: layers/sha256", s->path);
		fd_close(top);
		return r;
	}
	int r = 0, end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));) {
		char digest[NAME_MAX + 16];
		snprintf(digest, sizeof(digest), "sha256:%s", de->d_name);
		if (!digest_is_valid(digest))
			continue;
		u->layers = mem_grow(u->layers, (u->n + 1) * sizeof(*u->layers));
		u->layers[u->n] = (struct layer_usage){ .files = 0 };
		memcpy(u->layers[u->n].diff_id, digest, DIGEST_TEXT_MAX);
		if ((r = walk_layer(u, top, de->d_name)) < 0)
			err_ret(e, r, "store %s: layer %s", s->path, digest);
		u->n++;
	}
	closedir(d);
	return r == 0 && end < 0 ? err_ret(e, end, "store %s: layers/sha256", s->path) : r;
}

/* ---- counting ---- */

static int compare_rows(const void *a, const void *b)
{
	const struct usage_row *x = a, *y = b;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->layer < y->layer ? -1 : x->layer > y->layer;
}

/* Rows of one inode in one layer (hard links) become one. */
static void sort_rows(struct usage *u)
{
	size_t kept = 0;
	if (u->row_count)
		qsort(u->rows, u->row_count, sizeof(*u->rows), compare_rows);
	for (size_t i = 0; i < u->row_count; i++)
		if (!kept || compare_rows(&u->rows[kept - 1], &u->rows[i]) != 0)
			u->rows[kept++] = u->rows[i];
	u->row_count = kept;
}

/* The end of the rows of the inode that row `i` is the first of. */
static size_t group_end(const struct usage *u, size_t i)
{
	size_t end = i + 1;
	while (end < u->row_count && u->rows[end].ino == u->rows[i].ino)
		end++;
	return end;
}

static void count(struct usage *u)
{
	for (size_t i = 0, end; i < u->row_count; i = end) {
		end = group_end(u, i);
		u->files++;
		u->bytes += u->rows[i].bytes;
		u->saved_files += end - i - 1;
		u->saved_bytes += (end - i - 1) * u->rows[i].bytes;
		for (size_t k = i; k < end; k++) {
			struct layer_usage *l = &u->layers[u->rows[k].layer];
			l->files++;
			l->bytes += u->rows[i].bytes;
			l->shared_files += end - i > 1;
			l->shared_bytes += end - i > 1 ? u->rows[i].bytes : 0;
		}
	}
}

static int compare_layers(const void *a, const void *b)
{
	const struct layer_usage *x = a, *y = b;
	return strcmp(x->diff_id, y->diff_id);
}

/* Puts the layers in order, and the rows under their new numbers. */
static void sort_layers(struct usage *u)
{
	struct layer_usage *old = mem_alloc((u->n + 1) * sizeof(*old));
	if (u->n)
		memcpy(old, u->layers, u->n * sizeof(*old));
	if (u->n)
		qsort(u->layers, u->n, sizeof(*u->layers), compare_layers);
	uint32_t *to = mem_alloc((u->n + 1) * sizeof(*to));
	for (size_t i = 0; i < u->n; i++)
		to[i] = (uint32_t)usage_find(u, old[i].diff_id);
	for (size_t i = 0; i < u->row_count; i++)
		u->rows[i].layer = to[u->rows[i].layer];
	free(to);
	free(old);
}

int usage_read(const struct store *s, struct usage *ret_usage, struct err *e)
{
	usage_auto struct usage u = { .n = 0 };
	int r = s->dir < 0 ? 0 : read_layers(s, &u, e);
	if (r < 0)
		return r;
	sort_layers(&u);
	sort_rows(&u);
	count(&u);
	*ret_usage = u;
	u = (struct usage){ .n = 0 };
	return 0;
}

void usage_done(struct usage *u)
{
	free(u->layers);
	free(u->rows);
	*u = (struct usage){ .n = 0 };
}

/* ---- questions ---- */

ptrdiff_t usage_find(const struct usage *u, const char *diff_id)
{
	struct layer_usage key;
	snprintf(key.diff_id, sizeof(key.diff_id), "%s", diff_id);
	const struct layer_usage *l =
		u->n ? bsearch(&key, u->layers, u->n, sizeof(*u->layers), compare_layers) : NULL;
	return l ? l - u->layers : -1;
}

uint64_t usage_of(const struct usage *u, const bool *is_in, bool alone)
{
	uint64_t bytes = 0;
	for (size_t i = 0, end; i < u->row_count; i = end) {
		size_t in = 0;
		end = group_end(u, i);
		for (size_t k = i; k < end; k++)
			in += is_in[u->rows[k].layer];
		bytes += in && (!alone || in == end - i) ? u->rows[i].bytes : 0;
	}
	return bytes;
}
