/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as the list of a layer's files. Whatever it says, look-ups stay within it, and no path leads
 * out of the layer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/fileindex.h"

enum { ROWS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_path(const struct fileindex *x, uint32_t row)
{
	const char *path = fileindex_path(x, row);
	if (!path)
		return;
	need(*path && *path != '/' && strlen(path) < x->text_bytes);
	need(strncmp(path, "../", 3) != 0 && strcmp(path, "..") != 0 && !strstr(path, "/../"));
	size_t len = strlen(path);
	need(len < 3 || strcmp(path + len - 3, "/..") != 0);
}

static void look_up(const struct fileindex *x, uint64_t key, const uint64_t digest[2])
{
	uint32_t count, first = fileindex_find(x, key, digest, &count);
	need(count <= x->row_count && first <= x->row_count - count);
	for (uint32_t i = 0; i < count && i < ROWS_MAX; i++) {
		need(x->rows[first + i].key == key);
		check_path(x, first + i);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct fileindex x;
	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	need(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	if (fileindex_map(fd, &x) < 0)
		return 0;
	for (uint32_t i = 0; i < x.row_count && i < ROWS_MAX; i++) {
		look_up(&x, x.rows[i].key, x.rows[i].digest);
		look_up(&x, ~x.rows[i].key, x.rows[i].digest);
		check_path(&x, i);
	}
	fileindex_done(&x);
	return 0;
}
