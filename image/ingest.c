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

#define MARK "unfinished"

/* Removes one entry of tmp/ if its owner is dead. */
static void sweep_one(int tmp, const char *name, bool *is_unfinished)
{
	fd_auto int dir = openat(tmp, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 && errno == ENOTDIR)
		unlinkat(tmp, name, 0);
	if (dir < 0 || lock_try(dir, false) < 0)
		return;
	*is_unfinished |= faccessat(dir, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	file_remove_tree(tmp, name);
}

static bool sweep(int tmp)
{
	bool is_unfinished = false;
	int list = openat(tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = list < 0 ? NULL : fdopendir(list);
	if (!d) {
		fd_close(list);
		return false;
	}
	for (struct dirent *de; (de = readdir(d));)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			sweep_one(tmp, de->d_name, &is_unfinished);
	closedir(d);
	return is_unfinished;
}

/* Makes tmp/NAME and locks it; between the two a sweeper may have taken it for a dead one's. */
static int make(int tmp, struct ingest *in)
{
	for (unsigned int i = 0; i < 1000; i++) {
		struct stat st;
		snprintf(in->name, sizeof(in->name), "%d.%u", (int)getpid(), i);
		if (mkdirat(tmp, in->name, 0700) < 0) {
			if (errno != EEXIST)
				return -errno;
			continue;
		}
		fd_auto int dir = openat(tmp, in->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0 || lock_try(dir, false) < 0 || fstat(dir, &st) < 0 || st.st_nlink == 0)
			continue;
		in->dir = fd_take(&dir);
		return 0;
	}
	return -EBUSY;
}

int ingest_open(const struct store *s, struct ingest *ret_ingest, struct err *e)
{
	ingest_auto struct ingest in = { .store = s, .dir = -1, .locks = -1 };
	fd_auto int tmp = openat(s->dir, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tmp < 0)
		return err_sys(e, "store %s: tmp", s->path);
	bool is_unfinished = sweep(tmp);
	int r = make(tmp, &in);
	if (r < 0)
		return err_ret(e, r, "store %s: tmp", s->path);
	in.locks = objlock_open(s, e);
	if (in.locks < 0)
		return in.locks;
	if (is_unfinished && (r = gc_run(&in, e)) < 0)
		return err_at(e, r, "clean up after a command that was killed");
	*ret_ingest = in;
	in = INGEST_NONE;
	return 0;
}

void ingest_done(struct ingest *in)
{
	if (in->dir >= 0) {
		fd_auto int tmp =
			openat(in->store->dir, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (tmp >= 0)
			file_remove_tree(tmp, in->name);
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
