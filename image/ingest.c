/* SPDX-License-Identifier: Apache-2.0 */
/* See ingest.h. */
#include "image/ingest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/gc.h"
#include "image/objlock.h"
#include "image/ref.h"
#include "util/fd.h"
#include "util/lock.h"
#include "util/log.h"

#define MARK "unfinished"

/* Removes one entry of tmp/ if its owner is dead. Before its mark goes, this command has one. */
static int sweep_one(struct ingest *in, int tmp, const char *name, struct err *e)
{
	fd_auto int dir = openat(tmp, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = dir < 0 ? -errno : lock_try(dir, false);
	if (r == -EWOULDBLOCK || r == -ENOENT)
		return 0;
	if (r == 0 && faccessat(dir, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0 && (r = ingest_mark(in, e)) < 0)
		return r;
	if (r == 0 || r == -ENOTDIR)
		r = file_remove_tree(tmp, name);
	return r < 0 && r != -ENOENT ? err_ret(e, r, "store %s: tmp/%s", in->store->path, name) : 0;
}

static int sweep(struct ingest *in, int tmp, struct err *e)
{
	int list = openat(tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = list < 0 ? NULL : fdopendir(list);
	if (!d) {
		int r = err_sys(e, "store %s: tmp", in->store->path);
		fd_close(list);
		return r;
	}
	int r = 0, end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			r = sweep_one(in, tmp, de->d_name, e);
	closedir(d);
	return r == 0 && end < 0 ? err_ret(e, end, "store %s: tmp", in->store->path) : r;
}

/* Makes tmp/NAME and locks it; between the two a sweeper may have taken it for a dead one's. */
static int make_one(int tmp, struct ingest *in)
{
	struct stat st;
	if (mkdirat(tmp, in->name, 0700) < 0)
		return -errno;
	fd_auto int dir = openat(tmp, in->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = dir < 0 ? -errno : lock_try(dir, false);
	if (r == 0 && fstat(dir, &st) < 0)
		r = -errno;
	if (r == -EWOULDBLOCK || r == -ENOENT || (r == 0 && st.st_nlink == 0))
		return -EEXIST;
	if (r < 0) {
		unlinkat(tmp, in->name, AT_REMOVEDIR);
		return r;
	}
	in->dir = fd_take(&dir);
	return 0;
}

static int make(int tmp, struct ingest *in)
{
	int r = -EEXIST;
	for (unsigned int i = 0; r == -EEXIST && i < 1000; i++) {
		snprintf(in->name, sizeof(in->name), "%d.%u", (int)getpid(), i);
		r = make_one(tmp, in);
	}
	return r;
}

int ingest_open(const struct store *s, struct ingest *ret_ingest, struct err *e)
{
	ingest_auto struct ingest in = { .store = s, .dir = -1, .locks = -1 };
	fd_auto int tmp = openat(s->dir, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tmp < 0)
		return err_sys(e, "store %s: tmp", s->path);
	int r = make(tmp, &in);
	if (r < 0)
		return err_ret(e, r, "store %s: tmp", s->path);
	in.locks = objlock_open(s, e);
	if (in.locks < 0)
		return in.locks;
	if ((r = sweep(&in, tmp, e)) < 0)
		return r;
	if (ingest_is_marked(&in) && (r = gc_run(&in, e)) < 0)
		return err_at(e, r, "clean up after a command that was killed");
	ingest_unmark(&in);
	*ret_ingest = in;
	in = INGEST_NONE;
	return 0;
}

/* What is still marked is left, without its lock, for the next command to clean up, with a gc. */
void ingest_done(struct ingest *in)
{
	if (in->dir >= 0 && !ingest_is_marked(in)) {
		fd_auto int tmp = openat(in->store->dir, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int r = tmp < 0 ? -errno : file_remove_tree(tmp, in->name);
		if (r < 0)
			log_warn("store %s: tmp/%s is left for the next command to remove: %s",
				 in->store->path, in->name, strerror(-r));
	}
	fd_drop(&in->dir);
	fd_drop(&in->locks);
}

int ingest_mark(struct ingest *in, struct err *e)
{
	return ingest_write(in, MARK, "", 0, e);
}

void ingest_unmark(struct ingest *in)
{
	unlinkat(in->dir, MARK, 0);
}

bool ingest_is_marked(const struct ingest *in)
{
	return faccessat(in->dir, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int ingest_write(struct ingest *in, const char *name, const char *bytes, size_t len, struct err *e)
{
	fd_auto int fd = openat(in->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : fd_write_all(fd, bytes, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r < 0 ? err_ret(e, r, "store %s: tmp/%s/%s", in->store->path, in->name, name) : 0;
}

int ingest_blob(struct ingest *in, const char *digest, const char *bytes, size_t len, struct err *e)
{
	char path[STORE_PATH_MAX];
	if (store_has_blob(in->store, digest))
		return 0;
	int r = ingest_write(in, "small", bytes, len, e);
	if (r == 0 && renameat(in->dir, "small", in->store->dir, store_blob_path(digest, path)) < 0)
		r = err_sys(e, "blob %s", digest);
	return r;
}
