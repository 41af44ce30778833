/* SPDX-License-Identifier: Apache-2.0 */
/* See walk.h. */
#include "util/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/mem.h"

enum { WALK_LINKS_MAX = 40, WALK_DEPTH_MAX = 512 };

/* The directories from the root down to where the walk stands: ".." pops, and nothing pops the root. */
struct walk {
	int fds[WALK_DEPTH_MAX];
	int depth;              /* number of open levels below the root */
	int root;               /* borrowed */
	dev_t dev;              /* of the root, for the strict rule */
	char rest[PATH_MAX];    /* what is still to be walked */
	int links;
};

static void walk_done(struct walk *w)
{
	while (w->depth > 0)
		fd_close(w->fds[--w->depth]);
}

static int walk_here(const struct walk *w)
{
	return w->depth ? w->fds[w->depth - 1] : w->root;
}

/* Cuts the first component off `rest`. Returns false at the end. */
static bool next_component(struct walk *w, char name[static NAME_MAX + 1], bool *ret_is_last, int *ret_errno)
{
	char *p = w->rest;
	while (*p == '/')
		p++;
	if (!*p)
		return false;
	size_t len = strcspn(p, "/");
	if (len > NAME_MAX) {
		*ret_errno = ENAMETOOLONG;
		return false;
	}
	memcpy(name, p, len);
	name[len] = '\0';
	p += len;
	*ret_is_last = p[strspn(p, "/")] == '\0';
	memmove(w->rest, p, strlen(p) + 1);
	return true;
}

/* Puts a symlink's target before what is left; an absolute target starts again at the root. */
static int follow(struct walk *w, int link)
{
	if (++w->links > WALK_LINKS_MAX)
		return -ELOOP;
	char target[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	size_t len = (size_t)n, rest = strlen(w->rest);
	if (len + 1 + rest + 1 > sizeof(w->rest))
		return -ENAMETOOLONG;
	/* What follows the link starts with its slash; the link as the last component asks for no directory. */
	memmove(w->rest + len, w->rest, rest + 1);
	memcpy(w->rest, target, len);
	if (target[0] == '/')
		walk_done(w);
	return 0;
}

static int walk_push(struct walk *w, int own_fd)
{
	if (w->depth == WALK_DEPTH_MAX) {
		fd_close(own_fd);
		return -ENAMETOOLONG;
	}
	w->fds[w->depth++] = own_fd;
	return 0;
}

/* "..": nothing is above the root. */
static void walk_up(struct walk *w)
{
	if (w->depth > 0)
		fd_close(w->fds[--w->depth]);
}

/* One component that is neither "." nor "..": pushes a directory, follows a link, or leaves another kind in `ret`. */
static int step(struct walk *w, const char *name, bool is_strict, int *ret_other)
{
	fd_auto int fd = openat(walk_here(w), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (is_strict && st.st_dev != w->dev)
		return -EXDEV;
	if (S_ISLNK(st.st_mode))
		return is_strict ? -ELOOP : follow(w, fd);
	if (S_ISDIR(st.st_mode))
		return walk_push(w, fd_take(&fd));
	*ret_other = fd_take(&fd);
	return 0;
}

/* Opens the last component for real, once it is known not to be a link that must be followed. */
static int open_last(struct walk *w, const char *name, int flags, mode_t mode)
{
	int fd = openat(walk_here(w), name, flags | O_NOFOLLOW, mode);
	return fd < 0 ? -errno : fd;
}

static int walk_rest(struct walk *w, bool is_strict, int flags, mode_t mode)
{
	char name[NAME_MAX + 1];
	bool is_last = false;
	int num = 0;
	while (next_component(w, name, &is_last, &num)) {
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			if (is_strict)
				return -EXDEV;
			walk_up(w);
			continue;
		}
		struct stat st;
		bool is_there = fstatat(walk_here(w), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
		if (!is_there && errno != ENOENT)
			return -errno;
		/* A slash at the end asks for a directory, and follows a link to one. path_resolution(7). */
		bool is_dir_asked = is_last && *w->rest;
		bool is_followed = is_there && S_ISLNK(st.st_mode) && (!(flags & O_NOFOLLOW) || is_dir_asked);
		if (is_last && !is_followed && !(is_there && S_ISDIR(st.st_mode)))
			return is_dir_asked && is_there ? -ENOTDIR : open_last(w, name, flags, mode);
		fd_auto int other = -1;
		int r = step(w, name, is_strict, &other);
		if (r < 0)
			return r;
		if (other >= 0)
			return -ENOTDIR;
	}
	if (num)
		return -num;
	int fd = openat(walk_here(w), ".", flags & ~(O_CREAT | O_EXCL), 0);
	return fd < 0 ? -errno : fd;
}

int walk_open(int root, const char *path, bool is_strict, int flags, mode_t mode)
{
	struct walk w = { .root = root };
	struct stat st;
	size_t len = strlen(path);
	if (len >= sizeof(w.rest))
		return -ENAMETOOLONG;
	memcpy(w.rest, path, len + 1);
	if (fstat(root, &st) < 0)
		return -errno;
	w.dev = st.st_dev;
	int fd = walk_rest(&w, is_strict, flags, mode);
	walk_done(&w);
	return fd;
}

/* Makes what is missing at the walk's end, so that step() finds it. mkdir(2), mknod(2). */
static int make_component(const struct walk *w, const char *name, bool is_file, mode_t mode)
{
	int r = is_file ? mknodat(walk_here(w), name, S_IFREG | 0644, 0) : mkdirat(walk_here(w), name, mode);
	return r < 0 && errno != EEXIST ? -errno : 0;
}

static int make_rest(struct walk *w, bool is_dir, mode_t mode)
{
	char name[NAME_MAX + 1];
	bool is_last = false;
	int num = 0;
	while (next_component(w, name, &is_last, &num)) {
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			walk_up(w);
			continue;
		}
		bool is_file = is_last && !is_dir && !*w->rest;
		fd_auto int other = -1;
		int r = make_component(w, name, is_file, mode);
		if (r == 0)
			r = step(w, name, false, &other);
		if (r < 0)
			return r;
		if (other >= 0)
			return is_file ? fd_take(&other) : -ENOTDIR;
	}
	if (num)
		return -num;
	int fd = openat(walk_here(w), ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int walk_make(int root, const char *path, bool is_dir, mode_t mode)
{
	struct walk w = { .root = root };
	size_t len = strlen(path);
	if (len >= sizeof(w.rest))
		return -ENAMETOOLONG;
	memcpy(w.rest, path, len + 1);
	int fd = make_rest(&w, is_dir, mode);
	walk_done(&w);
	return fd;
}
