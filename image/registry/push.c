/* SPDX-License-Identifier: Apache-2.0 */
/* See push.h. Sources: distribution-spec "Pushing blobs", "Mounting a blob from another repository", "Pushing manifests". */
#include "image/registry/push.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/names.h"
#include "image/objlock.h"
#include "image/registry/origin.h"
#include "image/registry/pull.h"
#include "image/registry/signatures.h"
#include "util/fd.h"

enum { BLOBS_AT_A_TIME = 4, MOUNTS_TRIED_MAX = 3 };

struct blob {
	const char *digest;
	uint64_t size_bytes;
	int fd;
	struct progress_row *row; /* NULL: the config's, which is small */
	uint64_t furthest;	  /* byte that was read: what is sent again does not count twice */
	int result;
	struct err err;
};

struct push {
	const struct store *store;
	struct registry *registry;
	struct progress *progress;
	struct origins origins;
	struct blob *blobs; /* the config, then layers */
	size_t count;
	atomic_size_t next;
	atomic_bool is_failed;
};

static void push_done(struct push *p)
{
	for (size_t i = 0; i < p->count; i++)
		fd_close(p->blobs[i].fd);
	free(p->blobs);
	origins_done(&p->origins);
}

#define push_auto __attribute__((cleanup(push_done)))

/* ---- what is to be sent ---- */

