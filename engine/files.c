/* SPDX-License-Identifier: Apache-2.0 */
/* See files.h. */
#include "engine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/etc.h"
#include "engine/root.h"
#include "image/store.h"
#include "util/fd.h"

enum { CONFIG_MAX = 16 << 20, PATH_BYTES = 512 };

void files_done(struct files *f)
{
	record_close(&f->dir);
	record_done(&f->record);
	fd_drop(&f->upper);
	fd_drop(&f->lower);
	json_decref(f->config);
	f->config = NULL;
}

/* With --rm the configuration is kept in the state directory alone, as long as the container is there. */
static void load_config(int root, struct files *f)
{
	free_auto char *text = NULL;
	char path[PATH_BYTES];
	size_t len;

	snprintf(path, sizeof(path), "%s/config.json", f->dir.name);
	if (file_read(f->dir.fd, "config.json", CONFIG_MAX, false, &text, &len) == 0 ||
	    file_read(root, path, CONFIG_MAX, false, &text, &len) == 0)
		f->config = json_loadb(text, len, 0, NULL);
}

static int look(int root, struct files *f, struct err *e)
{
	struct state state state_done_auto = { 0 };
	int r = container_state(root, f->dir.name, &state, &f->status, e);

	if (r == -ENOENT) {
		err_clear(e);
		f->status = STATUS_STOPPED;
		r = 0;
	}
	return r;
}

int files_open(const struct engine *g, const char *name, struct files *ret, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	struct files f files_auto = FILES_NONE;
	int r = store_open(g->store, false, &s, e);

	if (r == 0)
		r = record_open(&s, name, &f.dir, e);
	if (r == 0)
		r = record_read(&f.dir, &f.record, e);
	if (r < 0)
		return r;
	fd_auto int root = state_open_root(g->state_root, true, e);
	if (root < 0)
		return root;
	r = root_parts(&s, &f.dir, &f.upper, &f.lower, e);
	if (r == -ENODATA)
		r = err_new(e, ENODATA, "container %s: was not made from an image: its files are those of its bundle", name);
	if (r == 0)
		r = look(root, &f, e);
	if (r < 0)
		return r;
	load_config(root, &f);
	*ret = f;
	f = FILES_NONE;
	return 0;
}

int files_view(const struct engine *g, const struct files *f, struct err *e)
{
	struct store s store_auto = STORE_NONE;
	int r = store_open(g->store, false, &s, e);

	return r < 0 ? r : root_whole(&s, &f->dir, e);
}

/* Those of /etc belong to each start alone, and are not in the configuration. */
const char *files_mount(const struct files *f, size_t n)
{
	for (size_t i = 0; etc_destination(i); i++)
		if (n-- == 0)
			return etc_destination(i);
	json_t *mount = json_array_get(json_object_get(f->config, "mounts"), n);
	if (!mount)
		return NULL;
	const char *path = json_string_value(json_object_get(mount, "destination"));
	return path ? path : "/";
}
