/* SPDX-License-Identifier: Apache-2.0 */
/* See tmpcopy.h. Directories are read by getdents64(2) into the stack, because the child does not allocate. */
#include "ns/tmpcopy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "util/fd.h"
#include "util/sys.h"

struct entry {  /* getdents64(2) */
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

enum { DEPTH_MAX = 64, LINKS_MAX = 256 };

/* Files with more than one name, to make the second name a link to the first copy. */
struct links {
	struct { dev_t dev; ino_t ino; char path[PATH_MAX]; } seen[LINKS_MAX];
	size_t count;
};

struct copy {
	int to_root;
	struct links *links;
	char path[PATH_MAX];   /* of the directory being copied, relative to to_root */
	int depth;
};

static int copy_dir(struct copy *c, int from, int to, struct err *e);

static int copy_bytes(int from, int to)
{
	for (;;) {
		ssize_t n = sendfile(to, from, NULL, 1 << 20);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static void copy_xattrs(int from, int to)
{
	char names[4096], value[4096];
	ssize_t n = flistxattr(from, names, sizeof(names));
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		ssize_t len = fgetxattr(from, names + i, value, sizeof(value));
		/* What tmpfs does not take (user.* before 6.6) is not worth a failure; runc leaves it out too. */
		if (len >= 0)
			fsetxattr(to, names + i, value, (size_t)len, 0);
	}
}

/* In this order: a change of the owner takes capabilities and set-user-ID away. chown(2), capabilities(7). */
static int set_meta(int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	if (fchown(to, st->st_uid, st->st_gid) < 0)
		return -errno;
	copy_xattrs(from, to);
	return fchmod(to, st->st_mode & 07777) < 0 || futimens(to, times) < 0 ? -errno : 0;
}

static int copy_file(int from, int to, const char *name, const struct stat *st)
{
	fd_auto int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	fd_auto int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (in < 0 || out < 0)
		return -errno;
	int r = copy_bytes(in, out);
	return r < 0 ? r : set_meta(in, out, st);
}

static int copy_special(int from, int to, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int r;
	if (S_ISLNK(st->st_mode)) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);
		if (n < 0)
			return -errno;
		target[n] = '\0';
		r = symlinkat(target, to, name);
	} else {
		r = mknodat(to, name, st->st_mode, st->st_rdev);
	}
	if (r < 0 || fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_subdir(struct copy *c, int from, int to, const char *name, const struct stat *st, struct err *e)
{
	if (c->depth >= DEPTH_MAX)
		return err_new(e, ENAMETOOLONG, "tmpcopyup: deeper than %d directories", DEPTH_MAX);
	fd_auto int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0 || mkdirat(to, name, 0700) < 0)
		return err_sys(e, "tmpcopyup: %s", name);
	fd_auto int out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return err_sys(e, "tmpcopyup: %s", name);
	c->depth++;
	int r = copy_dir(c, in, out, e);
	c->depth--;
	if (r < 0)
		return r;
	r = set_meta(in, out, st);
	return r < 0 ? err_ret(e, r, "tmpcopyup: %s", name) : 0;
}

/* A further name of a file that was copied already, in the order of the walk. */
static int link_seen(struct copy *c, int to, const char *name, const struct stat *st)
{
	struct links *links = c->links;
	for (size_t i = 0; i < links->count; i++)
		if (links->seen[i].dev == st->st_dev && links->seen[i].ino == st->st_ino)
			return linkat(c->to_root, links->seen[i].path, to, name, 0) < 0 ? -errno : 1;
	if (links->count == LINKS_MAX)
		return 0;
	int n = snprintf(links->seen[links->count].path, PATH_MAX, "%s%s", c->path, name);
	if (n > 0 && n < PATH_MAX) {
		links->seen[links->count].dev = st->st_dev;
		links->seen[links->count++].ino = st->st_ino;
	}
	return 0;
}

static int copy_entry(struct copy *c, int from, int to, const char *name, struct err *e)
{
	struct stat st;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "tmpcopyup: %s", name);
	if (S_ISDIR(st.st_mode)) {
		size_t len = strlen(c->path);
		int n = snprintf(c->path + len, sizeof(c->path) - len, "%s/", name);
		if (n < 0 || (size_t)n >= sizeof(c->path) - len)
			return err_new(e, ENAMETOOLONG, "tmpcopyup: %s", name);
		int r = copy_subdir(c, from, to, name, &st, e);
		c->path[len] = '\0';
		return r;
	}
	int r = st.st_nlink > 1 ? link_seen(c, to, name, &st) : 0;
	if (r == 0)
		r = S_ISREG(st.st_mode) ? copy_file(from, to, name, &st) : copy_special(from, to, name, &st);
	return r < 0 ? err_ret(e, r, "tmpcopyup: %s", name) : 0;
}

static int copy_dir(struct copy *c, int from, int to, struct err *e)
{
	_Alignas(struct entry) char buf[2048];
	for (;;) {
		long n = syscall(SYS_getdents64, from, buf, sizeof(buf));
		if (n < 0)
			return err_sys(e, "tmpcopyup: read directory");
		if (n == 0)
			return 0;
		for (long at = 0; at < n;) {
			const struct entry *d = (const struct entry *)(const void *)(buf + at);
			at += d->len;
			if (strcmp(d->name, ".") == 0 || strcmp(d->name, "..") == 0)
				continue;
			int r = copy_entry(c, from, to, d->name, e);
			if (r < 0)
				return r;
		}
	}
}

int tmpcopy(int from, int to, struct err *e)
{
	static struct copy c;
	static struct links links;
	fd_auto int in = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd_auto int out = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	if (in < 0 || out < 0 || fstat(in, &st) < 0)
		return err_sys(e, "tmpcopyup");
	links.count = 0;
	c = (struct copy){ .to_root = out, .links = &links };
	int r = copy_dir(&c, in, out, e);
	if (r == 0 && (r = set_meta(in, out, &st)) < 0)
		return err_ret(e, r, "tmpcopyup");
	return r;
}
