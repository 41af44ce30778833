/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs and unpacked layers, for image/check: see check_parts.h. */
#include "image/check_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/fileindex.h"
#include "image/inflate.h"
#include "image/intake.h"
#include "image/relay.h"
#include "image/treecheck.h"
#include "image/treedir.h"
#include "util/fd.h"
#include "util/mem.h"

/* A blob that was let in once is read whatever its ratio is. */
static const struct inflate_limits no_limits = { .bytes = UINT64_MAX, .ratio = UINT64_MAX, .ratio_from = UINT64_MAX };

/* ---- the directory of a layer ---- */

enum { FS_NONE, FS_PLAIN, FS_OPAQUE, FS_BOTH };

static int fs_of(const struct check *c, const char *layer)
{
	char path[STORE_PATH_MAX + 16];
	static const char *const names[] = { "fs", "fs-opaque" };
	int found = FS_NONE;
	for (int i = 0; i < 2; i++) {
		struct stat st;
		snprintf(path, sizeof(path), "%s/%s", layer, names[i]);
		if (fstatat(c->store->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
			found |= 1 << i;
	}
	return found;
}

static void bad_layer(struct check *c, const char *diff_id, const char *what)
{
	check_say(c, "layer %s: %s", diff_id, what);
	check_note(c, &c->result.bad_layers, diff_id);
}

/* What else lies there: names that mean something, and no others. */
static bool is_known(const char *name)
{
	static const char *const known[] = { ".", "..", "fs", "fs-opaque", "bytes", FILEINDEX_NAME, TREEDIR_IMPLIED };
	char digest[DIGEST_TEXT_MAX];
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i], name) == 0)
			return true;
	if (strncmp(name, "replaced-", 9) == 0) /* image/repair: a container runs on it */
		return true;
	int len = snprintf(digest, sizeof(digest), "sha256:%.64s", strncmp(name, "from-", 5) == 0 ? name + 5 : "");
	return len == DIGEST_TEXT_MAX - 1 && strlen(name) == 5 + 64 && digest_is_valid(digest);
}

static void check_dir(struct check *c, const char *diff_id)
{
	char path[STORE_PATH_MAX], file[STORE_PATH_MAX + 16], what[NAME_MAX + 32];
	free_auto char *bytes = NULL;
	store_layer_path(diff_id, path);
	int top = openat(c->store->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = top < 0 ? NULL : fdopendir(top);
	if (!d) {
		fd_close(top);
		if (errno != ENOENT)
			bad_layer(c, diff_id, strerror(errno));
		return;
	}
	c->result.layers++;
	int fs = fs_of(c, path);
	if (fs == FS_NONE || fs == FS_BOTH)
		bad_layer(c, diff_id, fs == FS_NONE ? "fs: missing" : "fs and fs-opaque: there can be one of them");
	for (struct dirent *de; (de = readdir(d));)
		if (!is_known(de->d_name)) {
			snprintf(what, sizeof(what), "%s: not part of a layer", de->d_name);
			bad_layer(c, diff_id, what);
		}
	closedir(d);
	struct fileindex files;
	snprintf(file, sizeof(file), "%s/" FILEINDEX_NAME, path);
	int r = fileindex_open(c->store->dir, file, &files);
	if (r == 0)
		fileindex_done(&files);
	else if (r != -ENOENT)
		bad_layer(c, diff_id, "files: no list of files");
	snprintf(file, sizeof(file), "%s/bytes", path);
	r = file_read(c->store->dir, file, 64, false, &bytes, NULL);
	size_t digits = r < 0 ? 0 : strspn(bytes, "0123456789");
	if (!digits || strcmp(bytes + digits, "\n") != 0)
		bad_layer(c, diff_id, r < 0 ? "bytes: missing" : "bytes: no number");
}

/* ---- one blob ---- */

/* What one job has at hand. Differences of a tree count only once the blob itself is known to be right. */
struct work {
	struct check *c;
	struct check_job *job;
	struct intake intake;
	struct inflate inflate;
	struct relay relay;
	struct digest_flow sum;
	char **lines;
	size_t line_count;
};

static void on_difference(void *ctx, const char *path, const char *what)
{
	struct work *w = ctx;
	w->lines = mem_grow(w->lines, (w->line_count + 1) * sizeof(*w->lines));
	w->lines[w->line_count++] = mem_fmt("%s: %s", path, what);
}

static void compare_record(struct work *w, const char *layer, int fs, const struct treechecked *tree)
{
	char file[STORE_PATH_MAX + 16], text[32];
	free_auto char *bytes = NULL;
	snprintf(file, sizeof(file), "%s/bytes", layer);
	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)tree->bytes);
	if (file_read(w->c->store->dir, file, 64, false, &bytes, NULL) == 0 && strcmp(bytes, text) != 0)
		on_difference(w, "bytes", "not the size that its blob unpacks to");
	if (tree->is_opaque != (fs == FS_OPAQUE))
		on_difference(w, tree->is_opaque ? "fs" : "fs-opaque",
			      tree->is_opaque ? "does not hide what is below it" : "hides what is below it");
}

