/* SPDX-License-Identifier: Apache-2.0 */
/* See unpack.h. */
#include "image/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "image/dirstack.h"
#include "image/filedata.h"
#include "image/whiteout.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/proc.h"

struct unpack {
	struct tar tar;
	struct dirstack dirs;
	struct meta_owner own;
	struct filedata data;
	struct unpacked done;
	uint64_t entries_max;
	char path[TAR_PATH_MAX + 1]; /* the entry's, in plain form */
	char link[TAR_PATH_MAX + 1]; /* its hard link's target, in plain form */
	size_t name;                 /* where the last component of `path` begins */
};

/* What all makers of one entry need. */
struct place {
	int parent;
	const char *name;
	const struct tar_entry *en;
};

/* ---- one function per kind of entry ---- */

static int make_file(struct unpack *u, const struct place *at, struct err *e)
{
	u->done.bytes += at->en->data_bytes;
	return filedata_make(&u->data, at->parent, at->name, u->path, at->en, e);
}

static int make_dir(struct unpack *u, const struct place *at, struct err *e)
{
	const struct tar_entry *en = at->en;
	bool is_new;
	/*
	 * A directory that its owner can use gets its mode at once; special bits and lesser modes come at the
	 * end.
	 */
	bool is_usual = (en->mode & 07700) == 0700;
	int r = dirstack_make(at->parent, at->name, is_usual ? en->mode : 0700, &is_new, e);
	if (r < 0)
		return r;
	if ((!is_new || meta_dir_needs(en, &u->own)) && (r = meta_node(at->parent, at->name, en, e)) < 0)
		return r;
	dirstack_later(&u->dirs, &(struct dir_later){ .path = u->path,
						      .mtime = en->mtime,
						      .has_mtime = true,
						      .mode = en->mode,
						      .has_mode = !is_usual || !is_new });
	return 0;
}

static int make_symlink(struct unpack *u, const struct place *at, struct err *e)
{
	const struct tar_entry *en = at->en;
	if (!*en->link)
		return err_new(e, EINVAL, "symlink to nothing");
	int r = symlinkat(en->link, at->parent, at->name);
	if (r < 0 && errno == EEXIST && (r = dirstack_clear(at->parent, at->name)) == 0)
		r = symlinkat(en->link, at->parent, at->name);
	if (r < 0)
		return err_sys(e, "symlink");
	if (meta_dir_needs(en, &u->own))
		return meta_node(at->parent, at->name, en, e);
	struct timespec times[2] = { en->mtime, en->mtime };
	return utimensat(at->parent, at->name, times, AT_SYMLINK_NOFOLLOW) < 0 ? err_sys(e, "time") : 0;
}

/* Opens the directory of a hard link's target: mostly the same one, else beneath the root. */
static int open_target_dir(struct unpack *u, const struct place *at, size_t name)
{
	size_t len = name ? name - 1 : 0, own = u->name ? u->name - 1 : 0;
	if (len == own && memcmp(u->link, u->path, len) == 0)
		return fcntl(at->parent, F_DUPFD_CLOEXEC, 0);
	char dir[TAR_PATH_MAX + 1];
	memcpy(dir, u->link, len);
	dir[len] = '\0';
	int fd = path_open(u->dirs.root, dir, PATH_BENEATH, O_PATH | O_DIRECTORY, 0);
	return fd == -ELOOP ? path_open(u->dirs.root, dir, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0) : fd;
}

