/* SPDX-License-Identifier: Apache-2.0 */
/* run_plan of run.h: the same way as run, as far as nothing is changed. */
#include <errno.h>

#include "engine/root.h"
#include "engine/run_parts.h"
#include "runtime/bundle.h"
#include "runtime/plan.h"
#include "runtime/rootless.h"
#include "spec/check.h"
#include "util/fd.h"
#include "util/mem.h"

static int print_plan(const struct run_request *rq, const struct spec *spec, const char *bundle, bool has_tree,
		      struct str *out, struct err *e)
{
	struct arena arena_auto a = { 0 };
	struct plan plan;
	struct plan_options o = {
		.id = rq->name ? rq->name : "new", .bundle = bundle, .is_no_pivot = rq->is_no_pivot,
		.is_no_keyring = rq->is_no_keyring, .preserve_fds = rq->preserve_fds, .has_rootfs_tree = has_tree,
	};
	int r = spec_check(spec, e);

	if (r == 0)
		r = rootless_plan(spec, !has_tree, &a, &o, e);
	if (r == 0)
		r = plan_make(spec, &o, &a, &plan, e);
	if (r == 0)
		plan_print(out, &plan);
	return r;
}

static int plan_container(const struct run_request *rq, struct str *out, struct err *e)
{
	struct run_source s run_source_auto = { .store = STORE_NONE };
	struct spec spec spec_auto = { 0 };
	int r = rootless_enter(NULL, e);

	if (r == 0)
		r = run_load_source(rq, true, &s, e);

	if (r < 0)
		return r;
	const char *name = rq->name ? rq->name : "new";
	fd_auto int tree = s.has_image ? root_view(&s.store, &s.image, e) : run_open_rootfs(&s, e);
	const char *dir_path = arena_fmt(&s.arena, "%s/containers/%s", s.store_path, name);
	const struct compose_place place = {
		.name = name, .store = &s.store, .tree = tree, .dir = -1, .dir_path = dir_path,
		.store_path = s.store_path,
	};
	if (tree < 0)
		return tree;
	r = compose(&rq->options, s.has_image ? &s.image : NULL, &s.file, &place, &spec, e);
	return r < 0 ? r : print_plan(rq, &spec, s.config_dir ? s.config_dir : dir_path, s.has_image, out, e);
}

int run_plan(const struct run_request *rq, struct str *out, struct err *e)
{
	struct bundle b bundle_auto = { 0 };

	if (!rq->bundle)
		return plan_container(rq, out, e);
	int r = bundle_open(rq->bundle, rq->bundle_config, &b, e);
	if (r == 0)
		r = rootless_enter(&b.spec, e);
	return r < 0 ? r : print_plan(rq, &b.spec, b.path, false, out, e);
}
