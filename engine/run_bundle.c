/* SPDX-License-Identifier: Apache-2.0 */
/* run_bundle of run.h. In the foreground it does nothing but what the runtime does: the benchmark runs through here. */
#include <errno.h>
#include <unistd.h>

#include "engine/run_parts.h"
#include "runtime/bundle.h"
#include "runtime/control.h"
#include "runtime/exposed.h"
#include "runtime/rootless.h"
#include "util/fd.h"

/* As runc has it: create and start, our stdio, and nobody waits. */
static int run_alone(struct create_request *create, struct err *e)
{
	struct container c container_auto = CONTAINER_NONE;
	struct err ignored;

	if (create->spec->process && create->spec->process->terminal.v && !create->console_socket)
		return err_new(e, EINVAL, "run %s: cannot allocate tty if runc will detach without setting console socket",
			       create->id);
	fd_auto int root = state_open_root(create->state_root, true, e);
	if (root < 0)
		return root;
	int r = container_create(create, &c, e);
	if (r < 0 || create->restore)
		return r < 0 ? r : container_go(&c, e);
	container_close(&c);
	r = container_start(root, create->id, create->service.notify_socket, e);
	if (r < 0)
		container_delete(root, create->id, true, &ignored);
	return r;
}

/* With a keeper there is a record, so that logs, wait and ps know the container. */
static int run_kept(const struct run_request *rq, struct bundle *b, struct create_request *create, struct err *e)
{
	struct run_source s run_source_auto = { .store = STORE_NONE };
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct err ignored;
	int status;
	int r = store_open(rq->store, true, &s.store, e);

	if (r == 0)
		r = record_make(&s.store, rq->name, &d, e);
	if (r < 0)
		return r;
	r = run_write_record(rq, &s, &d, &b->spec, b->path, e);
	if (r == 0)
		r = run_write_config(&d, b->config, b->config_len, e);
	if (r == 0)
		r = run_write_cidfile(rq->cidfile, d.name, e);
	if (r == 0) {
		const struct launch l = run_launch(rq, create, &b->spec, &d);
		r = launch(&l, &status, e);
		if (r < 0 && rq->cidfile)
			unlink(rq->cidfile);
	}
	if (r < 0)
		record_remove(&d, &ignored);
	return r;
}

int run_bundle(const struct run_request *rq, int *ret_status, struct err *e)
{
	struct bundle b bundle_auto = { 0 };
	int r = bundle_open(rq->bundle, rq->bundle_config, &b, e);

	if (r == 0)
		r = rootless_enter(&b.spec, e);
	/* criu executes what it restores: nothing of kist is in the container. */
	if (r == 0 && !rq->restore)
		r = exposed_seal(&b.spec, e);
	if (r < 0)
		return r;
	struct create_request create = run_create_request(rq, rq->name, &b.spec);
	create.bundle = b.path;
	create.config = b.config;
	create.config_len = b.config_len;
	*ret_status = 0;
	if (rq->is_detached)
		return rq->is_oci ? run_alone(&create, e) : run_kept(rq, &b, &create, e);
	const struct launch l = run_launch(rq, &create, &b.spec, NULL);
	return launch(&l, ret_status, e);
}
