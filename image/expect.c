/* SPDX-License-Identifier: Apache-2.0 */
/* See expect.h. Source: image-spec layer.md, and what image/unpack and image/dirstack make of it. */
#include "image/expect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "image/dirstack.h"
#include "image/meta.h"
#include "image/tarsame.h"
#include "image/whiteout.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/path.h"
#include "util/proc.h"

enum { LINKS_MAX = 40 };

/* ---- names ---- */

static size_t slot_of(const struct expect *x, const struct expect_node *dir, const char *name, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ULL ^ (uint64_t)(uintptr_t)dir;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3ULL;
	return (size_t)(h ^ h >> 29) & (x->room - 1);
}

static struct expect_node *find(const struct expect *x, const struct expect_node *dir, const char *name, size_t len)
{
	for (struct expect_node *n = x->table[slot_of(x, dir, name, len)]; n; n = n->chain)
		if (n->parent == dir && !n->is_gone && strncmp(n->name, name, len) == 0 && !n->name[len])
			return n;
	return NULL;
}

struct expect_node *expect_find(const struct expect *x, const struct expect_node *dir, const char *name)
{
	return find(x, dir, name, strlen(name));
}

static void grow(struct expect *x)
{
	struct expect_node **old = x->table;
	size_t room = x->room;
	x->room = room ? room * 2 : 1024;
	x->table = mem_zero(x->room, sizeof(struct expect_node *));
	for (size_t i = 0; i < room; i++)
		for (struct expect_node *n = old[i], *next; n; n = next) {
			size_t slot = slot_of(x, n->parent, n->name, strlen(n->name));
			next = n->chain;
			n->chain = x->table[slot];
			x->table[slot] = n;
		}
	free(old);
}

static struct expect_node *add(struct expect *x, struct expect_node *dir, const char *name, size_t len,
			       struct expect_inode *inode)
{
	if (x->count == x->room)
		grow(x);
	struct expect_node *n = arena_new(&x->arena, struct expect_node);
	size_t slot = slot_of(x, dir, name, len);
	*n = (struct expect_node){ .parent = dir, .chain = x->table[slot], .inode = inode,
				   .sibling = dir->child, .name = arena_strn(&x->arena, name, len) };
	x->table[slot] = n;
	dir->child = n;
	x->count++;
	return n;
}

static struct expect_inode *new_inode(struct expect *x, mode_t mode)
{
	struct expect_inode *i = arena_new(&x->arena, struct expect_inode);
	i->mode = mode;
	return i;
}

static bool is_dir(const struct expect_node *n)
{
	return S_ISDIR(n->inode->mode);
}

static bool is_whiteout(const struct expect_node *n)
{
	return S_ISCHR(n->inode->mode) && n->inode->rdev == 0;
}

void expect_path(const struct expect_node *n, char *out, size_t size)
{
	char *p = out + size;
	*--p = '\0';
	for (; n->parent; n = n->parent) {
		size_t len = strlen(n->name);
		if (len + 1 > (size_t)(p - out))
			break;
		p = memcpy(p - len, n->name, len);
		if (n->parent->parent)
			*--p = '/';
	}
	if (*p)
		memmove(out, p, (size_t)(out + size - p));
	else
		snprintf(out, size, ".");
}

void expect_open(struct expect *x, int tree)
{
	*x = (struct expect){ .tree = tree, .is_userns = proc_is_in_userns() };
	grow(x);
	x->path = mem_alloc(TAR_PATH_MAX + 1);
	x->link = mem_alloc(TAR_PATH_MAX + 1);
	x->buf = mem_alloc(TARSAME_PIECE);
	x->root = arena_new(&x->arena, struct expect_node);
	x->root->name = "";
	x->root->inode = new_inode(x, S_IFDIR | 0755);
	x->root->inode->is_implied = true;
}

void expect_done(struct expect *x)
{
	free(x->table);
	free(x->path);
	free(x->link);
	free(x->buf);
	arena_done(&x->arena);
	*x = (struct expect){ .tree = -1 };
}

/* ---- the way to an entry ---- */

/* Follows a path within the tree, symlinks too, to a directory. NULL: there is none. */
static struct expect_node *follow(struct expect *x, struct expect_node *from, const char *path, size_t len, int *links)
{
	const char *end = path + len;
	if (len && *path == '/')
		from = x->root;
	for (const char *p = path; from && p < end;) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t n = (size_t)((slash ? slash : end) - p);
		if (n == 2 && memcmp(p, "..", 2) == 0) {
			from = from->parent ? from->parent : from;
		} else if (n && !(n == 1 && *p == '.')) {
			struct expect_node *next = find(x, from, p, n);
			if (next && S_ISLNK(next->inode->mode) && (*links)++ < LINKS_MAX)
				next = follow(x, from, next->inode->link, strlen(next->inode->link), links);
			from = next && is_dir(next) ? next : NULL;
		}
		p += n + 1;
	}
	return from;
}

