/* SPDX-License-Identifier: Apache-2.0 */
/* See mount.h. */
#include "ns/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ns/lend.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/sys.h"

/*
 * Superblock words as fsconfig(2) flags; what a file system does not know as a flag it refuses by name. `silent` has
 * none: it is about the kernel's log, where these calls write nothing. `iversion` is ext4's i_version of older kernels;
 * elsewhere the file system alone decides.
 */
static const struct super_word {
	unsigned long bit;
	const char *set, *clear;
	bool is_wish;    /* unknown to the file system: no failure */
} super_words[] = {
	{ MS_SYNCHRONOUS, "sync",      "async",      false },
	{ MS_DIRSYNC,     "dirsync",   NULL,         false },
	{ MS_LAZYTIME,    "lazytime",  "nolazytime", false },
	{ MS_MANDLOCK,    "mand",      "nomand",     false },
	{ MS_I_VERSION,   "i_version", NULL,         true  },
};

/* File systems without a device behind them: `ro` on the mount says all; the shared superblock stays as it is. */
static const char *const virtual_types[] = { "proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup2", "bpf",
					     "securityfs", "tracefs", "debugfs", "overlay", "ramfs" };

static bool is_virtual(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(virtual_types); i++)
		if (strcmp(type, virtual_types[i]) == 0)
			return true;
	return false;
}

/* The kernel explains what it refuses in the context's log. fsopen(2), "Message retrieval". */
static int fs_error(int fs, const char *what, struct err *e)
{
	int num = errno;
	char words[256];
	ssize_t n = read(fs, words, sizeof(words) - 1);
	errno = num;
	if (n <= 2)
		return err_sys(e, "%s", what);
	words[n] = '\0';
	words[2 + strcspn(words + 2, "\n")] = '\0';
	return err_sys(e, "%s: %s", what, words + 2);
}

static int set_super(int fs, const char *type, const struct mount_options *o, struct err *e)
{
	if ((o->super_set & MS_RDONLY) && !is_virtual(type) && fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return fs_error(fs, "ro", e);
	if (!((o->super_set | o->super_clr) & ~(unsigned long)MS_RDONLY))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(super_words); i++) {
		const struct super_word *w = &super_words[i];
		const char *flag = (o->super_set & w->bit) ? w->set : (o->super_clr & w->bit) ? w->clear : NULL;
		if (flag && fsconfig(fs, FSCONFIG_SET_FLAG, flag, NULL, 0) < 0 && !w->is_wish)
			return fs_error(fs, flag, e);
	}
	return 0;
}

/* Hands "mode=755,size=64k,noswap" to the file system word by word. */
static int set_data(int fs, const char *data, struct err *e)
{
	while (*data) {
		char word[512];
		size_t len = strcspn(data, ",");
		if (len >= sizeof(word))
			return err_new(e, ENAMETOOLONG, "option %.40s...: longer than %zu bytes", data, sizeof(word) - 1);
		memcpy(word, data, len);
		word[len] = '\0';
		data += len + (data[len] == ',');
		char *value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		int r = value ? fsconfig(fs, FSCONFIG_SET_STRING, word, value, 0)
			      : fsconfig(fs, FSCONFIG_SET_FLAG, word, NULL, 0);
		if (*word && r < 0)
			return fs_error(fs, word, e);
	}
	return 0;
}

static int set_mode(int fs, unsigned mode, struct err *e)
{
	char octal[16];
	snprintf(octal, sizeof(octal), "%o", mode);
	return fsconfig(fs, FSCONFIG_SET_STRING, "mode", octal, 0) < 0 ? fs_error(fs, "mode", e) : 0;
}

int mount_new(const char *type, const char *source, const struct mount_options *o, struct err *e)
{
	fd_leave_auto int fs = fsopen(type, FSOPEN_CLOEXEC);
	if (fs < 0)
		return errno == ENODEV ? err_new(e, ENODEV, "file system %s: unknown to this kernel", type)
				       : err_sys(e, "file system %s", type);
	/* The kernel takes 255 bytes; a longer name could only be that of a file system without a device. */
	if (source && *source && strlen(source) < 256 && fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return fs_error(fs, "source", e);
	int r = set_super(fs, type, o, e);
	if (r == 0 && o->root_mode)
		r = set_mode(fs, o->root_mode, e);
	if (r == 0)
		r = set_data(fs, o->data ? o->data : "", e);
	if (r < 0)
		return r;
	if (o->context && fsconfig(fs, FSCONFIG_SET_STRING, "context", o->context, 0) < 0)
		return fs_error(fs, "linux.mountLabel", e);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_error(fs, type, e);
	/* fsmount(2) takes the plain attributes at once, which saves mount_setattr for nearly every mount. */
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)(o->attr_set & ~(uint64_t)MOUNT_ATTR_IDMAP));
	return fd < 0 ? fs_error(fs, type, e) : fd;
}

