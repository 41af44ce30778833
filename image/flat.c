/* SPDX-License-Identifier: Apache-2.0 */
/* See flat.h. */
#include "image/flat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

bool flat_is_for(const struct image *image)
{
	return image->layers.n > FLAT_LAYERS && image->digest[0] && !image->has_erofs && !image->has_pack;
}

char *flat_path(const char *digest, char out[static STORE_PATH_MAX])
{
	snprintf(out, STORE_PATH_MAX, "flat/sha256/%.64s", digest_hex(digest));
	return out;
}

int flat_open(const struct store *s, const char *digest)
{
	char path[STORE_PATH_MAX], fs[STORE_PATH_MAX + 4];
	if (s->dir < 0)
		return -ENOENT;
	snprintf(fs, sizeof(fs), "%s/fs", flat_path(digest, path));
	int fd = openat(s->dir, fs, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
