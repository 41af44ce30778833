/* SPDX-License-Identifier: Apache-2.0 */
/* See upper.h. Source: overlayfs.rst, "whiteouts and opaque directories", "Redirect", "Metadata only copy up". */
#include "image/upper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/treeout.h"
#include "image/whiteout.h"
#include "util/fd.h"
#include "util/path.h"

enum { DEPTH_MAX = 512 };

/* A directory on the way down. Its own entry waits until it is known that there is something to tell. */
struct frame {
	struct frame *above;
	struct upper_entry en;
	int lower; /* what the image has there, when that is a directory; -1 */
	int depth;
	bool is_told;
};

struct walk {
	const struct upper *u;
	upper_fn *visit;
	void *ctx;
};

/* ---- overlayfs's marks ---- */

static ssize_t read_mark(const struct upper *u, int fd, const char *word, char *value, size_t size)
{
	char path[32], name[64];
	snprintf(name, sizeof(name), "%s.overlay.%s", u->is_user ? "user" : "trusted", word);
	return getxattr(fd_path(fd, path), name, value, size);
}

static bool has_mark(const struct upper *u, int fd, const char *word)
{
	return read_mark(u, fd, word, NULL, 0) >= 0;
}

static bool is_opaque(const struct upper *u, int fd)
{
	char value;
	return read_mark(u, fd, "opaque", &value, 1) == 1 && value == 'y';
}

/* Such an entry is not all that the container sees there: its rest lies in the image, under another name maybe. */
static int check_whole(const struct upper *u, const struct upper_entry *en, struct err *e)
{
	if (S_ISDIR(en->st.st_mode) && has_mark(u, en->fd, "redirect"))
		return err_new(e, EOPNOTSUPP,
			       "%.200s: was moved by overlayfs's redirect_dir, which layers know nothing of",
			       en->path);
	if (S_ISREG(en->st.st_mode) && has_mark(u, en->fd, "metacopy"))
		return err_new(e, EOPNOTSUPP, "%.200s: has its data elsewhere by overlayfs's metacopy", en->path);
	return 0;
}

/* ---- the image's side ---- */

/* What the image has under a name, by O_PATH; -1: nothing. */
static int open_lower(int lower, const char *name, struct stat *ret_st)
{
	if (lower < 0)
		return -1;
	fd_auto int fd = path_open(lower, name, PATH_BENEATH, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0 || fstat(fd, ret_st) < 0 || whiteout_is(ret_st))
		return -1;
	return fd_take(&fd);
}

static bool is_same_meta(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid;
}

/* ---- mount points ---- */

/* Whether a path is one of the container's mounts, or (is_above) lies above one. */
static bool is_mount(const struct upper *u, const char *path, bool is_above)
{
	size_t len = strlen(path);
	for (size_t i = 0; i < u->mount_count; i++) {
		const char *mount = u->mounts[i];
		while (*mount == '/')
			mount++;
		if (strncmp(mount, path, len) != 0)
			continue;
		const char *rest = mount + len;
		bool is_it = !rest[strspn(rest, "/")];
		if (is_it || (is_above && *rest == '/'))
			return true;
	}
	return false;
}

/* ---- telling ---- */

static int tell(struct walk *k, struct frame *f, struct err *e)
{
	if (!f || f->is_told)
		return 0;
	f->is_told = true;
	int r = tell(k, f->above, e);
	return r < 0 ? r : k->visit(k->ctx, &f->en, e);
}

static int tell_below(struct walk *k, struct frame *f, const struct upper_entry *en, struct err *e)
{
	int r = tell(k, f, e);
	return r ? r : k->visit(k->ctx, en, e);
}

static int tell_deleted(struct walk *k, struct frame *f, const char *name, const char *path, bool is_hidden,
			struct err *e)
{
	const struct upper_entry en = {
		.change = CHANGE_DELETED,
		.path = path,
		.name = name,
		.fd = -1,
		.is_hidden = is_hidden,
	};
	return tell_below(k, f, &en, e);
}

/* ---- the walk ---- */

static int walk_dir(struct walk *k, struct frame *f, struct err *e);

/*
 * A directory is told at once when it is new or not what the image's is; else when something in it is, or when that is
 * all: it was touched. Above the runtime's mount points it may be there for them alone.
 */