int mount_reconfigure(int mnt, const struct mount_options *o, struct err *e)
{
	struct mount_options rest = *o;
	/* The mount's own attribute says read-only; others may share the superblock. */
	rest.super_set &= ~(unsigned long)MS_RDONLY;
	rest.super_clr &= ~(unsigned long)MS_RDONLY;
	if (!rest.super_set && !rest.super_clr && !(rest.data && *rest.data))
		return 0;
	fd_leave_auto int fs = fspick(mnt, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	if (fs < 0)
		return err_sys(e, "remount");
	int r = set_super(fs, "", &rest, e);
	if (r == 0)
		r = set_data(fs, rest.data ? rest.data : "", e);
	if (r == 0 && fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		r = fs_error(fs, "remount", e);
	return r;
}

int mount_clone(int dirfd, const char *path, bool is_recursive, bool is_nofollow, struct err *e)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (is_recursive ? AT_RECURSIVE : 0) |
			 (is_nofollow ? AT_SYMLINK_NOFOLLOW : 0) | (*path ? 0 : AT_EMPTY_PATH);
	int fd = open_tree(dirfd, path, flags);
	return fd < 0 ? err_sys(e, "%s", *path ? path : "mount") : fd;
}

static int set_attr(int mnt, uint64_t set, uint64_t clr, bool is_recursive, struct err *e)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clr };
	if (!set && !clr)
		return 0;
	if (mount_setattr(mnt, "", AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) < 0)
		return err_sys(e, is_recursive ? "recursive mount attributes" : "mount attributes");
	return 0;
}

int mount_attributes(int mnt, const struct mount_options *o, struct err *e)
{
	int r = set_attr(mnt, o->rec_set, o->rec_clr, true, e);
	return r < 0 ? r : set_attr(mnt, o->attr_set, o->attr_clr, false, e);
}

int mount_set_propagation(int mnt, unsigned long type, bool is_recursive, struct err *e)
{
	struct mount_attr attr = { .propagation = type };
	if (mount_setattr(mnt, "", AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) < 0)
		return err_sys(e, "mount propagation");
	return 0;
}