static int compare_tree(struct work *w, struct flow *f, struct err *e)
{
	char path[STORE_PATH_MAX], file[STORE_PATH_MAX + 16];
	struct treechecked tree;
	store_layer_path(w->job->diff_id, path);
	int fs = fs_of(w->c, path);
	if (!w->job->wants_tree || (fs != FS_PLAIN && fs != FS_OPAQUE))
		return flow_drain(f, e);
	snprintf(file, sizeof(file), "%s/%s", path, fs == FS_PLAIN ? "fs" : "fs-opaque");
	fd_auto int root = openat(w->c->store->dir, file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0) {
		check_say(w->c, "layer %s: %s", w->job->diff_id, strerror(errno));
		return flow_drain(f, e);
	}
	int r = treecheck(f, root, on_difference, w, &tree, e);
	if (r == 0)
		compare_record(w, path, fs, &tree);
	return r;
}

/* Inflates, and digests what comes out. A flow that has failed may have left the blob's end unread. */
static int read_layer(struct work *w, char diff_id[static DIGEST_TEXT_MAX], struct err *e)
{
	int r = inflate_open(&w->inflate, &w->intake.flow, &no_limits, w->c->store->dir, e);
	if (r == 0 && (r = relay_open(&w->relay, &w->inflate.flow, e)) == 0) {
		digest_flow_begin(&w->sum, &w->relay.flow);
		r = compare_tree(w, &w->sum.flow, e);
		relay_done(&w->relay);
		if (r == 0)
			digest_text(&w->sum.digest, diff_id);
		digest_done(&w->sum.digest);
	}
	inflate_done(&w->inflate);
	return r;
}

static void drop_lines(struct work *w)
{
	for (size_t i = 0; i < w->line_count; i++)
		free(w->lines[i]);
	free(w->lines);
}

static void judge(struct work *w, uint64_t bytes, int r, const char *diff_id, const struct err *e)
{
	char got[DIGEST_TEXT_MAX];
	struct check *c = w->c;
	const struct check_job *job = w->job;
	intake_digest(&w->intake, got);
	bool is_bad = strcmp(got, job->digest) != 0;
	if (is_bad)
		check_say(c, "blob %s: its bytes have the digest %s", job->digest, got);
	else if (job->size_bytes >= 0 && bytes != (uint64_t)job->size_bytes)
		check_say(c, "blob %s: %llu bytes, not %lld as its descriptor says", job->digest,
			  (unsigned long long)bytes, (long long)job->size_bytes);
	else if (r < 0)
		check_say(c, "blob %s: %s", job->digest, e->text);
	else if (diff_id[0] && strcmp(diff_id, job->diff_id) != 0)
		check_say(c, "blob %s: unpacks to %s, not to %s as its image says", job->digest, diff_id, job->diff_id);
	else if (w->line_count)
		check_note(c, &c->result.bad_layers, job->diff_id);
	if (is_bad)
		check_note(c, &c->result.bad_blobs, job->digest);
	bool is_sound = !is_bad && r == 0 && strcmp(diff_id, job->diff_id) == 0;
	for (size_t i = 0; is_sound && i < w->line_count; i++)
		check_say(c, "layer %s: %s", job->diff_id, w->lines[i]);
	drop_lines(w);
}

