/* SPDX-License-Identifier: Apache-2.0 */
/* What pack.h has to do with packed files that are there. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/erofsmount.h"
#include "image/erofswrite.h"
#include "image/names.h"
#include "image/pack.h"
#include "image/packcheck.h"
#include "image/packzstd.h"
#include "image/treetar.h"
#include "util/fd.h"

/* A packed file whose documents are verified, and whose file system lies in `erofs`. */
struct opened {
	struct packed packed;
	int own_file, own_plain;
	int erofs; /* one of them */
	struct tree tree;
};

static void opened_done(struct opened *o)
{
	tree_done(&o->tree);
	packed_done(&o->packed);
	fd_drop(&o->own_file);
	fd_drop(&o->own_plain);
}

#define OPENED_NONE ((struct opened){ .own_file = -1, .own_plain = -1, .erofs = -1, .tree = TREE_NONE })
#define opened_auto __attribute__((cleanup(opened_done)))

static int open_packed(struct ingest *in, const char *path, const struct layerjob_options *options, struct opened *o,
		       struct err *e)
{
	*o = OPENED_NONE;
	o->own_file = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (o->own_file < 0)
		return err_sys(e, "open");
	int r = packed_open(o->own_file, &o->packed, e);
	if (r == 0 && !o->packed.head.manifest.size)
		r = err_new(e, EINVAL, "a file of a store, without an image's configuration");
	o->erofs = o->own_file;
	if (r < 0 || !o->packed.head.zstd.size)
		return r;
	/* Zeros take next to nothing in the file. */
	if (o->packed.head.erofs_size > options->limits.bytes)
		return err_new(e, EFBIG, "unpacks to %llu bytes, more than the limit of %llu (--max-size)",
			       (unsigned long long)o->packed.head.erofs_size, (unsigned long long)options->limits.bytes);
	o->erofs = o->own_plain = openat(in->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (o->own_plain < 0)
		return err_sys(e, "store %s: tmp", in->store->path);
	return unpack_zstd(o->own_file, &o->packed.head, o->own_plain, e);
}

/* To the policy, it is an archive that holds an OCI image. */
static int ask(struct trust *trust, const char *path, const struct packed *p, struct err *e)
{
	const char *const digests[] = { p->head.manifest.digest };
	free_auto char *full = realpath(path, NULL);
	const struct trust_subject subject = {
		.transport = "oci-archive", .path = full ? full : path, .tag = p->head.name, .digests = digests,
		.digest_count = 1,
	};
	return trust_check(trust, &subject, e);
}

/* ---- into the store ---- */

/* The layer is written as tar by a thread into a pipe, from which it is taken in like any other. */
struct feeder {
	pthread_t thread;
	const struct tree *tree;
	int own_out;
	int result;
	struct err err;
};

static void *feed(void *arg)
{
	struct feeder *f = arg;
	f->result = tree_tar_write(f->tree, f->own_out, &f->err);
	fd_drop(&f->own_out);
	return NULL;
}

static int feeder_start(struct feeder *f, int *ret_in, struct err *e)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	f->own_out = ends[1];
	int num = pthread_create(&f->thread, NULL, feed, f);
	if (num) {
		fd_close(ends[0]);
		fd_close(ends[1]);
		return err_ret(e, -num, "start a thread");
	}
	*ret_in = ends[0];
	return 0;
}

static char *copy(const char *bytes, size_t len)
{
	char *text = mem_alloc(len + 1);
	memcpy(text, bytes, len);
	text[len] = '\0';
	return text;
}

static void fill_plan(const struct packed *p, struct plan *plan)
{
	const struct descriptor *d = &p->manifest.layers.v[0];
	memcpy(plan->digest, p->head.manifest.digest, DIGEST_TEXT_MAX);
	memcpy(plan->config_digest, p->head.config.digest, DIGEST_TEXT_MAX);
	plan->media_type = p->manifest.media_type ? p->manifest.media_type : "application/vnd.oci.image.manifest.v1+json";
	plan->manifest_len = p->head.manifest.size;
	plan->manifest = copy(p->manifest_bytes, plan->manifest_len);
	plan->config_len = p->head.config.size;
	plan->config = copy(p->config_bytes, plan->config_len);
	plan_layers(plan, 1);
	memcpy(plan->jobs[0].blob, d->digest, DIGEST_TEXT_MAX);
	memcpy(plan->jobs[0].diff_id, p->head.tree, DIGEST_TEXT_MAX);
	plan->jobs[0].media_type = d->media_type;
	plan->jobs[0].size_bytes = (uint64_t)d->size_bytes.v;
	plan->jobs[0].is_stream = true;
}

/* Its tree is read, and so its form is known to be kist's; the digest of its bytes is compared as it comes in. */
static int take_in(struct ingest *in, struct opened *o, struct plan *plan, const struct load_request *rq, struct err *e)
{
	struct feeder f = { .tree = &o->tree, .own_out = -1 };
	fill_plan(&o->packed, plan);
	int r = feeder_start(&f, &plan->jobs[0].fd, e);
	if (r < 0)
		return r;
	plan->jobs[0].own_fd = plan->jobs[0].fd;
	r = load_finish(in, plan, rq, e);
	/* The pipe must be closed before its writer can be waited for. */
	layerjob_done(&plan->jobs[0]);
	pthread_join(f.thread, NULL);
	if (r < 0 && f.result < 0 && f.result != -EPIPE)
		*e = f.err;
	return r;
}

