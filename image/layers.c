/* SPDX-License-Identifier: Apache-2.0 */
/* See layers.h. */
#include "image/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "image/erofsmount.h"
#include "image/flat.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"

int layer_open(const struct store *s, const char *diff_id, bool *ret_is_opaque)
{
	static const char *const names[] = { "fs", "fs-opaque" };
	char path[STORE_PATH_MAX], fs[STORE_PATH_MAX + 16];
	int fd = -ENOENT;
	store_layer_path(diff_id, path);
	for (size_t i = 0; i < ARRAY_LEN(names) && fd == -ENOENT && s->dir >= 0; i++) {
		snprintf(fs, sizeof(fs), "%s/%s", path, names[i]);
		*ret_is_opaque = i > 0;
		fd = path_open(s->dir, fs, PATH_BENEATH, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	}
	return fd;
}

static const char *word_of(const struct image *image)
{
	return image->name ? image->name : image->digest;
}

static int open_unpacked(const struct store *s, const struct image *image, struct layers *ret_layers, struct err *e)
{
	layers_auto struct layers l = { .n = 0 };
	bool is_opaque = false;
	for (size_t i = image->layers.n; i-- > 0 && !is_opaque;) {
		int fd = layer_open(s, image->layers.v[i], &is_opaque);
		if (fd < 0)
			return err_ret(e, fd, "image %s: layer %s", word_of(image), image->layers.v[i]);
		l.fd[l.n++] = fd;
	}
	*ret_layers = l;
	l.n = 0;
	return 0;
}

static int open_erofs(const struct store *s, const struct image *image, struct layers *ret_layers, struct err *e)
{
	fd_auto int own = image->has_pack ? -1 : erofs_open(s, image->digest);
	if (!image->has_pack && own < 0)
		return err_ret(e, own, "image %s: its EROFS file", word_of(image));
	int mnt = image->has_pack ? erofs_join(image->pack_note, image->pack, e) : erofs_join(own, own, e);
	if (mnt < 0)
		return err_at(e, mnt, "image %s", word_of(image));
	*ret_layers = (struct layers){ .fd = { mnt }, .n = 1, .is_erofs = true, .own_meet = fd_take(&own) };
	ret_layers->meet = image->has_pack ? image->pack_note : ret_layers->own_meet;
	return 0;
}

/* One lower layer in the place of many, where there is one. */
static int open_plain(const struct store *s, const struct image *image, bool takes_flat, struct layers *ret_layers,
		      struct err *e)
{
	int flat = takes_flat && flat_is_for(image) ? flat_open(s, image->digest) : -1;
	if (flat < 0)
		return open_unpacked(s, image, ret_layers, e);
	*ret_layers = (struct layers){ .fd = { flat }, .n = 1 };
	return 0;
}

static int open_any(const struct store *s, const struct image *image, bool takes_flat, struct layers *ret_layers,
		    struct err *e)
{
	enum erofs_wish wish = EROFS_AUTO;
	struct err erofs = { .num = 0 };
	bool is_tried = image->has_erofs || image->has_pack;
	int r = is_tried ? erofs_wish(&wish, e) : 0;
	if (r < 0)
		return r;
	is_tried = is_tried && wish != EROFS_NEVER;
	if (is_tried && (r = open_erofs(s, image, ret_layers, &erofs)) == 0)
		return 0;
	if (is_tried && wish == EROFS_ALWAYS) {
		*e = erofs;
		return r;
	}
	r = open_plain(s, image, takes_flat, ret_layers, e);
	/* index.json may have lost the word about the file, when another tool wrote it. */
	if (r == -ENOENT && !is_tried && erofs_wish(&wish, &erofs) == 0 && wish != EROFS_NEVER &&
	    open_erofs(s, image, ret_layers, &erofs) == 0) {
		err_clear(e);
		return 0;
	}
	return r;
}

int layers_open(const struct store *s, const struct image *image, struct layers *ret_layers, struct err *e)
{
	return open_any(s, image, true, ret_layers, e);
}

int layers_open_apart(const struct store *s, const struct image *image, struct layers *ret_layers, struct err *e)
{
	return open_any(s, image, false, ret_layers, e);
}

void layers_done(struct layers *layers)
{
	if (layers->is_erofs)
		fd_drop(&layers->own_meet);
	while (layers->n > 0)
		fd_close(layers->fd[--layers->n]);
}
