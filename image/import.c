/* SPDX-License-Identifier: Apache-2.0 */
/* See import.h. */
#include "image/import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/change.h"
#include "image/commit.h"
#include "image/deflate.h"
#include "image/packer.h"
#include "image/platform.h"
#include "image/tarwrite.h"
#include "util/clock.h"
#include "util/fd.h"

enum { PIECE = 256 << 10 };

struct import {
	struct import_request *request;
	struct packer packer;
	int own_fd; /* what the packer reads: a directory, or an archive */
	json_t *process;
};

/* ---- the layer: a thread packs it into a pipe, from which it is taken in like any other ---- */

static int write_tree(int root, struct deflate *d, struct err *e)
{
	struct tarout tar;
	struct treeout tree;
	tarout_open(&tar, deflate_write, d);
	treeout_open(&tree, &tar);
	int r = tar_write_tree(root, &tree, e);
	treeout_done(&tree);
	tarout_done(&tar);
	return r;
}

static int pack_tree(void *ctx, int out, struct err *e)
{
	const struct import *im = ctx;
	struct deflate packed;
	deflate_open(&packed, tarout_to_fd, &out, 0);
	int r = write_tree(im->own_fd, &packed, e);
	if (r == 0)
		r = deflate_finish(&packed, e);
	deflate_done(&packed);
	return r;
}

/* Passes on what `fd` gives, beginning with the `len` bytes in `buf`. */
static int copy(int fd, uint8_t *buf, ssize_t len, tarout_fn *write, void *ctx, struct err *e)
{
	int r = 0;
	for (; r == 0 && len > 0; len = r == 0 ? fd_read_all(fd, buf, PIECE) : 0)
		r = write(ctx, buf, (size_t)len, e);
	return len < 0 ? err_ret(e, (int)len, "read") : r;
}

/* An archive that is packed already stays as it is. */
static int pack_archive(void *ctx, int out, struct err *e)
{
	const struct import *im = ctx;
	free_auto uint8_t *buf = mem_alloc(PIECE);
	ssize_t len = fd_read_all(im->own_fd, buf, PIECE);
	if (len > 0 && packing_of(buf, (size_t)len) != PACKING_NONE)
		return copy(im->own_fd, buf, len, tarout_to_fd, &out, e);
	struct deflate packed;
	deflate_open(&packed, tarout_to_fd, &out, 0);
	int r = copy(im->own_fd, buf, len, deflate_write, &packed, e);
	if (r == 0)
		r = deflate_finish(&packed, e);
	deflate_done(&packed);
	return r;
}

/* ---- the image ---- */

/* Called when the layer is in: the config names its diffID. */
static int make_config(struct plan *plan, void *ctx, struct err *e)
{
	struct import *im = ctx;
	char now[CLOCK_TEXT_MAX];
	int r = packer_end(&im->packer, e);
	if (r < 0)
		return r;
	clock_text(now);
	struct platform_want here;
	platform_host(&here);
	json_t *step = json_pack("{s:s, s:s}", "created", now, "created_by", "kist image import");
	if (im->request->message)
		json_object_set_new(step, "comment", json_string(im->request->message));
	json_t *doc = json_pack("{s:s, s:s, s:s, s:O, s:{s:s, s:[s]}, s:[o]}", "created", now, "architecture",
				here.arch, "os", "linux", "config", im->process, "rootfs", "type",
				"layers", "diff_ids", plan->jobs[0].diff_id, "history", step);
	plan->config = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	if (!plan->config)
		mem_out();
	plan->config_len = strlen(plan->config);
	return 0;
}

static int open_source(struct import *im, struct layerjob *job, struct err *e)
{
	const char *path = im->request->path;
	struct stat st;
	bool is_input = strcmp(path, "-") == 0;
	fd_auto int fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
				    openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	im->own_fd = fd_take(&fd);
	im->packer.write = S_ISDIR(st.st_mode) ? pack_tree : pack_archive;
	im->packer.ctx = im;
	job->is_stream = true;
	int r = packer_start(&im->packer, &job->own_fd, e);
	job->fd = job->own_fd;
	return r;
}

/* docker import fetches what is a URL; here that is left to programs which do nothing else. */
static int check_words(const struct import_request *request, char name[static REF_TEXT_MAX], struct err *e)
{
	struct ref ref;
	if (strncmp(request->path, "http://", 7) == 0 || strncmp(request->path, "https://", 8) == 0)
		return err_new(e, EINVAL, "not a file or directory: fetch it, such as by curl, into \"kist import -\"");
	if (!request->name)
		return 0;
	int r = ref_parse(request->name, &ref, e);
	if (r == 0 && ref.digest[0])
		return err_new(e, EINVAL, "image name \"%s\": a name that is given has no digest", request->name);
	if (r == 0)
		ref_text(&ref, name);
	return r;
}

static int take_in(const struct store *s, struct import *im, struct plan *plan, struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	char name[REF_TEXT_MAX];
	int r = check_words(im->request, name, e);
	for (size_t i = 0; r == 0 && i < im->request->change_count; i++)
		r = change_apply(im->process, im->request->changes[i], e);
	if (r == 0)
		r = trust_check(im->request->trust, &(const struct trust_subject){ .transport = "tarball" }, e);
	if (r < 0 || (r = ingest_open(s, &in, e)) < 0)
		return r;
	plan_layers(plan, 1);
	if (im->request->name)
		plan_name(plan, name);
	plan->make_config = make_config;
	plan->ctx = im;
	r = open_source(im, &plan->jobs[0], e);
	if (r == 0)
		r = image_commit(&in, plan, &im->request->options, e);
	/* The packer's pipe must be closed before it can be waited for. */
	if (plan->count)
		layerjob_done(&plan->jobs[0]);
	return packer_blame(&im->packer, r, e);
}

int image_import(const struct store *s, struct import_request *request, struct err *e)
{
	plan_auto struct plan plan = { .count = 0 };
	struct import im = { .request = request, .process = json_object(), .packer = PACKER_NONE, .own_fd = -1 };
	int r = take_in(s, &im, &plan, e);
	json_decref(im.process);
	fd_drop(&im.own_fd);
	memcpy(request->digest, plan.digest, DIGEST_TEXT_MAX);
	return r < 0 ? err_at(e, r, "import %s", request->path) : 0;
}