static int make_hardlink(struct unpack *u, const struct place *at, struct err *e)
{
	size_t name;
	int r = path_plain(at->en->link, u->link, &name, e);
	if (r < 0)
		return err_at(e, r, "hard link to \"%.200s\"", at->en->link);
	fd_auto int dir = open_target_dir(u, at, name);
	struct stat target, here;
	if (dir < 0 || !u->link[0] || fstatat(dir, u->link + name, &target, AT_SYMLINK_NOFOLLOW) < 0)
		return err_new(e, ENOENT, "hard link to \"%.200s\", which is not in this layer",
			       at->en->link);
	if (S_ISDIR(target.st_mode) || whiteout_is(&target))
		return err_new(e, EINVAL, "hard link to \"%.200s\", which is a directory or deleted",
			       at->en->link);
	if (fstatat(at->parent, at->name, &here, AT_SYMLINK_NOFOLLOW) == 0) {
		if (here.st_ino == target.st_ino && here.st_dev == target.st_dev)
			return 0;
		/* The target may lie in the directory that this entry replaces. */
		if ((r = dirstack_clear(at->parent, at->name)) < 0)
			return err_ret(e, r, "replace");
	}
	return linkat(dir, u->link + name, at->parent, at->name, 0) < 0 ?
		       err_sys(e, "hard link to \"%.200s\"", at->en->link) :
		       0;
}

static int make_node(struct unpack *u, const struct place *at, struct err *e)
{
	const struct tar_entry *en = at->en;
	mode_t kind = en->type == TAR_CHAR ? S_IFCHR : en->type == TAR_BLOCK ? S_IFBLK : S_IFIFO;
	(void)u;
	/* Written as a device, a whiteout would delete behind the back of all who look for .wh. names. */
	if (en->type == TAR_CHAR && en->dev_major == 0 && en->dev_minor == 0)
		return 0;
	if (en->dev_major > 0xfff || en->dev_minor > 0xfffff)
		return err_new(e, EINVAL, "device %u:%u is out of range", en->dev_major, en->dev_minor);
	/* Nobody but root of the host may make one, and the layers of a user are mounted where none could be opened. */
	if (kind != S_IFIFO && proc_is_in_userns()) {
		log_warn("entry \"%.200s\": device node %u:%u left out: only root of the host can make one", en->path,
			 en->dev_major, en->dev_minor);
		return 0;
	}
	dev_t dev = kind == S_IFIFO ? 0 : makedev(en->dev_major, en->dev_minor);
	int r = mknodat(at->parent, at->name, kind | 0600, dev);
	if (r < 0 && errno == EEXIST && (r = dirstack_clear(at->parent, at->name)) == 0)
		r = mknodat(at->parent, at->name, kind | 0600, dev);
	if (r < 0 && errno == EPERM)
		return err_sys(e, "device node %u:%u (needs CAP_MKNOD and a file system that allows it)",
			       en->dev_major, en->dev_minor);
	return r < 0 ? err_sys(e, "make node") : meta_node(at->parent, at->name, en, e);
}

typedef int make_fn(struct unpack *u, const struct place *at, struct err *e);

static make_fn *const makers[] = {
	[TAR_FILE] = make_file,         [TAR_DIR] = make_dir,   [TAR_SYMLINK] = make_symlink,
	[TAR_HARDLINK] = make_hardlink, [TAR_CHAR] = make_node, [TAR_BLOCK] = make_node,
	[TAR_FIFO] = make_node,
};

/* ---- entries ---- */

/* The root may be named, as a directory, to give it owner, mode and time; nothing can take its place. */
static int take_root(struct unpack *u, const struct tar_entry *en, struct err *e)
{
	if (en->type != TAR_DIR)
		return err_new(e, EINVAL, "the root can only be a directory");
	int r = meta_node(u->dirs.root, ".", en, e);
	if (r == 0)
		dirstack_later(&u->dirs, &(struct dir_later){ .path = "",
							      .mtime = en->mtime,
							      .has_mtime = true,
							      .mode = en->mode,
							      .has_mode = true });
	return r;
}

static int take_whiteout(struct unpack *u, const struct place *at, enum whiteout_kind kind,
			 const char *target, struct err *e)
{
	bool is_root = u->name == 0;
	if (kind == WHITEOUT_IGNORED)
		return 0;
	if (kind == WHITEOUT_BAD)
		return err_new(e, EINVAL, "a whiteout that names nothing");
	if (at->en->type != TAR_FILE && at->en->type != TAR_HARDLINK)
		return err_new(e, EINVAL, "a whiteout that is not a plain file");
	if (kind == WHITEOUT_FILE)
		return whiteout_make(at->parent, target, is_root && u->done.is_opaque, e);
	u->done.is_opaque |= is_root;
	int r = is_root ? 0 : opaque_set(at->parent, NULL, e);
	return r < 0 ? r : whiteout_sweep(at->parent, e);
}