static void check_blob(struct check *c, struct check_job *job)
{
	char path[STORE_PATH_MAX], diff_id[DIGEST_TEXT_MAX] = "";
	struct stat st;
	struct err e;
	fd_auto int fd = openat(c->store->dir, store_blob_path(job->digest, path),
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return; /* removed before our lock */
	if (fd < 0 || fstat(fd, &st) < 0) {
		/* That we cannot read it says nothing about it: a repair must leave it alone. */
		check_say(c, "blob %s: %s", job->digest, strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		check_say(c, "blob %s: not a regular file", job->digest);
		check_note(c, &c->result.bad_blobs, job->digest);
		return;
	}
	if (c->request->is_quick) {
		bool is_bad = job->size_bytes >= 0 && st.st_size != job->size_bytes;
		if (is_bad) {
			check_say(c, "blob %s: %lld bytes, not %lld as its descriptor says", job->digest,
				  (long long)st.st_size, (long long)job->size_bytes);
			check_note(c, &c->result.bad_blobs, job->digest);
		}
		return;
	}
	struct work *w = mem_zero(1, sizeof(*w));
	w->c = c;
	w->job = job;
	intake_part(&w->intake, fd, 0, (uint64_t)st.st_size, -1);
	struct err rest;
	int r = job->diff_id[0] ? read_layer(w, diff_id, &e) : flow_drain(&w->intake.flow, &e);
	/* Whatever was wrong inside: the digest is that of all bytes. */
	if (flow_drain(&w->intake.flow, &rest) == 0) {
		judge(w, (uint64_t)st.st_size, r, diff_id, &e);
	} else {
		check_say(c, "blob %s: %s", job->digest, rest.text);
		drop_lines(w);
	}
	intake_done(&w->intake);
	free(w);
}

/* ---- all of them ---- */

static int compare_jobs(const void *a, const void *b)
{
	const struct check_job *x = a, *y = b;
	int r = strcmp(x->digest, y->digest);
	return r ? r : strcmp(y->diff_id, x->diff_id); /* what says more comes first */
}

static int compare_sizes(const void *a, const void *b)
{
	const struct check_job *x = a, *y = b;
	return x->on_disk > y->on_disk ? -1 : x->on_disk < y->on_disk;
}

/* One job for each blob and what it must unpack to; the largest first, so that none is left alone at the end. */
static void arrange(struct check *c)
{
	size_t n = 0;
	char path[STORE_PATH_MAX];
	if (c->job_count)
		qsort(c->jobs, c->job_count, sizeof(*c->jobs), compare_jobs);
	for (size_t i = 0; i < c->job_count; i++) {
		struct check_job *last = n ? &c->jobs[n - 1] : NULL, *job = &c->jobs[i];
		struct stat st;
		if (last && strcmp(last->digest, job->digest) == 0 &&
		    (!job->diff_id[0] || strcmp(last->diff_id, job->diff_id) == 0)) {
			if (last->size_bytes < 0)
				last->size_bytes = job->size_bytes;
			continue;
		}
		if (fstatat(c->store->dir, store_blob_path(job->digest, path), &st, AT_SYMLINK_NOFOLLOW) == 0)
			job->on_disk = (uint64_t)st.st_size;
		c->jobs[n++] = *job;
	}
	c->job_count = n;
	if (n)
		qsort(c->jobs, n, sizeof(*c->jobs), compare_sizes);
}

/* A layer is compared with one of its blobs. */
static void choose_trees(struct check *c)
{
	struct digests chosen = { .v = NULL };
	for (size_t i = 0; i < c->job_count; i++) {
		struct check_job *job = &c->jobs[i];
		if (!job->diff_id[0] || !store_has_layer(c->store, job->diff_id) || digests_have(&chosen, job->diff_id))
			continue;
		job->wants_tree = true;
		digests_add(&chosen, job->diff_id);
		digests_sort(&chosen);
	}
	digests_done(&chosen);
}

struct pool {
	struct check *c;
	atomic_size_t next;
};

static void *worker(void *arg)
{
	struct pool *p = arg;
	for (size_t i; (i = atomic_fetch_add(&p->next, 1)) < p->c->job_count;)
		check_blob(p->c, &p->c->jobs[i]);
	return NULL;
}

void check_objects(struct check *c)
{
	struct pool pool = { .c = c };
	pthread_t threads[8];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = cpus > 8 ? 8 : cpus > 0 ? (size_t)cpus : 1, started = 0;
	digests_sort(&c->layers);
	for (size_t i = 0; i < c->layers.n; i++)
		if (i == 0 || strcmp(c->layers.v[i], c->layers.v[i - 1]) != 0)
			check_dir(c, c->layers.v[i]);
	arrange(c);
	choose_trees(c);
	c->result.blobs = c->job_count;
	while (started + 1 < wanted && started + 1 < c->job_count &&
	       pthread_create(&threads[started], NULL, worker, &pool) == 0)
		started++;
	worker(&pool);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}
