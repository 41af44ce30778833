/* SPDX-License-Identifier: Apache-2.0 */
/* See bury.h. */
#include "runtime/bury.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/hooks.h"
#include "runtime/hosted.h"
#include "spec/load.h"
#include "util/log.h"

static void retired_name(const char *id, char out[static 256])
{
	snprintf(out, 256, ".poststop-%.200s", id);
}

/*
 * Takes the name away, unless a killed delete has done that already. A file system that does not do it any more is no
 * reason to keep the container: its hooks then run while it still has its name.
 */
static void retire(struct state_dir *dir)
{
	char name[256];
	struct err e;
	retired_name(dir->id, name);
	int is_named;
	while ((is_named = state_is_named(dir, dir->id)) == 1 && renameat(dir->root, dir->id, dir->root, name) < 0) {
		/* Of an earlier container of that name, whose delete was killed. */
		bool is_taken = errno == EEXIST || errno == ENOTEMPTY;
		int r = is_taken ? container_bury_again(dir->root, dir->id, &e) : -EIO;
		if (r < 0 && r != -ENOENT)
			return;
	}
	if (is_named >= 0)
		memcpy(dir->id, name, sizeof(name));
}

/* A config.json that cannot be read any more is no reason to keep the container. */
static void run_hooks(const struct state_dir *dir, const struct state *s)
{
	struct spec spec spec_auto = { 0 };
	struct err e;
	if (spec_load_file(dir->fd, "config.json", &spec, &e) < 0)
		log_warn("container %s: poststop hooks: %s", s->id, e.text);
	else if (spec.hooks)
		hooks_poststop(spec.hooks, s);
}

int container_bury(struct state_dir *dir, const struct state *s, struct err *e)
{
	int r = hosted_remove(s, e);
	if (r < 0)
		return r;
	if (!s->has_hooks.v)
		return state_remove(dir, e);
	retire(dir);
	run_hooks(dir, s);
	return state_remove(dir, e);
}

int container_bury_again(int root, const char *id, struct err *e)
{
	struct state_dir dir state_auto = STATE_DIR_NONE;
	struct state s state_done_auto = { 0 };
	char name[256];
	retired_name(id, name);
	int r = state_open_any(root, name, &dir, e);
	if (r == 0)
		r = state_read(&dir, &s, e);
	/* Only the removal of the directory itself was left. */
	if (r == -ENODATA) {
		err_clear(e);
		return state_remove(&dir, e);
	}
	if (r < 0)
		return r;
	run_hooks(&dir, &s);
	return state_remove(&dir, e);
}