/* Each blob once, though an image may have a layer twice. All are opened before the first byte is sent. */
static int add_blob(struct push *p, const struct descriptor *d, struct err *e)
{
	char path[STORE_PATH_MAX];
	struct stat st;
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->blobs[i].digest, d->digest) == 0)
			return 0;
	int fd = openat(p->store->dir, store_blob_path(d->digest, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_new(e, ENOENT, "blob %s: not in the store any more (pull or load the image again)",
			       d->digest);
	if (fd < 0)
		return err_sys(e, "blob %s", d->digest);
	p->blobs[p->count++] =
		(struct blob){ .digest = d->digest, .size_bytes = (uint64_t)d->size_bytes.v, .fd = fd };
	if (fstat(fd, &st) < 0)
		return err_sys(e, "blob %s", d->digest);
	if ((uint64_t)st.st_size != (uint64_t)d->size_bytes.v)
		return err_new(e, EBADMSG, "blob %s: has %lld bytes in the store, not %lld", d->digest,
			       (long long)st.st_size, (long long)d->size_bytes.v);
	return 0;
}

static int add_blobs(struct push *p, const struct image *im, struct err *e)
{
	int r = 0;
	p->blobs = mem_zero(im->manifest.layers.n + 1, sizeof(*p->blobs));
	r = add_blob(p, im->manifest.config, e);
	for (size_t i = 0; r == 0 && i < im->manifest.layers.n; i++)
		r = add_blob(p, &im->manifest.layers.v[i], e);
	return r;
}

/* ---- one blob ---- */

static ptrdiff_t read_blob(void *ctx, uint64_t offset, void *buf, size_t len, struct err *e)
{
	struct blob *b = ctx;
	ssize_t n = pread(b->fd, buf, len, (off_t)offset);
	if (n < 0)
		return err_sys(e, "blob %s", b->digest);
	uint64_t end = offset + (uint64_t)n;
	if (end > b->furthest) {
		progress_add(b->row, end - b->furthest);
		b->furthest = end;
	}
	return n;
}

/* A repository that we may not read, or that has lost the blob, is none to mount from. */
static bool mount(struct push *p, const struct blob *b)
{
	const char *from;
	struct err ignored;
	for (size_t i = 0; i < MOUNTS_TRIED_MAX && (from = origins_of(&p->origins, b->digest, i)); i++)
		if (registry_mount_blob(p->registry, b->digest, from, &ignored) == 1)
			return true;
	return false;
}

static int send_blob(struct push *p, struct blob *b, const char **ret_done, struct err *e)
{
	const struct registry_source source = { read_blob, b };
	int r = registry_has_blob(p->registry, b->digest, e);
	*ret_done = "already there";
	if (r != 0)
		return r < 0 ? r : 0;
	*ret_done = "mounted";
	if (mount(p, b))
		return 0;
	*ret_done = "pushed";
	if (b->row)
		progress_begin(p->progress, b->row);
	return registry_put_blob(p->registry, b->digest, b->size_bytes, &source, e);
}

static void *worker(void *arg)
{
	struct push *p = arg;
	for (size_t i; !p->is_failed && (i = atomic_fetch_add(&p->next, 1)) < p->count;) {
		struct blob *b = &p->blobs[i];
		const char *done;
		b->result = send_blob(p, b, &done, &b->err);
		progress_end(p->progress, b->row, b->result < 0 ? "stopped" : done);
		if (b->result < 0 && !atomic_exchange(&p->is_failed, true))
			registry_cancel(p->registry);
	}
	return NULL;
}

/* The config goes first and alone: by it is found out how to talk to this registry, and whether it takes anything. */
static int send_blobs(struct push *p, enum progress_style style, struct err *e)
{
	pthread_t threads[BLOBS_AT_A_TIME - 1];
	size_t started = 0, layers = p->count - 1;
	const char *done;
	int r = send_blob(p, &p->blobs[0], &done, e);
	if (r < 0)
		return r;
	atomic_store(&p->next, 1);
	progress_open(p->progress, style, layers);
	for (size_t i = 0; i < layers; i++) {
		struct blob *b = &p->blobs[i + 1];
		b->row = &p->progress->rows[i];
		progress_name(b->row, "pushing", b->digest, b->size_bytes);
	}
	progress_start(p->progress);
	while (started < BLOBS_AT_A_TIME - 1 && started + 1 < layers &&
	       pthread_create(&threads[started], NULL, worker, p) == 0)
		started++;
	worker(p);
	while (started > 0)
		pthread_join(threads[--started], NULL);
	progress_done(p->progress);
	const struct blob *failed = NULL;
	for (size_t i = 0; i < p->count; i++)
		if (p->blobs[i].result < 0 && (!failed || failed->result == -ECANCELED))
			failed = &p->blobs[i];
	if (failed)
		*e = failed->err;
	return failed ? failed->result : 0;
}

/* ---- the image ---- */

static int find_destination(const struct push_request *request, const struct image *im, struct ref *ret_ref,
			    struct err *e)
{
	if (!request->destination && !im->name)
		return err_new(e, EINVAL, "has no name: say where to by a second word");
	int r = pull_parse_name(request->destination ? request->destination : im->name, ret_ref, e);
	if (r == 0 && request->destination && ret_ref->digest[0])
		r = err_new(e, EINVAL, "destination \"%s\": a digest is what comes of it; name a tag or nothing",
			    request->destination);
	return r;
}

/* Holds what is read by its lock, so that no prune takes it while it is sent. */
static int hold(const struct image *im, int locks, struct err *e)
{
	int r = objlock_use(locks, im->digest, e);
	if (r == 0)
		r = objlock_use(locks, im->manifest.config->digest, e);
	for (size_t i = 0; r == 0 && i < im->manifest.layers.n; i++)
		r = objlock_use(locks, im->manifest.layers.v[i].digest, e);
	return r;
}

static int put_manifest(const struct push *p, const struct image *im, const struct ref *to, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	const char *type = im->manifest.media_type;
	int r = store_read_blob(p->store, im->digest, STORE_MANIFEST_MAX, &bytes, &len, e);
	if (r < 0)
		return r;
	return registry_put_manifest(p->registry,
				     to->tag[0]	     ? to->tag
				     : to->digest[0] ? im->digest
						     : "latest",
				     type ? type : "application/vnd.oci.image.manifest.v1+json", bytes, len, e);
}

static int push(const struct store *s, const struct push_request *request, const struct image *im, struct err *e)
{
	registry_auto struct registry *registry = NULL;
	push_auto struct push p = { .store = s, .progress = request->progress };
	struct ref to;
	int r = find_destination(request, im, &to, e);
	if (r < 0)
		return r;
	fd_auto int locks = objlock_open(s, e);
	if (locks < 0)
		return fd_take(&locks);
	if ((r = hold(im, locks, e)) < 0 || (r = add_blobs(&p, im, e)) < 0 ||
	    (r = registry_open(&to, REGISTRY_PUSH, &request->registry, &registry, e)) < 0)
		return r;
	p.registry = registry;
	origins_find(s, registry_host(registry), registry_path(registry), &p.origins);
	if ((r = send_blobs(&p, request->style, e)) < 0)
		return r;
	r = put_manifest(&p, im, &to, e);
	if (r < 0 || request->leaves_signatures)
		return r;
	r = signatures_push(registry, s, im->digest, e);
	return r < 0 ? err_at(e, r,
			      "the image is there, its signatures are not (--remove-signatures leaves them out)")
		     : 0;
}

int image_push(const struct store *s, const struct push_request *request, char ret_digest[static DIGEST_TEXT_MAX],
	       struct err *e)
{
	image_auto struct image im = { .name = NULL };
	int r = image_open(s, request->name, &im, e);
	if (r < 0)
		return r;
	memcpy(ret_digest, im.digest, DIGEST_TEXT_MAX);
	r = push(s, request, &im, e);
	return r < 0 ? err_at(e, r, "push %s", request->name) : 0;
}
