/* SPDX-License-Identifier: Apache-2.0 */
/* run_again of run.h: a stopped container from what its directory holds. */
#include <errno.h>

#include "engine/etc.h"
#include "engine/logfile.h"
#include "engine/root.h"
#include "engine/run_parts.h"
#include "runtime/control.h"
#include "runtime/exposed.h"
#include "runtime/rootless.h"
#include "spec/load.h"
#include "util/fd.h"
#include "util/mem.h"

/* What a killed keeper has left of the last run; a container that still runs is refused. */
static int clear_state(const char *state_root, const struct record_dir *d, struct err *e)
{
	struct ending x;
	enum record_state state = record_look(d, &x);

	ending_done(&x);
	if (state == RECORD_ENDED)
		return 0;
	fd_auto int root = state_open_root(state_root, true, e);
	if (root < 0)
		return root;
	int r = container_delete(root, d->name, false, e);
	if (r == -ENOENT)
		err_clear(e);
	return r == -ENOENT ? 0 : r;
}

static int again(const char *state_root, const struct store *s, const char *store, struct record_dir *d,
		 bool is_attached, const struct criu_options *restore, int *ret_status, struct err *e)
{
	struct record record record_done_auto = { 0 };
	struct spec spec spec_auto = { 0 };
	free_auto char *config = NULL;
	size_t len;
	int r = record_read(d, &record, e);

	if (r < 0)
		return r;
	r = file_read(d->fd, "config.json", JX_BYTES_MAX, false, &config, &len);
	if (r < 0)
		return err_ret(e, r, "container %s: config.json", d->name);
	r = spec_load_bytes(config, len, "config.json", &spec, e);
	if (r < 0)
		return err_at(e, r, "container %s", d->name);
	/* Nothing is made yet, and what we hold goes with our memory: to do all of this twice does no harm. */
	if (!restore && (r = exposed_seal(&spec, e)) < 0)
		return r;
	const struct run_request rq = {
		.state_root = state_root, .name = d->name, .is_detached = !is_attached, .is_rm = record.is_rm.v,
		.is_input = record.is_input.v, .log_max_bytes = record.log_max_bytes,
		.log_max_files = record.log_max_files, .restore = restore,
		.cgroup_manager = (enum cgroup_manager)record.cgroup_manager,
	};
	struct create_request create = run_create_request(&rq, d->name, &spec);
	create.bundle = record.bundle ? record.bundle : "/";
	create.config = config;
	create.config_len = len;
	fd_auto int tree = root_again(s, d, &spec, false, e);
	if (tree < 0 && tree != -ENODATA)
		return tree;
	if (tree >= 0 && spec.hooks) {
		const char *path = arena_fmt(&spec.arena, "%s/containers/%s", run_absolute(&spec.arena, store), d->name);
		r = run_place_hooks(&create, d, path, &spec.arena, e);
		if (r < 0)
			return r;
	}
	struct etc etc etc_auto = ETC_NONE;
	if (tree >= 0 && (r = etc_add(run_absolute(&spec.arena, state_root), d->name, &spec, &etc, e)) < 0)
		return r;
	create.own_rootfs = tree < 0 ? -1 : fd_take(&tree);
	struct launch l = run_launch(&rq, &create, &spec, d);
	l.etc = &etc;
	r = launch(&l, ret_status, e);
	return r == 0 && is_attached && record.is_rm.v ? record_remove(d, e) : r;
}

int run_again(const char *state_root, const char *store, const char *name, bool is_attached,
	      const struct criu_options *restore, int *ret_status, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	int r = rootless_enter(NULL, e);

	if (r == 0)
		r = store_open(store, false, &s, e);

	if (r == 0)
		r = record_open(&s, name, &d, e);
	if (r == 0)
		r = clear_state(state_root, &d, e);
	if (r == 0)
		r = record_take(&d, e);
	return r < 0 ? r : again(state_root, &s, store, &d, is_attached, restore, ret_status, e);
}