static struct expect_node *make_implied(struct expect *x, struct expect_node *dir, const char *name, size_t len)
{
	struct expect_node *n = add(x, dir, name, len, new_inode(x, S_IFDIR | 0755));
	n->inode->is_implied = true;
	return n;
}

/* The directory of a plain path, made where it is missing. NULL with words: something else is in the way. */
static struct expect_node *enter(struct expect *x, const char *path, size_t len, struct err *e)
{
	struct expect_node *at = x->root;
	for (size_t begin = 0; begin < len;) {
		size_t n = strcspn(path + begin, "/");
		if (begin + n > len)
			n = len - begin;
		struct expect_node *next = find(x, at, path + begin, n);
		int links = 0;
		if (next && S_ISLNK(next->inode->mode)) {
			next = follow(x, x->root, path, begin + n, &links);
		} else if (next && is_whiteout(next)) {
			next->is_gone = true;
			next = make_implied(x, at, path + begin, n);
			next->inode->is_opaque = true;
		} else if (!next) {
			next = make_implied(x, at, path + begin, n);
		}
		if (!next || !is_dir(next)) {
			err_new(e, ENOTDIR, "parent \"%.200s\": no directory", path);
			return NULL;
		}
		at = next;
		begin += n + 1;
	}
	return at;
}

/* unpack's is_below_dirs: something else than a directory on the way hides what lay there. */
static bool is_below_dirs(const struct expect *x, const char *path, size_t len)
{
	const struct expect_node *at = x->root;
	for (size_t begin = 0; at && begin < len;) {
		size_t n = strcspn(path + begin, "/");
		if (begin + n > len)
			n = len - begin;
		at = find(x, at, path + begin, n);
		if (at && !is_dir(at))
			return false;
		begin += n + 1;
	}
	return true;
}

/* ---- file data ---- */

