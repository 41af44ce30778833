/* SPDX-License-Identifier: Apache-2.0 */
/* See treecheck.h. */
#include "image/treecheck.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/expect.h"
#include "image/meta.h"
#include "image/whiteout.h"
#include "util/fd.h"
#include "util/mem.h"

enum { WHAT_MAX = 300, LIST_MAX = 64 << 10 };

struct tree {
	struct expect x;
	treecheck_fn *report;
	void *ctx;
	char *path;   /* of what is looked at */
	char *names, *value;
};

static void say(struct tree *t, const struct expect_node *n, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct tree *t, const struct expect_node *n, const char *format, ...)
{
	char what[WHAT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	expect_path(n, t->path, TAR_PATH_MAX + 1);
	t->report(t->ctx, t->path, what);
}

/* ---- one file ---- */

static const char *kind_of(mode_t mode, dev_t rdev)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a file";
	case S_IFDIR:
		return "a directory";
	case S_IFLNK:
		return "a symlink";
	case S_IFCHR:
		return rdev ? "a character device" : "a whiteout";
	case S_IFBLK:
		return "a block device";
	case S_IFIFO:
		return "a FIFO";
	default:
		return "a socket";
	}
}

static const struct expect_xattr *wanted_xattr(const struct expect_inode *i, const char *name)
{
	const struct expect_xattr *x = i->xattrs;
	while (x && strcmp(x->name, name) != 0)
		x = x->next;
	return x;
}

/*
 * An xattr that is not there may be one that this file system, or this kind of file, cannot hold: it was left out with a
 * warning (image/meta). An ACL that says no more than the mode is not kept either. xattr(7), acl(5)
 */
static bool may_lack(const struct tree *t, const struct expect_inode *i, const struct expect_xattr *x, int error)
{
	enum { ACL_OF_MODE = 4 + 3 * 8 };
	if (error == ENOTSUP)
		return true;
	if (strncmp(x->name, "user.", 5) == 0)
		return !S_ISREG(i->mode) && !S_ISDIR(i->mode);
	if (strncmp(x->name, "trusted.", 8) == 0)
		return t->x.is_userns;
	return strncmp(x->name, "system.posix_acl", 16) == 0 && x->len <= ACL_OF_MODE;
}

static void compare_xattrs(struct tree *t, const struct expect_node *n, const char *file)
{
	const struct expect_inode *i = n->inode;
	bool is_opaque = false;
	ssize_t len = llistxattr(file, t->names, LIST_MAX);
	for (const char *name = t->names; len > 0 && name < t->names + len; name += strlen(name) + 1) {
		is_opaque |= strcmp(name, "trusted.overlay.opaque") == 0 || strcmp(name, "user.overlay.opaque") == 0;
		if (meta_xattr_is_kept(name) && !i->is_implied && !wanted_xattr(i, name))
			say(t, n, "xattr %s: not in the layer", name);
	}
	if (is_opaque != i->is_opaque)
		say(t, n, is_opaque ? "hides what is below it" : "does not hide what is below it");
	for (const struct expect_xattr *x = i->xattrs; x && !i->is_implied; x = x->next) {
		ssize_t got = lgetxattr(file, x->name, t->value, LIST_MAX);
		if (got < 0 && !may_lack(t, i, x, errno))
			say(t, n, "xattr %s: missing", x->name);
		else if (got >= 0 && ((size_t)got != x->len || memcmp(t->value, x->value, x->len) != 0))
			say(t, n, "xattr %s: differs", x->name);
	}
}