/* A directory by a whiteout's name would be made for real: aufs's records are left out, others refused. */
static int check_parents(const char *path, size_t len, bool *ret_is_ignored, struct err *e)
{
	*ret_is_ignored = false;
	for (const char *p = path, *end = path + len; p < end; p += strcspn(p, "/") + 1) {
		if (strncmp(p, ".wh.", 4) != 0)
			continue;
		if (strncmp(p, ".wh..wh.", 8) != 0)
			return err_new(e, EINVAL, "a whiteout is used as a directory");
		*ret_is_ignored = true;
	}
	return 0;
}

/*
 * False when this layer has something else than directories on the way to the entry: what lay there below is
 * hidden already, so a whiteout says nothing new (umoci writes them), and must not follow a symlink
 * elsewhere.
 */
static bool is_below_dirs(struct unpack *u)
{
	char dir[TAR_PATH_MAX + 1];
	size_t len = u->name ? u->name - 1 : 0;
	memcpy(dir, u->path, len);
	dir[len] = '\0';
	int fd = path_open(u->dirs.root, dir, PATH_BENEATH, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	fd_close(fd);
	return fd != -ENOTDIR && fd != -ELOOP;
}

static int take_entry(struct unpack *u, const struct tar_entry *en, struct err *e)
{
	if (++u->done.entries > u->entries_max)
		return err_new(e, E2BIG, "more than %llu entries", (unsigned long long)u->entries_max);
	int r = path_plain(en->path, u->path, &u->name, e);
	if (r < 0)
		return r;
	if (!u->path[0])
		return take_root(u, en, e);
	bool is_ignored;
	if ((r = check_parents(u->path, u->name, &is_ignored, e)) < 0 || is_ignored)
		return r;
	const char *target = NULL;
	enum whiteout_kind kind = whiteout_kind(u->path + u->name, &target);
	if (kind == WHITEOUT_IGNORED)
		return 0;
	if (kind != WHITEOUT_NONE && !is_below_dirs(u))
		return 0;
	struct place at = { .name = u->path + u->name, .en = en };
	at.parent = dirstack_enter(&u->dirs, u->path, u->name ? u->name - 1 : 0, e);
	if (at.parent < 0)
		return at.parent;
	return kind == WHITEOUT_NONE ? makers[en->type](u, &at, e) : take_whiteout(u, &at, kind, target, e);
}

static int unpack_all(struct unpack *u, struct err *e)
{
	const struct tar_entry *en;
	int r;
	while ((r = tar_next(&u->tar, &en, e)) == 1) {
		r = take_entry(u, en, e);
		if (r < 0)
			return err_at(e, r, "entry \"%.200s\"", en->path);
	}
	if (r == 0)
		r = tar_drain(&u->tar, e);
	return r < 0 ? r : dirstack_finish(&u->dirs, e);
}

int unpack_layer(struct flow *in, int root, uint64_t entries_max, struct sharing_layer *share,
		 struct unpacked *ret_unpacked, struct err *e)
{
	struct stat st;
	if (fstat(root, &st) < 0)
		return err_sys(e, "layer directory");
	struct unpack *u = mem_zero(1, sizeof(*u));
	u->own = (struct meta_owner){ st.st_uid, st.st_gid };
	u->entries_max = entries_max;
	u->data = (struct filedata){ .tar = &u->tar, .share = share, .own = &u->own };
	tar_open(&u->tar, in);
	dirstack_open(&u->dirs, root);
	dirstack_imply(&u->dirs, "");
	int r = unpack_all(u, e);
	if (r == 0) {
		u->done.implied = dirstack_implied(&u->dirs, &u->done.implied_len);
		*ret_unpacked = u->done;
	}
	filedata_done(&u->data);
	tar_done(&u->tar);
	dirstack_done(&u->dirs);
	free(u);
	return r;
}
