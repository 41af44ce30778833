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
#include "image/packer.h"
#include "image/platform.h"
#include "image/tarwrite.h"
#include "util/clock.h"
#include "util/fd.h"

struct import {
	struct import_request *request;
	struct packer packer;
	int root; /* the directory that is imported */
	json_t *process;
};

/* A directory is written as tar by a thread into a pipe, from which the layer is taken in like any other. */
static int pack(void *ctx, int out, struct err *e)
{
	const struct import *im = ctx;
	struct tarout tar;
	struct treeout tree;
	tarout_open(&tar, tarout_to_fd, &out);
	treeout_open(&tree, &tar);
	int r = tar_write_tree(im->root, &tree, e);
	treeout_done(&tree);
	tarout_done(&tar);
	return r;
}

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
	job->is_stream = true;
	if (S_ISDIR(st.st_mode)) {
		im->root = fd_take(&fd);
		im->packer.write = pack;
		im->packer.ctx = im;
		int r = packer_start(&im->packer, &fd, e);
		if (r < 0)
			return r;
	}
	job->own_fd = job->fd = fd_take(&fd);
	return 0;
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
	struct import im = { .request = request, .process = json_object(), .packer = PACKER_NONE, .root = -1 };
	int r = take_in(s, &im, &plan, e);
	json_decref(im.process);
	fd_drop(&im.root);
	memcpy(request->digest, plan.digest, DIGEST_TEXT_MAX);
	return r < 0 ? err_at(e, r, "import %s", request->path) : 0;
}
