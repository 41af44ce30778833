/* SPDX-License-Identifier: Apache-2.0 */
/* See layerjob.h. */
#include "image/layerjob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/flush.h"
#include "image/intake.h"
#include "image/relay.h"
#include "image/treedir.h"
#include "util/fd.h"
#include "util/mem.h"

static const struct {
	const char *name;
	const char *type;       /* OCI's */
	const char *endings[2]; /* of the types that mean this packing */
} packings[] = {
	[PACKING_NONE] = { "a plain tar", "application/vnd.oci.image.layer.v1.tar", { ".tar", ".tar" } },
	[PACKING_GZIP] = { "gzip", "application/vnd.oci.image.layer.v1.tar+gzip", { "+gzip", ".tar.gzip" } },
	[PACKING_ZSTD] = { "zstd", "application/vnd.oci.image.layer.v1.tar+zstd", { "+zstd", ".tar.zstd" } },
};

const char *layer_media_type(enum packing packing)
{
	return packings[packing].type;
}

void layerjob_init(struct layerjob *job)
{
	*job = (struct layerjob){ .own_fd = -1, .fd = -1, .size_bytes = UINT64_MAX, .same_as = -1 };
}

void layerjob_done(struct layerjob *job)
{
	fd_drop(&job->own_fd);
	free(job->unpacked.implied);
	job->unpacked.implied = NULL;
}

static bool ends_in(const char *text, const char *ending)
{
	size_t len = strlen(text), n = strlen(ending);
	return len >= n && strcmp(text + len - n, ending) == 0;
}

/* The number of the packing that a type means, or -1. */
static int find_packing(const char *media_type)
{
	for (size_t i = 0; i < ARRAY_LEN(packings); i++)
		if (ends_in(media_type, packings[i].endings[0]) || ends_in(media_type, packings[i].endings[1]))
			return (int)i;
	return -1;
}

enum packing layer_packing(const char *media_type)
{
	int i = media_type ? find_packing(media_type) : -1;
	return i < 0 ? PACKING_NONE : (enum packing)i;
}

/*
 * A type that says one packing for bytes of another is refused, so that all readers of the image see the
 * same.
 */
static int check_media_type(const struct layerjob *job, struct err *e)
{
	int i = job->media_type ? find_packing(job->media_type) : (int)job->packing;
	if (i < 0)
		return err_new(e, EINVAL, "mediaType %.120s is not that of a layer", job->media_type);
	if (i == (int)job->packing)
		return 0;
	return err_new(e, EINVAL, "mediaType %s, but the data is %s", job->media_type,
		       packings[job->packing].name);
}

/* ---- one job ---- */

struct work {
	struct ingest *in;
	struct sharing *sharing;
	struct layerjob *job;
	const struct layerjob_options *options;
	struct progress_row *row;
	struct intake intake;
	struct inflate inflate;
	struct relay relay;
	struct digest_flow sum; /* the second digest, between inflating and unpacking */
};

static int consume(struct work *w, struct flow *f, struct err *e)
{
	treedir_auto struct treedir dir = TREEDIR_NONE;
	if (!w->job->wants_tree)
		return flow_drain(f, e);
	int r = treedir_open(w->in->dir, w->job->number, &dir, e);
	if (r < 0)
		return r;
	struct sharing_layer share;
	sharing_begin(&share, w->sharing);
	r = unpack_layer(f, dir.root, w->options->entries ? w->options->entries : UNPACK_ENTRIES_MAX, &share,
			  &w->job->unpacked, e);
	if (r == 0)
		r = treedir_finish(&dir, &w->job->unpacked, &share, e);
	sharing_end(&share);
	return r;
}

/* Reading and inflating go on in a thread of their own; a job that runs alone gains from it most. */
static int run_relayed(struct work *w, struct err *e)
{
	int r = relay_open(&w->relay, &w->inflate.flow, e);
	if (r < 0)
		return r;
	digest_flow_begin(&w->sum, &w->relay.flow);
	r = consume(w, &w->sum.flow, e);
	relay_done(&w->relay);
	return r;
}