int mount_propagate(int mnt, const struct mount_options *o, struct err *e)
{
	for (size_t i = 0; i < o->propagation_count; i++) {
		int r = mount_set_propagation(mnt, o->propagation[i].type, o->propagation[i].is_recursive, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int mount_attach(int mnt, int target, struct err *e)
{
	if (move_mount(mnt, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "attach");
	return 0;
}

int mount_idmap(int mnt, int userns, bool is_recursive, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	if (mount_setattr(mnt, "", AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) < 0)
		return err_sys(e, "id-mapped mount");
	return 0;
}

/* One option "a:b:c" of /proc/self/fd paths, which every kernel since 5.2 takes if it is below 256 bytes. */
static int lower_list(int fs, const int *lower, size_t n, struct err *e)
{
	char list[256], path[32];
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		int k = snprintf(list + len, sizeof(list) - len, "%s%s", i ? ":" : "", fd_path(lower[i], path));
		if (k < 0 || (len += (size_t)k) >= sizeof(list))
			return -E2BIG;
	}
	if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", list, 0) < 0)
		return fs_error(fs, "lowerdir", e);
	return 0;
}

static void overlay_words(const int *lower, size_t n, int upper, int work, unsigned flags, struct str *out)
{
	char path[32];
	str_fmt(out, "%s%slowerdir=", flags & OVERLAY_USERXATTR ? "userxattr," : "",
		flags & OVERLAY_VOLATILE ? "volatile," : "");
	for (size_t i = 0; i < n; i++)
		str_fmt(out, "%s%s", i ? ":" : "", fd_path(lower[i], path));
	if (upper >= 0) {
		str_fmt(out, ",upperdir=%s", fd_path(upper, path));
		str_fmt(out, ",workdir=%s", fd_path(work, path));
	}
}

/* The same directory in the mount namespace that we are in by now: overlayfs takes no other's. */
static int open_here(int dir)
{
	char path[32], name[4096];
	struct stat was, is;
	ssize_t n = readlink(fd_path(dir, path), name, sizeof(name) - 1);
	if (n < 0)
		return -errno;
	name[n] = '\0';
	fd_auto int fd = openat(AT_FDCWD, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(dir, &was) < 0 || fstat(fd, &is) < 0)
		return -errno;
	return was.st_ino == is.st_ino && was.st_dev == is.st_dev ? fd_take(&fd) : -ESTALE;
}

enum { LAYERS_MAX = 128 };

struct overlay {
	const int *lower;
	size_t n;
	int upper, work;
	unsigned flags;
};

/* A mount that was attached nowhere: here it is, as long as the helper lives; the overlay has a copy of its own. */
static int attach_here(int mnt)
{
	if (move_mount(mnt, "", AT_FDCWD, "/dev", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	int fd = fcntl(mnt, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

int mount_overlay_attached(const int *lower, size_t n, int upper, int work, unsigned flags)
{
	str_auto struct str data = STR_MAX(4095);
	overlay_words(lower, n, upper, work, flags, &data);
	if (data.is_full)
		return -E2BIG;
	if (mount("overlay", "/proc", "overlay", 0, data.p) < 0)
		return -errno;
	int fd = open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The table of descriptors is not ours alone: what is opened is closed again. */
static int overlay_here(const void *ctx)
{
	const struct overlay *o = ctx;
	int lower[LAYERS_MAX], fd = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
	struct overlay here = { .lower = lower, .upper = -1, .work = -1, .flags = o->flags };
	for (; fd >= 0 && here.n < o->n; here.n += fd >= 0) {
		fd = open_here(o->lower[here.n]);
		if (fd == -ESTALE && (o->flags & OVERLAY_UNATTACHED))
			fd = attach_here(o->lower[here.n]);
		lower[here.n] = fd;
	}
	if (fd >= 0 && o->upper >= 0)
		fd = here.upper = open_here(o->upper);
	if (fd >= 0 && o->upper >= 0)
		fd = here.work = open_here(o->work);
	if (fd >= 0)
		fd = mount_overlay_attached(here.lower, here.n, here.upper, here.work, here.flags);
	while (here.n > 0)
		fd_close(lower[--here.n]);
	fd_close(here.upper);
	fd_close(here.work);
	return fd;
}

/*
 * mount(2) takes a page of options, but attaches what it makes: a helper process does that where nobody sees it and
 * where its death leaves nothing, and leaves the detached copy in the descriptor table that it shares with us. Only for
 * kernels before 6.7 and more layers than fit in one fsconfig(2) string, and for those before 6.15, whose overlayfs takes
 * no mount that is attached nowhere.
 */
static int overlay_by_mount(const struct overlay *o, struct err *e)
{
	if (o->n > LAYERS_MAX)
		return err_new(e, E2BIG, "overlay: %zu layers: more than this kernel takes", o->n);
	int fd = lend_fd(CLONE_NEWNS, overlay_here, o);
	return fd < 0 ? err_ret(e, fd, "overlay of %zu layers", o->n) : fd;
}

/* An attempt that came as far as the work directory has left its mark there, by which the next one would be refused. */
static void forget_attempt(int work)
{
	unlinkat(work, "work/incompat/volatile/dirty", 0);
	unlinkat(work, "work/incompat/volatile", AT_REMOVEDIR);
	unlinkat(work, "work/incompat", AT_REMOVEDIR);
}

static int add_layers(int fs, const int *lower, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, lower[i]) < 0) {
			char path[32];
			if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", fd_path(lower[i], path), 0) < 0)
				return i == 0 ? -EOPNOTSUPP : fs_error(fs, "lowerdir+", e);
		}
	return 0;
}

int mount_overlay(const int *lower, size_t n, int upper, int work, unsigned flags, struct err *e)
{
	fd_auto int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_sys(e, "overlay");
	int r = lower_list(fs, lower, n, e);
	const bool is_added = r == -E2BIG;
	if (is_added)
		r = add_layers(fs, lower, n, e);
	if (r == -EOPNOTSUPP)
		return overlay_by_mount(&(struct overlay){ lower, n, upper, work, flags }, e);
	if (r < 0)
		return r;
	char path[32];
	if (upper >= 0 && (fsconfig(fs, FSCONFIG_SET_STRING, "upperdir", fd_path(upper, path), 0) < 0 ||
			   fsconfig(fs, FSCONFIG_SET_STRING, "workdir", fd_path(work, path), 0) < 0))
		return fs_error(fs, "upperdir", e);
	if ((flags & OVERLAY_USERXATTR) && fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return fs_error(fs, "userxattr", e);
	if ((flags & OVERLAY_VOLATILE) && fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
		return fs_error(fs, "volatile", e);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		/* Before Linux 6.5 any word was taken, and only looked at here. */
		const bool is_again = (is_added || (flags & OVERLAY_UNATTACHED)) && errno == EINVAL;
		if (is_again && work >= 0 && (flags & OVERLAY_VOLATILE))
			forget_attempt(work);
		if (is_again)
			return overlay_by_mount(&(struct overlay){ lower, n, upper, work, flags }, e);
		return fs_error(fs, "overlay", e);
	}
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? fs_error(fs, "overlay", e) : fd;
}