static int walk_down(struct walk *k, struct frame *above, const struct upper_entry *en, int lower,
		     const struct stat *lower_st, struct err *e)
{
	bool is_kept = lower >= 0 && S_ISDIR(lower_st->st_mode);
	struct frame f = {
		.above = above,
		.en = *en,
		.lower = is_kept ? lower : -1,
		.depth = above->depth + 1,
	};
	if (f.depth > DEPTH_MAX)
		return err_new(e, ELOOP, "%.200s: more than %d directories deep", en->path, DEPTH_MAX);
	f.en.is_opaque = is_kept && is_opaque(k->u, en->fd);
	bool may_be_runtimes = !f.en.is_opaque && is_mount(k->u, en->path, true) &&
			       (lower < 0 || (is_kept && is_same_meta(&en->st, lower_st)));
	int r = may_be_runtimes ? 0 : tell(k, &f, e);
	return r ? r : walk_dir(k, &f, e);
}

static int walk_one(struct walk *k, struct frame *f, const char *name, const char *path, struct err *e)
{
	struct upper_entry en = { .path = path, .name = name };
	const struct treeout look = { .is_live = k->u->is_live };
	struct stat lower_st;
	fd_auto int fd = treeout_look(&look, f->en.fd, name, &en.st, e);
	if (fd < 0)
		return fd == -ENOENT && k->u->is_live ? 0 : err_at(e, fd_take(&fd), "%.200s", path);
	fd_auto int lower = open_lower(f->lower, name, &lower_st);
	if (whiteout_is(&en.st))
		return lower < 0 ? 0 : tell_deleted(k, f, name, path, f->en.is_opaque, e);
	en.fd = fd;
	en.change = lower < 0 ? CHANGE_ADDED : CHANGE_MODIFIED;
	int r = check_whole(k->u, &en, e);
	if (r < 0)
		return r;
	if (S_ISDIR(en.st.st_mode))
		return walk_down(k, f, &en, lower, &lower_st, e);
	bool is_runtimes = lower < 0 && S_ISREG(en.st.st_mode) && !en.st.st_size && is_mount(k->u, path, false);
	return is_runtimes ? 0 : tell_below(k, f, &en, e);
}

/* What an opaque directory hides and has not itself. */
static int tell_hidden(struct walk *k, struct frame *f, char **names, size_t count, const char *name,
		       const char *path, struct err *e)
{
	struct stat st;
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return 0;
	fd_auto int lower = open_lower(f->lower, name, &st);
	return lower < 0 ? 0 : tell_deleted(k, f, name, path, true, e);
}

static int path_of(const struct frame *f, const char *name, char path[static PATH_MAX], struct err *e)
{
	bool is_root = !f->above;
	int len = snprintf(path, PATH_MAX, "%s%s%s", is_root ? "" : f->en.path, is_root ? "" : "/", name);
	return len >= PATH_MAX ? err_new(e, ENAMETOOLONG, "%.200s", f->en.path) : 0;
}

static int walk_names(struct walk *k, struct frame *f, char **names, size_t count, struct err *e)
{
	char path[PATH_MAX];
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = path_of(f, names[i], path, e);
		if (r == 0)
			r = walk_one(k, f, names[i], path, e);
	}
	if (r || !f->en.is_opaque)
		return r;
	char **hidden = NULL;
	size_t n = 0;
	if ((r = treeout_list(f->lower, &hidden, &n)) < 0)
		return err_ret(e, r, "%.200s of the image", f->en.path);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = path_of(f, hidden[i], path, e);
		if (r == 0)
			r = tell_hidden(k, f, names, count, hidden[i], path, e);
	}
	treeout_unlist(hidden, n);
	return r;
}

static int walk_dir(struct walk *k, struct frame *f, struct err *e)
{
	char **names = NULL;
	size_t n = 0;
	int r = treeout_list(f->en.fd, &names, &n);
	if (r < 0)
		return r == -ENOENT && k->u->is_live ? 0 : err_ret(e, r, "%.200s", f->en.path);
	/* It is here for nothing that is in it, so for itself; or it is a mount point. */
	if (n == 0 && f->above && f->en.change == CHANGE_MODIFIED)
		r = tell(k, f, e);
	if (r == 0)
		r = walk_names(k, f, names, n, e);
	treeout_unlist(names, n);
	return r;
}

int upper_walk(const struct upper *u, upper_fn *visit, void *ctx, struct err *e)
{
	struct walk k = { .u = u, .visit = visit, .ctx = ctx };
	struct frame root = {
		.en = { .change = CHANGE_MODIFIED, .path = ".", .name = ".", .fd = u->dir },
		.lower = u->lower,
	};
	struct stat lower_st;
	if (fstat(u->dir, &root.en.st) < 0)
		return err_sys(e, "upper directory");
	bool is_changed = u->lower >= 0 && fstat(u->lower, &lower_st) == 0 && !is_same_meta(&root.en.st, &lower_st);
	int r = is_changed ? tell(&k, &root, e) : 0;
	return r ? r : walk_dir(&k, &root, e);
}