int pack_load(struct ingest *in, const struct load_request *rq, struct err *e)
{
	opened_auto struct opened o = OPENED_NONE;
	plan_auto struct plan plan = { .count = 0 };
	char name[REF_TEXT_MAX];
	struct ref ref;
	int r = open_packed(in, rq->path, &rq->options, &o, e);
	const char *text = rq->name ? rq->name : o.packed.head.name;
	if (r == 0 && *text && (r = ref_parse(text, &ref, e)) == 0) {
		ref_text(&ref, name);
		plan_name(&plan, name);
	}
	if (r == 0)
		r = ask(rq->trust, rq->path, &o.packed, e);
	if (r == 0)
		r = packed_tree(&o.packed.head, o.erofs, true, &o.tree, e);
	if (r == 0)
		r = take_in(in, &o, &plan, rq, e);
	return r < 0 ? err_at(e, r, "%s", rq->path) : 0;
}

/* ---- ready to run ---- */

bool pack_can_mount(struct ingest *in)
{
	tree_auto struct tree t = TREE_NONE;
	struct tree_inode root = { .mode = S_IFDIR | 0755 };
	struct err ignored;
	uint64_t size;
	fd_auto int fd = openat(in->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	t.root = tree_node_new(&t, NULL, "", 0);
	t.root->inode = &root;
	tree_count_links(&t);
	if (fd < 0 || erofs_write(&t, fd, &size, &ignored) < 0)
		return false;
	fd_auto int mnt = erofs_mount(fd, &ignored);
	return mnt >= 0;
}

static int write_note(struct ingest *in, const struct stat *st, const char *digest, struct err *e)
{
	static const char *const dirs[] = { "erofs", "erofs/packs" };
	char name[PACK_NOTE_MAX], text[PACK_NOTE_MAX];
	pack_note(st, digest, name, text);
	int r = ingest_write(in, "note", text, strlen(text), e);
	/* A prune may take the directory away just then. */
	for (int tries = 0; r == 0 && tries < 3; tries++) {
		for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
			if (mkdirat(in->store->dir, dirs[i], 0755) < 0 && errno != EEXIST)
				return err_sys(e, "store %s: %s", in->store->path, dirs[i]);
		if (renameat(in->dir, "note", in->store->dir, name) == 0)
			return 0;
		if (errno != ENOENT)
			break;
	}
	return r < 0 ? r : err_sys(e, "store %s: %s", in->store->path, name);
}

static void loaded(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
}

static int prepare(struct ingest *in, struct opened *o, const char *path, bool is_mountable,
		   const struct layerjob_options *options, bool *ret_is_noted, struct err *e)
{
	struct stat before, after;
	plan_auto struct plan plan = { .count = 0 };
	const struct load_request rq = { .path = path, .options = *options, .loaded = loaded };
	if (fstat(o->own_file, &before) < 0)
		return err_sys(e, "stat");
	*ret_is_noted = is_mountable && !pack_unmountable(&o->packed.head, o->own_file, &before) && pack_can_mount(in);
	int r = packed_tree(&o->packed.head, o->erofs, !*ret_is_noted, &o->tree, e);
	if (r < 0)
		return r;
	if (!*ret_is_noted)
		return take_in(in, o, &plan, &rq, e);
	if (fstat(o->own_file, &after) < 0)
		return err_sys(e, "stat");
	if (before.st_size != after.st_size || before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
	    before.st_mtim.tv_nsec != after.st_mtim.tv_nsec || before.st_ctim.tv_sec != after.st_ctim.tv_sec ||
	    before.st_ctim.tv_nsec != after.st_ctim.tv_nsec)
		return err_new(e, EBUSY, "was written to while it was verified");
	return write_note(in, &after, o->packed.head.manifest.digest, e);
}

int pack_prepare(const struct store *s, const char *path, const struct layerjob_options *options, struct trust *trust,
		 bool *ret_is_noted, char ret_digest[static DIGEST_TEXT_MAX], struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	opened_auto struct opened o = OPENED_NONE;
	enum erofs_wish wish;
	int r = erofs_wish(&wish, e);
	if (r == 0)
		r = ingest_open(s, &in, e);
	if (r < 0 || (r = open_packed(&in, path, options, &o, e)) < 0 || (r = ask(trust, path, &o.packed, e)) < 0 ||
	    (r = prepare(&in, &o, path, wish != EROFS_NEVER, options, ret_is_noted, e)) < 0)
		return err_at(e, r, "%s", path);
	memcpy(ret_digest, o.packed.head.manifest.digest, DIGEST_TEXT_MAX);
	return 0;
}

int pack_drop_notes(const struct store *s, struct err *e)
{
	int r = file_remove_tree(s->dir, "erofs/packs");
	return r < 0 && r != -ENOENT ? err_ret(e, r, "store %s: erofs/packs", s->path) : 0;
}
