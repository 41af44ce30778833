/* SPDX-License-Identifier: Apache-2.0 */
/* See import.h. */
#include "image/import.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/change.h"
#include "image/commit.h"
#include "image/tarwrite.h"
#include "util/clock.h"
#include "util/fd.h"

/* A directory is written as tar by a thread into a pipe, from which the layer is taken in like any other. */
struct packer {
	pthread_t thread;
	bool is_running;
	int root;
	int own_out;
	int result;
	struct err err;
};

struct import {
	struct import_request *request;
	struct packer packer;
	json_t *process;
};

static void *pack(void *arg)
{
	struct packer *p = arg;
	struct tarout out;
	struct treeout tree;
	tarout_open(&out, tarout_to_fd, &p->own_out);
	treeout_open(&tree, &out);
	p->result = tar_write_tree(p->root, &tree, &p->err);
	treeout_done(&tree);
	tarout_done(&out);
	fd_drop(&p->own_out);
	return NULL;
}

static int packer_start(struct packer *p, int root, int *ret_in, struct err *e)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	p->root = root;
	p->own_out = ends[1];
	int num = pthread_create(&p->thread, NULL, pack, p);
	if (num) {
		fd_close(ends[0]);
		fd_close(ends[1]);
		return err_ret(e, -num, "start a thread");
	}
	p->is_running = true;
	*ret_in = ends[0];
	return 0;
}

static int packer_end(struct packer *p, struct err *e)
{
	if (!p->is_running)
		return 0;
	pthread_join(p->thread, NULL);
	p->is_running = false;
	if (p->result < 0)
		*e = p->err;
	return p->result;
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
	json_t *doc = json_pack("{s:s, s:s, s:s, s:O, s:{s:s, s:[s]}, s:[{s:s, s:s}]}", "created", now,
				"architecture", platform_arch(), "os", "linux", "config", im->process,
				"rootfs", "type", "layers", "diff_ids", plan->jobs[0].diff_id, "history",
				"created", now, "created_by", "kist image import");
	plan->config = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	if (!plan->config)
		mem_out();
	plan->config_len = strlen(plan->config);
	return 0;
}

static int open_source(struct import *im, struct layerjob *job, int *own_root, struct err *e)
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
		*own_root = fd_take(&fd);
		int r = packer_start(&im->packer, *own_root, &fd, e);
		if (r < 0)
			return r;
	}
	job->own_fd = job->fd = fd_take(&fd);
	return 0;
}

static int take_in(const struct store *s, struct import *im, struct plan *plan, struct err *e)
{
	ingest_auto struct ingest in = INGEST_NONE;
	fd_auto int root = -1;
	struct ref ref;
	char name[REF_TEXT_MAX];
	int r = ref_parse(im->request->name, &ref, e);
	for (size_t i = 0; r == 0 && i < im->request->change_count; i++)
		r = change_apply(im->process, im->request->changes[i], e);
	if (r == 0)
		r = trust_check(im->request->trust, &(const struct trust_subject){ .transport = "tarball" }, e);
	if (r < 0 || (r = ingest_open(s, &in, e)) < 0)
		return r;
	ref_text(&ref, name);
	plan_layers(plan, 1);
	plan_name(plan, name);
	plan->make_config = make_config;
	plan->ctx = im;
	r = open_source(im, &plan->jobs[0], &root, e);
	if (r == 0)
		r = image_commit(&in, plan, &im->request->options, e);
	/* The packer's pipe must be closed before it can be waited for. */
	if (plan->count)
		layerjob_done(&plan->jobs[0]);
	struct err ignored;
	packer_end(&im->packer, &ignored);
	return r;
}

int image_import(const struct store *s, struct import_request *request, struct err *e)
{
	plan_auto struct plan plan = { .count = 0 };
	struct import im = { .request = request, .process = json_object(), .packer = { .own_out = -1 } };
	int r = take_in(s, &im, &plan, e);
	json_decref(im.process);
	memcpy(request->digest, plan.digest, DIGEST_TEXT_MAX);
	return r < 0 ? err_at(e, r, "import %s", request->path) : 0;
}
