/* SPDX-License-Identifier: Apache-2.0 */
/* See layers.h. */
#include "image/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "util/fd.h"

/* Opens one layer's directory; it has one of two names, and the second says that nothing below shows. */
static int open_one(const struct store *s, const char *diff_id, bool *ret_is_opaque)
{
	char path[STORE_PATH_MAX], fs[STORE_PATH_MAX + 16];
	if (s->dir < 0)
		return -ENOENT;
	store_layer_path(diff_id, path);
	*ret_is_opaque = false;
	snprintf(fs, sizeof(fs), "%s/fs", path);
	int fd = openat(s->dir, fs, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	*ret_is_opaque = true;
	snprintf(fs, sizeof(fs), "%s/fs-opaque", path);
	fd = openat(s->dir, fs, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int layers_open(const struct store *s, const struct image *image, struct layers *ret_layers, struct err *e)
{
	layers_auto struct layers l = { .n = 0 };
	bool is_opaque = false;
	for (size_t i = image->layers.n; i-- > 0 && !is_opaque;) {
		int fd = open_one(s, image->layers.v[i], &is_opaque);
		if (fd < 0)
			return err_ret(e, fd, "image %s: layer %s", image->name ? image->name : image->digest,
				       image->layers.v[i]);
		l.fd[l.n++] = fd;
	}
	*ret_layers = l;
	l.n = 0;
	return 0;
}

void layers_done(struct layers *layers)
{
	while (layers->n > 0)
		fd_close(layers->fd[--layers->n]);
}

void layers_lowerdir(const struct layers *layers, struct str *out)
{
	char path[32];
	for (size_t i = 0; i < layers->n; i++) {
		str_puts(out, i ? ":" : "");
		str_puts(out, fd_path(layers->fd[i], path));
	}
}
