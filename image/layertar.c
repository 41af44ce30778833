/* SPDX-License-Identifier: Apache-2.0 */
/* See layertar.h. Source: image-spec layer.md "Representing Changes", "Whiteouts", "Opaque Whiteout". */
#include "image/layertar.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define WHITEOUT_PREFIX ".wh."
#define OPAQUE_NAME	".wh..wh..opq"

/* An empty file beside, or in, what it speaks of. */
static int put_mark(struct treeout *w, const char *path, struct err *e)
{
	const struct tar_entry en = { .type = TAR_FILE, .path = path };
	return strlen(path) > TAR_PATH_MAX ? err_new(e, ENAMETOOLONG, "%.200s", path) : tarout_entry(w->out, &en, e);
}

static int put_whiteout(struct treeout *w, const struct upper_entry *en, struct err *e)
{
	char path[PATH_MAX + sizeof(WHITEOUT_PREFIX)];
	int above = (int)(strlen(en->path) - strlen(en->name));
	snprintf(path, sizeof(path), "%.*s" WHITEOUT_PREFIX "%s", above, en->path, en->name);
	return put_mark(w, path, e);
}

static int put_opaque(struct treeout *w, const struct upper_entry *en, struct err *e)
{
	char path[PATH_MAX + sizeof(OPAQUE_NAME)];
	snprintf(path, sizeof(path), "%s/" OPAQUE_NAME, en->path);
	return put_mark(w, path, e);
}

/* A name that would be read as a mark is none that a layer can hold. */
static int check_name(const struct upper_entry *en, struct err *e)
{
	if (strncmp(en->name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) != 0)
		return 0;
	return err_new(e, EINVAL, "%.200s: names that begin with " WHITEOUT_PREFIX " mean deletions in a layer",
		       en->path);
}

static int put_change(void *ctx, const struct upper_entry *en, struct err *e)
{
	struct treeout *w = ctx;
	if (en->change == CHANGE_DELETED)
		return en->is_hidden ? 0 : put_whiteout(w, en, e);
	int r = check_name(en, e);
	if (r == 0)
		r = treeout_put(w, en->fd, en->path, &en->st, e);
	if (r == 0 && en->is_opaque)
		r = put_opaque(w, en, e);
	return r < 0 ? err_at(e, r, "%.200s", en->path) : 0;
}

int layer_tar(const struct upper *u, struct tarout *out, struct err *e)
{
	struct treeout w;
	treeout_open(&w, out);
	w.is_live = u->is_live;
	int r = upper_walk(u, put_change, &w, e);
	if (r == 0)
		r = tarout_end(out, e);
	treeout_done(&w);
	return r;
}