/* The tree's file of this name is opened before anything is decided: a later entry may replace it. */
static int read_data(struct expect *x, struct tar *tar, const struct tar_entry *en, const struct expect_node *n,
		     struct err *e)
{
	struct stat st;
	char *path = x->link; /* free: a file has no target */
	bool is_equal = false;
	expect_path(n, path, TAR_PATH_MAX + 1);
	fd_auto int fd = path_open(x->tree, path, PATH_BENEATH, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	n->inode->data = DATA_UNREAD;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	int r = (uint64_t)st.st_size == en->size ? tar_is_same(tar, en, fd, x->buf, &is_equal, e) : 0;
	n->inode->data = is_equal ? DATA_EQUAL : DATA_DIFFERS;
	return r;
}

/* ---- one entry ---- */

/* What an entry says of its file; xattrs join those that it has. */
static void describe(struct expect *x, struct expect_inode *i, const struct tar_entry *en)
{
	i->mode = (i->mode & S_IFMT) | (en->mode & 07777);
	i->uid = en->uid;
	i->gid = en->gid;
	i->mtime = en->mtime;
	i->is_implied = false;
	for (size_t k = 0; k < en->xattr_count; k++) {
		const struct tar_xattr *from = &en->xattrs[k];
		if (!meta_xattr_is_kept(from->name))
			continue;
		struct expect_xattr *to = i->xattrs;
		while (to && strcmp(to->name, from->name) != 0)
			to = to->next;
		if (!to) {
			to = arena_new(&x->arena, struct expect_xattr);
			*to = (struct expect_xattr){ .next = i->xattrs, .name = arena_str(&x->arena, from->name) };
			i->xattrs = to;
		}
		void *value = arena_alloc(&x->arena, from->len + 1);
		memcpy(value, from->value, from->len);
		to->value = value;
		to->len = from->len;
	}
}

/* Puts an inode where the entry says, in the place of what is there. */
static struct expect_node *put(struct expect *x, struct expect_node *dir, const char *name, struct expect_inode *i)
{
	struct expect_node *old = expect_find(x, dir, name);
	if (old)
		old->is_gone = true;
	return add(x, dir, name, strlen(name), i);
}

static void take_dir(struct expect *x, struct expect_node *dir, const char *name, const struct tar_entry *en)
{
	struct expect_node *n = expect_find(x, dir, name);
	if (!n || !is_dir(n)) {
		bool is_opaque = n && is_whiteout(n);
		n = put(x, dir, name, new_inode(x, S_IFDIR));
		n->inode->is_opaque = is_opaque;
	}
	describe(x, n->inode, en);
}

static int take_hardlink(struct expect *x, struct expect_node *dir, const char *name, const struct tar_entry *en,
			 struct err *e)
{
	size_t last;
	int links = 0, r = path_plain(en->link, x->link, &last, e);
	if (r < 0)
		return r;
	struct expect_node *at = follow(x, x->root, x->link, last ? last - 1 : 0, &links);
	struct expect_node *target = at && x->link[0] ? expect_find(x, at, x->link + last) : NULL;
	if (!target || is_dir(target) || is_whiteout(target))
		return err_new(e, ENOENT, "hard link to \"%.200s\", which is no file of this layer", en->link);
	struct expect_node *here = expect_find(x, dir, name);
	if (!here || here->inode != target->inode)
		put(x, dir, name, target->inode);
	return 0;
}

static int take_plain(struct expect *x, struct tar *tar, struct expect_node *dir, const char *name,
		      const struct tar_entry *en, struct err *e)
{
	static const mode_t kinds[] = {
		[TAR_FILE] = S_IFREG, [TAR_SYMLINK] = S_IFLNK, [TAR_CHAR] = S_IFCHR,
		[TAR_BLOCK] = S_IFBLK, [TAR_FIFO] = S_IFIFO,
	};
	bool is_device = en->type == TAR_CHAR || en->type == TAR_BLOCK;
	/* What unpack leaves out: a whiteout in disguise, and devices of a user's layers. */
	if ((en->type == TAR_CHAR && en->dev_major == 0 && en->dev_minor == 0) || (is_device && x->is_userns))
		return 0;
	struct expect_inode *i = new_inode(x, kinds[en->type]);
	struct expect_node *n = put(x, dir, name, i);
	describe(x, i, en);
	if (is_device)
		i->rdev = makedev(en->dev_major, en->dev_minor);
	if (en->type == TAR_SYMLINK) {
		i->link = arena_str(&x->arena, en->link);
		i->mode = S_IFLNK | 0777;
	}
	if (en->type != TAR_FILE)
		return 0;
	i->size = en->size;
	x->bytes += en->data_bytes;
	return read_data(x, tar, en, n, e);
}

/* whiteout_make and opaque_set of image/whiteout. */
static void take_whiteout(struct expect *x, struct expect_node *dir, enum whiteout_kind kind, const char *target)
{
	bool is_root = dir == x->root;
	if (kind == WHITEOUT_OPAQUE) {
		if (is_root)
			x->is_opaque = true;
		else
			dir->inode->is_opaque = true;
		for (struct expect_node *n = dir->child; n; n = n->sibling)
			if (is_whiteout(n))
				n->is_gone = true;
		return;
	}
	struct expect_node *n = expect_find(x, dir, target);
	if (n && is_dir(n))
		n->inode->is_opaque = true;
	else if (!n && !dir->inode->is_opaque && !(is_root && x->is_opaque))
		add(x, dir, target, strlen(target), new_inode(x, S_IFCHR));
}

/* aufs's records, and what lies in them. */
static bool is_ignored(const char *path, size_t len)
{
	for (const char *p = path, *end = path + len; p < end; p += strcspn(p, "/") + 1)
		if (strncmp(p, ".wh..wh.", 8) == 0)
			return true;
	return false;
}

int expect_take(struct expect *x, struct tar *tar, const struct tar_entry *en, struct err *e)
{
	size_t last;
	const char *target = NULL;
	int r = path_plain(en->path, x->path, &last, e);
	if (r < 0)
		return r;
	x->entries++;
	if (!x->path[0]) {
		describe(x, x->root->inode, en);
		return 0;
	}
	const char *name = x->path + last;
	size_t dir_len = last ? last - 1 : 0;
	enum whiteout_kind kind = whiteout_kind(name, &target);
	if (is_ignored(x->path, last) || kind == WHITEOUT_IGNORED)
		return 0;
	if (kind != WHITEOUT_NONE && !is_below_dirs(x, x->path, dir_len))
		return 0;
	struct expect_node *dir = enter(x, x->path, dir_len, e);
	if (!dir)
		return -e->num;
	if (kind != WHITEOUT_NONE)
		take_whiteout(x, dir, kind, target);
	else if (en->type == TAR_DIR)
		take_dir(x, dir, name, en);
	else if (en->type == TAR_HARDLINK)
		return take_hardlink(x, dir, name, en, e);
	else
		return take_plain(x, tar, dir, name, en, e);
	return 0;
}
