/* SPDX-License-Identifier: Apache-2.0 */
/* See mounts.h. Sources: statx(2), umount2(2). */
#include "image/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/lock.h"
#include "util/mem.h"
#include "util/proc.h"

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U /* Linux 6.8 */
#endif

struct on_disk {
	const char *image, *target, *boot;
	struct opt_i64 count, mount, device, inode;
};

/* clang-format off */
static const struct jx_field rows[] = {
	JX_STR(struct on_disk, image, "image"),
	JX_STR(struct on_disk, target, "target"),
	JX_STR(struct on_disk, boot, "boot"),
	JX_I64(struct on_disk, count, "count"),
	JX_I64(struct on_disk, mount, "mount"),
	JX_I64(struct on_disk, device, "device"),
	JX_I64(struct on_disk, inode, "inode"),
	JX_END
};
/* clang-format on */

void mount_record_done(struct mount_record *m)
{
	fd_drop(&m->dir);
	arena_done(&m->arena);
}

/* ---- whose a mount is ---- */

static int read_id(int dir, struct mount_id *ret)
{
	const unsigned numbers = STATX_MNT_ID | STATX_MNT_ID_UNIQUE;
	struct statx x;
	*ret = (struct mount_id){ .number = 0 };
	if (statx(dir, "", AT_EMPTY_PATH, STATX_INO | numbers, &x) < 0)
		return -errno;
	if ((x.stx_mask & numbers) && (x.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		*ret = (struct mount_id){
			.number = (int64_t)x.stx_mnt_id,
			.device = (int64_t)makedev(x.stx_dev_major, x.stx_dev_minor),
			.inode = (int64_t)x.stx_ino,
		};
	return 0;
}

struct mount_id mount_id(int dir)
{
	struct mount_id id;
	read_id(dir, &id);
	return id;
}

/*
 * What is mounted on a directory. An error is not "nothing": a mount that is taken for gone would never go, and its
 * directory be busy for ever.
 */
static int id_at(int above, const char *name, int flags, struct mount_id *ret)
{
	fd_auto int dir = openat(above, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
	*ret = (struct mount_id){ .number = 0 };
	if (dir < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	return read_id(dir, ret);
}

static bool is_same(const struct mount_id *a, const struct mount_id *b)
{
	return a->number && a->number == b->number && a->device == b->device && a->inode == b->inode;
}

/*
 * Unmounts, if this mount is there. -ENOENT: it is not. The directory above is held meanwhile: it may be somebody's who
 * puts another in its place, below which other mounts lie.
 */
static int unmount(const char *target, const struct mount_id *want, int flags)
{
	char path[PATH_MAX + 32];
	const char *name = strrchr(target, '/');
	if (!name || !name[1])
		return -ENOENT;
	free_auto char *above = mem_fmt("%.*s/", (int)(name - target), target);
	fd_auto int parent = openat(AT_FDCWD, above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct mount_id there;
	if (parent < 0)
		return errno == ENOTDIR || errno == ELOOP ? -ENOENT : -errno;
	int r = id_at(parent, name + 1, O_NOFOLLOW, &there);
	if (r < 0)
		return r;
	if (!is_same(&there, want))
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d%s", parent, name);
	return umount2(path, UMOUNT_NOFOLLOW | flags) < 0 ? -errno : 0;
}

/* 1, 0, or -errno. */
static int is_there(const char *target, const struct mount_id *want)
{
	struct mount_id there;
	int r = id_at(AT_FDCWD, target, 0, &there);
	return r < 0 ? r : is_same(&there, want);
}

/* ---- records ---- */

/* Fills in what is there, if its mount is. One whose maker was killed between mounting and noting it is unmounted. */
static int look(struct mount_record *m, struct err *e)
{
	free_auto char *text = NULL;
	struct on_disk r = { .image = NULL };
	char boot[37];
	size_t len;
	int n = file_read(m->dir, "record.json", 1 << 20, false, &text, &len);
	if (n < 0)
		return n == -ENOENT ? 0 : err_ret(e, n, "mounts/%s/record.json", m->hex);
	if (jx_load(text, len, "record.json", rows, &r, &m->arena, NULL, e) < 0 || proc_boot_id(boot) < 0)
		return err_at(e, -EINVAL, "mounts/%s", m->hex);
	if (!r.boot || strcmp(r.boot, boot) != 0 || !r.target)
		return 0;
	const struct mount_id id = { r.mount.v, r.device.v, r.inode.v };
	n = r.count.v ? 0 : unmount(r.target, &id, MNT_DETACH);
	if (n < 0 && n != -ENOENT)
		return err_ret(e, n, "unmount %s", r.target);
	m->image = r.image ? r.image : "";
	m->target = r.target;
	n = r.count.v > 0 ? is_there(r.target, &id) : 0;
	if (n < 0)
		return err_ret(e, n, "mounts/%s: %s", m->hex, r.target);
	m->count = n ? r.count.v : 0;
	if (m->count)
		m->id = id;
	return 0;
}

/* Between opening and locking, somebody may have removed it. */
static int open_locked(int top, const char *hex, struct mount_record *m)
{
	struct stat st;
	fd_auto int dir = openat(top, hex, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = dir < 0 ? -errno : lock_wait(dir, false);
	if (r < 0)
		return r;
	if (fstat(dir, &st) < 0 || st.st_nlink == 0)
		return -ENOENT;
	snprintf(m->hex, sizeof(m->hex), "%.64s", hex);
	m->dir = fd_take(&dir);
	return 0;
}

int mount_record_open(const struct store *s, const char *digest, struct mount_record *ret, struct err *e)
{
	mount_record_auto struct mount_record m = MOUNT_RECORD_NONE;
	if (mkdirat(s->dir, "mounts", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "store %s: mounts", s->path);
	fd_auto int top = openat(s->dir, "mounts", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = top < 0 ? -errno : -ENOENT;
	for (int tries = 0; top >= 0 && r == -ENOENT && tries < 100; tries++) {
		if (mkdirat(top, digest_hex(digest), 0700) < 0 && errno != EEXIST)
			return err_sys(e, "store %s: mounts", s->path);
		r = open_locked(top, digest_hex(digest), &m);
	}
	if (r < 0)
		return err_ret(e, r, "store %s: mounts", s->path);
	if ((r = look(&m, e)) < 0)
		return r;
	*ret = m;
	m = MOUNT_RECORD_NONE;
	return 0;
}

int mount_record_hold(const struct mount_record *m, const struct strs *layers, struct err *e)
{
	str_auto struct str text = STR_MAX(64 << 10);
	for (size_t i = 0; i < layers->n; i++)
		str_fmt(&text, "%s\n", layers->v[i]);
	int r = file_replace(m->dir, "layers", text.p ? text.p : "", text.len, 0600);
	return r < 0 ? err_ret(e, r, "mounts/%s/layers", m->hex) : 0;
}

int mount_record_write(const struct mount_record *m, struct err *e)
{
	char boot[37];
	int r = proc_boot_id(boot);
	if (r < 0)
		return err_ret(e, r, "boot id");
	json_t *doc = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "image", m->image, "target", m->target, "boot", boot,
				"count", (json_int_t)m->count, "mount", (json_int_t)m->id.number, "device",
				(json_int_t)m->id.device, "inode", (json_int_t)m->id.inode);
	free_auto char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	if (!text)
		return err_new(e, EINVAL, "mounts/%s: the path of the mount is not UTF-8", m->hex);
	r = file_replace(m->dir, "record.json", text, strlen(text), 0600);
	return r < 0 ? err_ret(e, r, "mounts/%s/record.json", m->hex) : 0;
}

int mount_record_remove(const struct store *s, struct mount_record *m, bool is_lazy, struct err *e)
{
	int r = m->id.number ? unmount(m->target, &m->id, is_lazy ? MNT_DETACH : 0) : 0;
	if (r < 0 && r != -ENOENT)
		return err_ret(e, r, "image %s: unmount %s%s", m->image, m->target,
			       r == -EBUSY ? " (-f does it though it is in use)" : "");
	fd_auto int top = openat(s->dir, "mounts", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = top < 0 ? -errno : file_remove_tree(top, m->hex);
	return r < 0 && r != -ENOENT ? err_ret(e, r, "store %s: mounts/%s", s->path, m->hex) : 0;
}

static int each_one(const struct store *s, int top, const char *hex,
		    int (*fn)(void *ctx, struct mount_record *m, struct err *e), void *ctx, struct err *e)
{
	mount_record_auto struct mount_record m = MOUNT_RECORD_NONE;
	int r = open_locked(top, hex, &m);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_ret(e, r, "mounts/%s", hex);
	if ((r = look(&m, e)) < 0)
		return r;
	if (m.count == 0)
		return mount_record_remove(s, &m, false, e);
	return fn ? fn(ctx, &m, e) : 0;
}

int mounts_each(const struct store *s, int (*fn)(void *ctx, struct mount_record *m, struct err *e), void *ctx,
		struct err *e)
{
	fd_auto int top = s->dir < 0 ? -1 : openat(s->dir, "mounts", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0)
		return s->dir < 0 || errno == ENOENT ? 0 : err_sys(e, "store %s: mounts", s->path);
	int list = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = list < 0 ? NULL : fdopendir(list);
	if (!d) {
		fd_close(list);
		return err_sys(e, "store %s: mounts", s->path);
	}
	int end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));)
		if (de->d_name[0] != '.')
			r = each_one(s, top, de->d_name, fn, ctx, e);
	closedir(d);
	return r == 0 && end < 0 ? err_ret(e, end, "store %s: mounts", s->path) : r;
}

int mounts_sweep(const struct store *s, struct err *e)
{
	return mounts_each(s, NULL, NULL, e);
}
