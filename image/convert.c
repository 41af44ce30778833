/* SPDX-License-Identifier: Apache-2.0 */
/* See convert.h. */
#include "image/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/erofsmount.h"
#include "image/gc.h"
#include "image/imagetree.h"
#include "image/index.h"
#include "image/names.h"
#include "image/objlock.h"
#include "image/pack.h"
#include "image/packcheck.h"
#include "util/fd.h"

#define TEMPORARY "erofs"

static int make_dirs(const struct store *s, struct err *e)
{
	static const char *const dirs[] = { "erofs", "erofs/sha256" };
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdirat(s->dir, dirs[i], 0755) < 0 && errno != EEXIST)
			return err_sys(e, "store %s: %s", s->path, dirs[i]);
	return 0;
}

/* The file is on the disk, under its temporary name, before it gets its own. */
static int publish(struct ingest *in, int fd, const char *digest, struct err *e)
{
	char path[STORE_PATH_MAX];
	if (fsync(fd) < 0)
		return err_sys(e, "store %s: sync", in->store->path);
	int r = make_dirs(in->store, e);
	if (r < 0 || (r = ingest_mark(in, e)) < 0)
		return r;
	fd_auto int dir = openat(in->store->dir, "erofs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || renameat(in->dir, TEMPORARY, in->store->dir, erofs_path(digest, path)) < 0 || fsync(dir) < 0)
		return err_sys(e, "store %s: %s", in->store->path, erofs_path(digest, path));
	return 0;
}

static int build(struct ingest *in, const struct image *image, const struct convert_request *rq, struct err *e)
{
	struct image_tree *t = mem_zero(1, sizeof(*t));
	struct pack_head head = { .tree = "" };
	uint64_t tar_bytes;
	fd_auto int fd = openat(in->dir, TEMPORARY, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? err_sys(e, "store %s: tmp", in->store->path) :
			 image_tree_open(in->store, image, &rq->options, rq->trust, t, e);
	if (r == 0 && (r = image_tree_write(&t->tree, fd, &head, &tar_bytes, e)) == 0)
		r = packed_write_head(&head, fd, e);
	image_tree_done(t);
	free(t);
	return r < 0 ? r : publish(in, fd, image->digest, e);
}

/* From here to the end nobody removes what the image consists of. */
static int lock_image(struct ingest *in, const struct image *image, struct err *e)
{
	int r = objlock_use(in->locks, image->digest, e);
	for (size_t i = 0; r == 0 && i < image->layers.n; i++)
		r = objlock_use(in->locks, image->layers.v[i], e);
	return r;
}

static int convert(struct ingest *in, struct convert_request *rq, const char *row_digest, const struct image *image,
		   struct err *e)
{
	char name[REF_TEXT_MAX];
	struct ref ref;
	int r = rq->new_name ? ref_parse(rq->new_name, &ref, e) : 0;
	if (r == 0 && rq->new_name && ref.digest[0])
		r = err_new(e, EINVAL, "image name \"%s\": a name that is given has no digest", rq->new_name);
	if (r == 0 && rq->drops_layers && !pack_can_mount(in))
		r = err_new(e, EOPNOTSUPP, "--drop-layers: the layers are needed, since EROFS files can be mounted by root on "
			    "Linux 6.12 and later only");
	if (r < 0 || (r = lock_image(in, image, e)) < 0)
		return r;
	rq->was_there = erofs_has(in->store, image->digest);
	if (!rq->was_there && (r = build(in, image, rq, e)) < 0)
		return r;
	if ((r = index_annotate(in, row_digest, EROFS_ANNOTATION, image->digest, e)) < 0)
		return r;
	if (rq->new_name) {
		ref_text(&ref, name);
		r = index_tag(in, name, row_digest, e);
	}
	/* The own locks would keep the layers. */
	objlock_end(in->locks);
	if (r == 0 && rq->drops_layers && (r = ingest_mark(in, e)) == 0)
		r = gc_drop_unpacked(in, image->digest, &image->layers, &rq->dropped, e);
	return r;
}

/* After an error: the file goes that no row of the index tells of, since its image, which stays, would keep it. */
static void take_back(struct ingest *in, const struct convert_request *rq)
{
	image_auto struct image now = { .name = NULL };
	char path[STORE_PATH_MAX];
	struct err ignored = { .num = 0 };
	objlock_end(in->locks);
	if (!rq->was_there && image_open(in->store, rq->image, &now, &ignored) == 0 && !now.has_erofs &&
	    strcmp(now.digest, rq->digest) == 0)
		unlinkat(in->store->dir, erofs_path(rq->digest, path), 0);
	ingest_unmark(in);
}

int image_convert(const struct store *s, struct convert_request *rq, struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	image_auto struct image image = { .name = NULL };
	struct name_hit hit;
	int r = ingest_open(s, &in, e);
	if (r < 0 || (r = names_resolve(s, rq->image, &hit, e)) < 0 || (r = image_open(s, rq->image, &image, e)) < 0)
		return r;
	memcpy(rq->digest, image.digest, DIGEST_TEXT_MAX);
	r = convert(&in, rq, hit.digest, &image, e);
	if (r < 0 && ingest_is_marked(&in))
		take_back(&in, rq);
	if (r == 0 && ingest_is_marked(&in)) {
		objlock_end(in.locks);
		ingest_unmark(&in);
	}
	return r < 0 ? err_at(e, r, "convert %s", rq->image) : 0;
}

int image_check_erofs(const struct store *s, const char *digest, struct err *e)
{
	packed_auto struct packed p = { .config_bytes = NULL };
	tree_auto struct tree t = TREE_NONE;
	fd_auto int fd = erofs_open(s, digest);
	if (fd < 0)
		return err_ret(e, fd, "EROFS file of %s", digest);
	int r = packed_open(fd, &p, e);
	if (r == 0)
		r = packed_tree(&p.head, fd, false, &t, e);
	return r < 0 ? err_at(e, r, "EROFS file of %s", digest) : 0;
}
