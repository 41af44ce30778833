/* SPDX-License-Identifier: Apache-2.0 */
/* See imagetree.h. */
#include "image/imagetree.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/erofsmount.h"
#include "image/erofswrite.h"
#include "image/layers.h"
#include "image/load.h"
#include "image/packcheck.h"
#include "image/treelayer.h"
#include "image/treetar.h"
#include "util/fd.h"

void image_tree_done(struct image_tree *t)
{
	tree_done(&t->tree);
	while (t->count > 0)
		fd_close(t->layers[--t->count]);
	fd_drop(&t->erofs);
}

static int open_layers(const struct store *s, const struct image *image, struct image_tree *t, struct err *e)
{
	bool is_opaque = false;
	size_t first = image->layers.n;
	while (first > 0 && !is_opaque) {
		int fd = layer_open(s, image->layers.v[--first], &is_opaque);
		if (fd < 0)
			return err_ret(e, fd, "layer %s", image->layers.v[first]);
		t->layers[t->count++] = fd;
	}
	/* They were opened from the top. */
	for (size_t i = 0; i < t->count / 2; i++) {
		int fd = t->layers[i];
		t->layers[i] = t->layers[t->count - 1 - i];
		t->layers[t->count - 1 - i] = fd;
	}
	return 0;
}

static int read_erofs(const struct store *s, const struct image *image, struct image_tree *t, struct err *e)
{
	packed_auto struct packed p = { .config_bytes = NULL };
	t->erofs = erofs_open(s, image->digest);
	if (t->erofs < 0)
		return t->erofs;
	int r = packed_open(t->erofs, &p, e);
	return r < 0 ? r : packed_tree(&p.head, t->erofs, true, &t->tree, e);
}

int image_tree_open(const struct store *s, const struct image *image, const struct layerjob_options *options,
		    struct trust *trust, struct image_tree *t, struct err *e)
{
	*t = IMAGE_TREE_NONE;
	int r = open_layers(s, image, t, e);
	if (r == -ENOENT) {
		image_tree_done(t);
		r = read_erofs(s, image, t, e);
		if (r != -ENOENT)
			return r;
		image_tree_done(t);
		r = image_unpack(s, image->digest, options, trust, e);
		if (r == 0)
			r = open_layers(s, image, t, e);
	}
	return r < 0 ? r : tree_from_layers(&t->tree, t->layers, t->count, e);
}

struct digester {
	const struct tree *tree;
	char digest[DIGEST_TEXT_MAX];
	uint64_t bytes;
	int result;
	struct err err;
};

static void *digest(void *arg)
{
	struct digester *d = arg;
	d->result = tree_tar_digest(d->tree, d->digest, &d->bytes, &d->err);
	return NULL;
}

int image_tree_write(struct tree *t, int fd, struct pack_head *head, uint64_t *ret_tar_bytes, struct err *e)
{
	struct digester d = { .tree = t, .result = 0 };
	pthread_t thread;
	/* A tree that comes from EROFS keeps its places: they are the same in the new file. */
	bool is_parallel = t->layers && pthread_create(&thread, NULL, digest, &d) == 0;
	int r = erofs_write(t, fd, &head->erofs_size, e);
	if (is_parallel)
		pthread_join(thread, NULL);
	else if (r == 0)
		digest(&d);
	if (r == 0 && d.result < 0)
		*e = d.err;
	memcpy(head->tree, d.digest, DIGEST_TEXT_MAX);
	*ret_tar_bytes = d.bytes;
	return r < 0 ? r : d.result;
}