/* Compares what was said with what came, and fills in what was not said. */
static int settle(char said[static DIGEST_TEXT_MAX], const char *got, const char *what, struct err *e)
{
	if (said[0] && strcmp(said, got) != 0)
		return err_new(e, EBADMSG, "%s mismatch: expected %s, got %s", what, said, got);
	memcpy(said, got, DIGEST_TEXT_MAX);
	return 0;
}

static int verify(struct work *w, struct err *e)
{
	char got[DIGEST_TEXT_MAX];
	struct layerjob *job = w->job;
	intake_digest(&w->intake, got);
	int r = settle(job->blob, got, "digest", e);
	if (r < 0)
		return r;
	if (job->size_bytes != UINT64_MAX && job->size_bytes != w->intake.bytes)
		return err_new(e, EBADMSG, "size mismatch: expected %llu, got %llu",
			       (unsigned long long)job->size_bytes, (unsigned long long)w->intake.bytes);
	job->size_bytes = w->intake.bytes;
	digest_text(&w->sum.digest, got);
	return settle(job->diff_id, got, "diffID", e);
}

static int run_inflated(struct work *w, struct err *e)
{
	w->job->packing = w->inflate.packing;
	int r = check_media_type(w->job, e);
	if (r < 0)
		return r;
	r = run_relayed(w, e);
	if (r == 0)
		r = verify(w, e);
	digest_done(&w->sum.digest);
	return r;
}

static int open_intake(struct work *w, int copy, struct err *e)
{
	struct layerjob *job = w->job;
	struct flow *flow;
	int r = job->feed ? job->feed->open(job->feed, &flow, e) : 0;
	if (r < 0)
		return r;
	if (!job->feed && job->fd < 0)
		return err_new(e, ENOENT, "was removed from the store meanwhile, and the source does not have it");
	if (job->feed)
		intake_flow(&w->intake, flow, job->size_bytes, copy);
	else if (job->is_stream)
		intake_stream(&w->intake, job->fd, copy);
	else
		intake_part(&w->intake, job->fd, job->offset, job->size_bytes, copy);
	w->intake.watch = w->row;
	return 0;
}

static int run_opened(struct work *w, const struct inflate_limits *limits, int copy, struct err *e)
{
	int opened = open_intake(w, copy, e);
	if (opened < 0)
		return opened;
	int r = inflate_open(&w->inflate, &w->intake.flow, limits, w->in->dir, e);
	if (r == 0)
		r = run_inflated(w, e);
	inflate_done(&w->inflate);
	intake_done(&w->intake);
	if (w->job->feed)
		w->job->feed->close(w->job->feed);
	return r;
}

static const char *label_of(const struct layerjob *job)
{
	return job->blob[0] ? job->blob : job->diff_id[0] ? job->diff_id : "1";
}

