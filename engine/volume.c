/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes: directories that outlive the container's own layer. An anonymous one lies in the container's directory and
 * goes with it; a named one in STORE/volumes/NAME stays. A new volume gets a copy of what the image has at its place,
 * as Docker does it. The image's path is resolved beneath its tree.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/compose_parts.h"
#include "ns/tmpcopy.h"
#include "util/fd.h"
#include "util/lock.h"
#include "util/path.h"
#include "util/sys.h"

enum { CORNER_TRIES = 100 };

/* Copies the image's directory at `path` into a new volume. Nothing there: the volume stays empty. */
static int fill(struct compose *c, const char *path, int volume, struct err *e)
{
	fd_auto int from = c->place->tree < 0 ? -ENOENT : path_open(c->place->tree, path, PATH_IN_ROOT,
								    O_PATH | O_DIRECTORY, 0);

	if (from == -ENOENT || from == -ENOTDIR)
		return 0;
	return from < 0 ? err_ret(e, from, "%s in the image", path) : tmpcopy(from, volume, e);
}

int volume_anonymous(struct compose *c, const char *destination, size_t number, const char **ret_source, struct err *e)
{
	char name[32];

	*ret_source = arena_fmt(c->a, "%s/volumes/%zu", c->place->dir_path, number);
	if (c->place->dir < 0)
		return 0;
	snprintf(name, sizeof(name), "volumes/%zu", number);
	if (mkdirat(c->place->dir, "volumes", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", *ret_source);
	if (mkdirat(c->place->dir, name, 0755) < 0)
		return err_sys(e, "make %s", *ret_source);
	fd_auto int dir = openat(c->place->dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "%s", *ret_source);
	return fill(c, destination, dir, e);
}

/* Docker's rule for names. */
static bool is_volume_name(const char *name)
{
	if (!isalnum((unsigned char)*name) || strlen(name) > 255)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_.-", *name))
			return false;
	return true;
}

/*
 * A directory in tmp/ with its flock. Until it has that, it looks like a dead command's, and whoever cleans up may take it
 * away; a dead one of our number may be there, too.
 */
static int make_corner(const struct store *s, char tmp[static 64], struct err *e)
{
	struct stat st;

	for (int tries = 0; tries < CORNER_TRIES; tries++) {
		snprintf(tmp, 64, "tmp/volume-%d.%d", (int)getpid(), tries);
		if (mkdirat(s->dir, tmp, 0755) < 0) {
			if (errno == EEXIST)
				continue;
			return err_sys(e, "store %s: %s", s->path, tmp);
		}
		fd_auto int dir = openat(s->dir, tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0 && errno == ENOENT)
			continue;
		int r = dir < 0 ? -errno : lock_wait(dir, false);
		if (r == 0 && fstat(dir, &st) < 0)
			r = -errno;
		if (r < 0) {
			file_remove_tree(s->dir, tmp);
			return err_ret(e, r, "store %s: %s", s->path, tmp);
		}
		if (st.st_nlink)
			return fd_take(&dir);
	}
	return err_new(e, EBUSY, "store %s: %s: is taken away again and again", s->path, tmp);
}

/* Fills a new volume under a name of tmp/ and gives it its own name whole; who comes second uses the first one's. */
static int make_named(struct compose *c, const char *name, const char *destination, bool is_copied, struct err *e)
{
	const struct store *s = c->place->store;
	char tmp[64], path[300];
	int r = 0;

	snprintf(path, sizeof(path), "volumes/%s", name);
	if (mkdirat(s->dir, "volumes", 0711) < 0 && errno != EEXIST)
		return err_sys(e, "store %s: volumes", s->path);
	fd_auto int dir = make_corner(s, tmp, e);
	if (dir < 0)
		return dir;
	if (is_copied)
		r = fill(c, destination, dir, e);
	if (r == 0 && renameat2(s->dir, tmp, s->dir, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (r == 0 && errno != EEXIST)
		r = err_sys(e, "store %s: %s", s->path, path);
	file_remove_tree(s->dir, tmp);
	return r;
}

int volume_named(struct compose *c, const char *name, const char *destination, bool is_copied, const char **ret_source,
		 struct err *e)
{
	char path[300];

	if (!is_volume_name(name))
		return err_new(e, EINVAL, "%s: expected an absolute path, or a name of letters, digits, \"_\", \".\" and "
			       "\"-\"", name);
	*ret_source = arena_fmt(c->a, "%s/volumes/%s", c->place->store_path, name);
	snprintf(path, sizeof(path), "volumes/%s", name);
	if (c->place->dir < 0 || faccessat(c->place->store->dir, path, F_OK, 0) == 0)
		return 0;
	return make_named(c, name, destination, is_copied, e);
}