static void compare_meta(struct tree *t, const struct expect_node *n, const struct stat *st)
{
	const struct expect_inode *i = n->inode;
	if ((st->st_mode & 07777) != (i->mode & 07777) && !S_ISLNK(i->mode))
		say(t, n, "mode %04o, not %04o", st->st_mode & 07777, i->mode & 07777);
	if (st->st_uid != i->uid || st->st_gid != i->gid)
		say(t, n, "owner %u:%u, not %u:%u", st->st_uid, st->st_gid, i->uid, i->gid);
	if (st->st_mtim.tv_sec != i->mtime.tv_sec || st->st_mtim.tv_nsec != i->mtime.tv_nsec)
		say(t, n, "time %lld.%09ld, not %lld.%09ld", (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		    (long long)i->mtime.tv_sec, i->mtime.tv_nsec);
}

static void compare_content(struct tree *t, const struct expect_node *n, const char *file, const struct stat *st)
{
	const struct expect_inode *i = n->inode;
	if (S_ISREG(i->mode) && (uint64_t)st->st_size != i->size)
		say(t, n, "%lld bytes, not %llu", (long long)st->st_size, (unsigned long long)i->size);
	else if (S_ISREG(i->mode) && i->data != DATA_EQUAL)
		say(t, n, i->data == DATA_UNREAD ? "data: cannot be read" : "data: differs");
	if (S_ISLNK(i->mode)) {
		ssize_t len = readlinkat(AT_FDCWD, file, t->value, LIST_MAX - 1);
		t->value[len > 0 ? len : 0] = '\0';
		if (strcmp(t->value, i->link) != 0)
			say(t, n, "leads to \"%.100s\", not \"%.100s\"", t->value, i->link);
	}
	if ((S_ISCHR(i->mode) || S_ISBLK(i->mode)) && st->st_rdev != i->rdev)
		say(t, n, "device %u:%u, not %u:%u", major(st->st_rdev), minor(st->st_rdev), major(i->rdev),
		    minor(i->rdev));
}

/* The names of one file must lead to one file; the first that is met stands for all. Returns false for another. */
static bool is_first(struct tree *t, const struct expect_node *n, const struct stat *st)
{
	struct expect_inode *i = n->inode;
	if (i->is_met && (i->met_dev != st->st_dev || i->met_ino != st->st_ino))
		say(t, n, "not the file that it is a hard link to");
	if (i->is_met)
		return false;
	i->is_met = true;
	i->met_dev = st->st_dev;
	i->met_ino = st->st_ino;
	return true;
}

/* `file` is the path of a name below an open directory, in /proc. */
static void compare_file(struct tree *t, const struct expect_node *n, const char *file, const struct stat *st)
{
	const struct expect_inode *i = n->inode;
	const char *have = kind_of(st->st_mode, st->st_rdev), *want = kind_of(i->mode, i->rdev);
	if (strcmp(have, want) != 0) {
		say(t, n, "%s, not %s", have, want);
		return;
	}
	if (!is_first(t, n, st) || whiteout_is(st))
		return;
	if (!i->is_implied)
		compare_meta(t, n, st);
	compare_content(t, n, file, st);
	compare_xattrs(t, n, file);
}

/* ---- the tree ---- */

static void compare_dir(struct tree *t, int dir, struct expect_node *node);

static void compare_name(struct tree *t, int dir, struct expect_node *node, const char *name)
{
	char file[NAME_MAX + 64];
	struct stat st;
	struct expect_node extra = { .parent = node, .name = name };
	struct expect_node *n = expect_find(&t->x, node, name);
	if (!n) {
		say(t, &extra, "not in the layer");
		return;
	}
	n->is_seen = true;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		say(t, n, "%s", strerror(errno));
		return;
	}
	snprintf(file, sizeof(file), "/proc/self/fd/%d/%s", dir, name);
	compare_file(t, n, file, &st);
	if (!S_ISDIR(st.st_mode) || !S_ISDIR(n->inode->mode))
		return;
	fd_auto int below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0)
		say(t, n, "%s", strerror(errno));
	else
		compare_dir(t, below, n);
}

static void compare_dir(struct tree *t, int dir, struct expect_node *node)
{
	int list = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = list < 0 ? NULL : fdopendir(list);
	if (!d) {
		say(t, node, "list: %s", strerror(errno));
		fd_close(list);
		return;
	}
	int r = 0;
	for (struct dirent *de; (de = fd_next(d, &r));)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			compare_name(t, dir, node, de->d_name);
	closedir(d);
	if (r < 0)
		say(t, node, "list: %s", strerror(-r));
	for (const struct expect_node *n = node->child; n; n = n->sibling)
		if (!n->is_gone && !n->is_seen)
			say(t, n, "missing");
}

static void compare_root(struct tree *t, int root)
{
	struct stat st;
	char file[64];
	if (fstat(root, &st) < 0) {
		say(t, t->x.root, "%s", strerror(errno));
		return;
	}
	/* Another name for it than a link in /proc, which the calls that do not follow one would look at. */
	snprintf(file, sizeof(file), "/proc/self/fd/%d/.", root);
	compare_file(t, t->x.root, file, &st);
	compare_dir(t, root, t->x.root);
}

static int read_tar(struct tree *t, struct flow *in, struct err *e)
{
	struct tar *tar = mem_zero(1, sizeof(*tar));
	const struct tar_entry *en;
	tar_open(tar, in);
	int r;
	while ((r = tar_next(tar, &en, e)) == 1) {
		r = expect_take(&t->x, tar, en, e);
		if (r < 0) {
			err_at(e, r, "entry \"%.200s\"", en->path);
			break;
		}
	}
	if (r == 0)
		r = tar_drain(tar, e);
	tar_done(tar);
	free(tar);
	return r;
}

int treecheck(struct flow *in, int root, treecheck_fn *report, void *ctx, struct treechecked *ret, struct err *e)
{
	struct tree t = { .report = report, .ctx = ctx };
	expect_open(&t.x, root);
	int r = read_tar(&t, in, e);
	if (r == 0) {
		t.path = mem_alloc(TAR_PATH_MAX + 1);
		t.names = mem_alloc(LIST_MAX);
		t.value = mem_alloc(LIST_MAX);
		compare_root(&t, root);
		*ret = (struct treechecked){ .bytes = t.x.bytes, .is_opaque = t.x.is_opaque };
		free(t.path);
		free(t.names);
		free(t.value);
	}
	expect_done(&t.x);
	return r;
}
