/* SPDX-License-Identifier: Apache-2.0 */
/* See outfile.h. Sources: open(2) "O_TMPFILE", linkat(2). */
#include "util/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"

static mode_t file_mask = 022;

void outfile_mask(mode_t mask)
{
	file_mask = mask;
}

/* What is there and is no regular file of its own keeps its place. */
static int open_as_is(const char *path, struct outfile *o, struct err *e)
{
	o->fd = openat(AT_FDCWD, path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
	return o->fd < 0 ? err_sys(e, "%s", path) : 0;
}

static int open_dir(const char *path, struct outfile *o, struct err *e)
{
	const char *slash = strrchr(path, '/');
	free_auto char *dir = !slash ? mem_str(".") : mem_fmt("%.*s", (int)(slash - path) + 1, path);

	o->name = mem_str(slash ? slash + 1 : path);
	if (!*o->name)
		return err_new(e, EISDIR, "%s: is a directory", path);
	o->own_dir = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return o->own_dir < 0 ? err_sys(e, "%s", dir) : 0;
}

/* File systems without O_TMPFILE get a name at once, which a kill leaves behind. */
static int open_named(const char *path, struct outfile *o, struct err *e)
{
	o->temporary = mem_fmt(".%.200s.%d.tmp", o->name, (int)getpid());
	o->fd = openat(o->own_dir, o->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, o->mode & ~file_mask);
	return o->fd < 0 ? err_sys(e, "%s", path) : 0;
}

static int open_new(const char *path, struct outfile *o, struct err *e)
{
	int r = open_dir(path, o, e);

	if (r < 0)
		return r;
	o->fd = openat(o->own_dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, o->mode & ~file_mask);
	if (o->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
		return open_named(path, o, e);
	return o->fd < 0 ? err_sys(e, "%s", path) : 0;
}

int outfile_open(const char *path, struct outfile *ret, struct err *e)
{
	struct outfile o outfile_auto = OUTFILE_NONE;
	struct stat st;
	int r;

	o.mode = 0666;
	if (!path || !strcmp(path, "-")) {
		o.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		r = o.fd < 0 ? err_sys(e, "standard output") : 0;
	} else if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode)) {
		r = open_as_is(path, &o, e);
	} else {
		r = open_new(path, &o, e);
	}
	if (r < 0)
		return r;
	*ret = o;
	o = OUTFILE_NONE;
	return 0;
}

int outfile_open_program(const char *path, struct outfile *ret, struct err *e)
{
	struct outfile o outfile_auto = OUTFILE_NONE;
	struct stat st;

	o.mode = 0755;
	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return err_new(e, EEXIST, "%s: is there, and not a regular file", path);
	int r = open_new(path, &o, e);
	if (r < 0)
		return r;
	*ret = o;
	o = OUTFILE_NONE;
	return 0;
}

int outfile_finish(struct outfile *o, struct err *e)
{
	char from[32];

	if (o->own_dir < 0)
		return 0;
	if (fsync(o->fd) < 0)
		return err_sys(e, "%s", o->name);
	if (!o->temporary) {
		free_auto char *name = mem_fmt(".%.200s.%d.tmp", o->name, (int)getpid());
		if (linkat(AT_FDCWD, fd_path(o->fd, from), o->own_dir, name, AT_SYMLINK_FOLLOW) < 0)
			return err_sys(e, "%s", o->name);
		o->temporary = ptr_take(name);
	}
	if (renameat(o->own_dir, o->temporary, o->own_dir, o->name) < 0)
		return err_sys(e, "%s", o->name);
	free(o->temporary);
	o->temporary = NULL;
	return fsync(o->own_dir) < 0 ? err_sys(e, "%s", o->name) : 0;
}

void outfile_done(struct outfile *o)
{
	if (o->temporary)
		unlinkat(o->own_dir, o->temporary, 0);
	fd_drop(&o->fd);
	fd_drop(&o->own_dir);
	free(o->name);
	free(o->temporary);
	o->name = o->temporary = NULL;
}