static int run_job(struct ingest *in, struct sharing *sharing, struct layerjob *job, const struct layerjob_options *options,
		   struct progress_row *row, struct err *e)
{
	fd_auto int copy = -1;
	if (job->wants_blob) {
		char name[64];
		snprintf(name, sizeof(name), "blob-%zu", job->number);
		copy = openat(in->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (copy < 0)
			return err_sys(e, "layer %s: %s", label_of(job), name);
	}
	struct work *w = mem_zero(1, sizeof(*w));
	w->in = in;
	w->sharing = sharing;
	w->job = job;
	w->options = options;
	w->row = row;
	int r = run_opened(w, &options->limits, copy, e);
	free(w);
	return r < 0 ? err_at(e, r, "layer %s", label_of(job)) : 0;
}

/* ---- several at a time ---- */

struct pool {
	struct ingest *in;
	struct sharing *sharing;
	struct layerjob *jobs;
	size_t count;
	size_t *order; /* in which the jobs are begun */
	const struct layerjob_options *options;
	struct progress *progress;
	atomic_size_t next;
	atomic_bool is_failed;
	unsigned int wanted;
};

static void *worker(void *arg)
{
	struct pool *p = arg;
	for (size_t n; !p->is_failed && (n = atomic_fetch_add(&p->next, 1)) < p->count;) {
		size_t i = p->order[n];
		struct layerjob *job = &p->jobs[i];
		struct progress_row *row = &p->progress->rows[i];
		if (!job->is_wanted)
			continue;
		progress_begin(p->progress, row);
		job->result = run_job(p->in, p->sharing, job, p->options, row, &job->err);
		progress_end(p->progress, row,
			     job->result < 0 ? "stopped" : job->wants_tree ? "unpacked" : "verified");
		if (job->result < 0 && !atomic_exchange(&p->is_failed, true) && p->options->failed)
			p->options->failed(p->options->ctx);
	}
	return NULL;
}

/* The largest first, so that no long one is left alone at the end; a size that is not known counts as large. */
static int by_size(const void *a, const void *b, void *arg)
{
	const struct pool *p = arg;
	const size_t *x = a, *y = b;
	uint64_t of_x = p->jobs[*x].size_bytes, of_y = p->jobs[*y].size_bytes;
	return of_x != of_y ? (of_x < of_y ? 1 : -1) : *x < *y ? -1 : 1;
}

static void put_in_order(struct pool *p)
{
	p->order = mem_alloc((p->count + 1) * sizeof(*p->order));
	for (size_t i = 0; i < p->count; i++)
		p->order[i] = i;
	qsort_r(p->order, p->count, sizeof(*p->order), by_size, p);
}

/* What is not wanted is done already. */
static void show(struct pool *p)
{
	progress_open(p->progress, p->options->style, p->count);
	for (size_t i = 0; i < p->count; i++) {
		const struct layerjob *job = &p->jobs[i];
		progress_name(&p->progress->rows[i], p->options->verb ? p->options->verb : "reading",
			      *job->blob ? job->blob : job->diff_id, job->size_bytes);
		if (!job->is_wanted)
			progress_end(p->progress, &p->progress->rows[i], "already here");
	}
	progress_start(p->progress);
}

static unsigned int thread_count(const struct pool *p)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int n = p->options->threads ? p->options->threads : cpus > 0 ? (unsigned int)cpus : 1;
	n = n < p->wanted ? n : p->wanted;
	return n < 8 ? n : 8;
}

static bool is_of_image(const void *ctx, const char *diff_id)
{
	const struct pool *p = ctx;
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->jobs[i].diff_id, diff_id) == 0)
			return true;
	return false;
}

/* Files are looked for in other layers only where there is something to unpack. */
static void open_sharing(struct pool *p)
{
	bool wants_tree = false;
	for (size_t i = 0; i < p->count; i++)
		wants_tree |= p->jobs[i].is_wanted && p->jobs[i].wants_tree;
	if (wants_tree)
		sharing_open(p->in->store, is_of_image, p, p->sharing);
	else
		*p->sharing = SHARING_NONE;
}

int layerjobs_run(struct ingest *in, struct layerjob *jobs, size_t count,
		  const struct layerjob_options *options, struct err *e)
{
	struct progress own;
	struct sharing sharing;
	struct pool pool = {
		.in = in,
		.sharing = &sharing,
		.jobs = jobs,
		.count = count,
		.options = options,
		.progress = options->progress ? options->progress : &own,
	};
	bool is_writing = false;
	for (size_t i = 0; i < count; i++) {
		pool.wanted += jobs[i].is_wanted;
		is_writing |= jobs[i].is_wanted && (jobs[i].wants_blob || jobs[i].wants_tree);
	}
	put_in_order(&pool);
	open_sharing(&pool);
	show(&pool);
	struct flush flush = { .dir = -1 };
	if (is_writing)
		flush_open(&flush, in->dir);
	pthread_t threads[8];
	unsigned int extra = thread_count(&pool), started = 0;
	/* This thread works too; a thread that cannot be started is not missed. */
	while (started + 1 < extra && pthread_create(&threads[started], NULL, worker, &pool) == 0)
		started++;
	worker(&pool);
	while (started > 0)
		pthread_join(threads[--started], NULL);
	flush_done(&flush);
	free(pool.order);
	progress_done(pool.progress);
	sharing_done(&sharing);
	/* A layer that was stopped because of another says nothing of the cause. */
	const struct layerjob *failed = NULL;
	for (size_t i = 0; i < count; i++)
		if (jobs[i].result < 0 && (!failed || failed->result == -ECANCELED))
			failed = &jobs[i];
	if (failed)
		*e = failed->err;
	return failed ? failed->result : 0;
}
