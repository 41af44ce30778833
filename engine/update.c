/* SPDX-License-Identifier: Apache-2.0 */
/* See update.h. */
#include "engine/update.h"

#include <errno.h>

#include "runtime/update.h"
#include "util/fd.h"
#include "util/mem.h"

/* The record changes first, because it can be put back without a trace. */
static int update_recorded(int root, const struct record_dir *d, const struct update_request *rq, struct err *e)
{
	str_auto struct str text = STR_MAX(JX_BYTES_MAX);
	free_auto char *old = NULL;
	size_t old_len = 0;
	int r = file_read(d->fd, "config.json", JX_BYTES_MAX, false, &old, &old_len);

	/* What is removed at its end (--rm) has no configuration for another start. */
	if (r == -ENOENT)
		return container_update(root, d->name, rq, e);
	if (r < 0)
		return err_ret(e, r, "container %s: config.json", d->name);
	r = update_config(d->fd, rq, &text, e);
	if (r < 0)
		return err_at(e, r, "update %s", d->name);
	r = file_replace(d->fd, "config.json", text.p, text.len, 0600);
	if (r < 0)
		return err_ret(e, r, "container %s: config.json", d->name);
	r = container_update(root, d->name, rq, e);
	if (r == -ENOENT || r == -ESRCH) {
		err_clear(e);
		return 0;
	}
	if (r < 0)
		file_replace(d->fd, "config.json", old, old_len, 0600);
	return r;
}

int engine_update(const struct engine *g, const char *name, const struct update_request *rq, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	struct record_dir d record_auto = RECORD_DIR_NONE;
	struct err absent = { 0 };
	fd_auto int root = state_open_root(g->state_root, true, e);

	if (root < 0)
		return root;
	/* A caller of the runtime alone has no store: see main. */
	if (!*g->store)
		return container_update(root, name, rq, e);
	int r = store_open(g->store, false, &s, e);
	if (r < 0)
		return r;
	r = record_open(&s, name, &d, &absent);
	if (r == 0)
		return update_recorded(root, &d, rq, e);
	if (r == -ENOENT)
		return container_update(root, name, rq, e);
	*e = absent;
	return r;
}
