/* SPDX-License-Identifier: Apache-2.0 */
/* See state.h. */
#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/lock.h"
#include "util/proc.h"

#define STATE_FILE "state.json"

static const struct jx_field state_rows[] = {
	JX_STR(struct state, id, "id", .must = true),
	JX_STR(struct state, bundle, "bundle", .must = true),
	JX_STR(struct state, rootfs, "rootfs"),
	JX_STR(struct state, created, "created"),
	JX_STR(struct state, cgroup, "cgroup"),
	JX_STR(struct state, scope, "scope"),
	JX_STR(struct state, scope_mark, "scopeMark"),
	JX_BOOL(struct state, is_scope_user, "scopeUser"),
	JX_U32(struct state, cgroup_keep, "cgroupKeep"),
	JX_STR(struct state, rdt, "rdt"),
	JX_BOOL(struct state, rdt_own, "rdtOwn"),
	JX_STR(struct state, boot_id, "bootId"),
	JX_I32(struct state, pid, "pid"),
	JX_U64(struct state, pid_start, "pidStart"),
	JX_BOOL(struct state, is_terminal, "terminal"),
	JX_BOOL(struct state, is_pid_shared, "sharesPids"),
	JX_BOOL(struct state, is_traced, "traced"),
	JX_BOOL(struct state, has_listener, "listener"),
	JX_BOOL(struct state, is_userns, "userns"),
	JX_BOOL(struct state, has_hooks, "hooks"),
	JX_BOOL(struct state, is_checkpointed, "checkpointed"),
	JX_U64(struct state, hosted_mount, "hostedMount"),
	JX_U64(struct state, hosted_inode, "hostedInode"),
	JX_STR(struct state, hosted_at, "hostedAt"),
	JX_STR(struct state, hosted_ns, "hostedNamespace"),
	JX_PAIRS(struct state, annotations, "annotations"),
	JX_END,
};

static bool is_id_char(char c, bool is_first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')
		return true;
	return !is_first && (c == '.' || c == '+' || c == '-');
}

int state_check_id(const char *id, struct err *e)
{
	size_t len = strlen(id);
	if (len == 0)
		return err_new(e, EINVAL, "container id: empty");
	if (len > 200)
		return err_new(e, EINVAL, "container id %.32s...: longer than 200 bytes", id);
	for (size_t i = 0; i < len; i++)
		if (!is_id_char(id[i], i == 0))
			return err_new(e, EINVAL, "container id %s: only letters, digits and _ . + - are allowed, "
				       "and the first must be a letter, a digit or _", id);
	return 0;
}

/* What the kernel told us at exec, without another call: getauxval(3). */
static uid_t own_uid(void)
{
	return (uid_t)getauxval(AT_EUID);
}

int state_open_root(const char *path, bool create, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && create) {
		char up[4096];
		size_t len = strlen(path);
		for (size_t i = 1; i <= len && len < sizeof(up); i++) {
			if (path[i] && path[i] != '/')
				continue;
			memcpy(up, path, i);
			up[i] = '\0';
			if (mkdir(up, path[i] ? 0755 : 0700) < 0 && errno != EEXIST)
				return err_sys(e, "state root %s", up);
		}
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(e, "state root %s", path);
	struct stat st;
	if (fstat(fd, &st) < 0 || (st.st_uid != own_uid() && st.st_uid != 0)) {
		fd_close(fd);
		return err_new(e, EPERM, "state root %s: belongs to another user", path);
	}
	/* Whoever may write there could put a record of his own, and have its pid signalled. */
	if (own_uid() != 0 && (st.st_mode & 022)) {
		fd_close(fd);
		return err_new(e, EPERM, "state root %s: others may write to it (mode %o)", path, st.st_mode & 07777);
	}
	return fd;
}

static void set_dir(struct state_dir *ret, int own_root, int own_fd, const char *id)
{
	ret->root = own_root;
	ret->fd = own_fd;
	snprintf(ret->id, sizeof(ret->id), "%s", id);
}

int state_create(int own_root, const char *id, struct state_dir *ret, struct err *e)
{
	fd_auto int root = own_root;
	if (mkdirat(root, id, 0700) < 0)
		return errno == EEXIST ? err_new(e, EEXIST, "container id %s is already taken: a container of that name "
						 "exists", id)
				       : err_sys(e, "state directory %s", id);
	fd_auto int fd = openat(root, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int r = fd < 0 ? -errno : lock_wait(fd, false);
	struct stat st;
	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	/* A `delete --force` may have taken our empty directory away between mkdir and the lock: it has no name then. */
	if (r == -ENOENT || (r == 0 && st.st_nlink == 0))
		return err_new(e, ENOENT, "state directory %s: taken away while it was made", id);
	if (r < 0) {
		unlinkat(root, id, AT_REMOVEDIR);
		return err_ret(e, r, "state directory %s", id);
	}
	set_dir(ret, fd_take(&root), fd_take(&fd), id);
	return 0;
}

static int open_dir(int root, const char *id, bool lock, struct state_dir *ret, struct err *e)
{
	int r;
	for (;;) {
		fd_auto int fd = openat(root, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			return err_new(e, ENOENT, "container %s does not exist", id);
		if (fd < 0)
			return err_sys(e, "state directory %s", id);
		if (lock && (r = lock_wait(fd, false)) < 0)
			return err_ret(e, r, "state directory %s: lock", id);
		struct stat st;
		/* While we waited somebody may have deleted the container, and made a new one of that name. */
		if (lock && fstat(fd, &st) == 0 && st.st_nlink == 0)
			continue;
		int copy = fcntl(root, F_DUPFD_CLOEXEC, 0);
		if (copy < 0)
			return err_sys(e, "state root");
		set_dir(ret, copy, fd_take(&fd), id);
		return 0;
	}
}

int state_open(int root, const char *id, bool lock, struct state_dir *ret, struct err *e)
{
	int r = state_check_id(id, e);
	return r < 0 ? r : open_dir(root, id, lock, ret, e);
}

int state_open_any(int root, const char *name, struct state_dir *ret, struct err *e)
{
	return open_dir(root, name, true, ret, e);
}

int state_is_named(const struct state_dir *dir, const char *name)
{
	struct stat ours, there;
	if (fstat(dir->fd, &ours) < 0)
		return -errno;
	if (fstatat(dir->root, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

void state_close(struct state_dir *dir)
{
	fd_drop(&dir->fd);
	fd_drop(&dir->root);
}

int state_write_first(const struct state_dir *dir, const struct state *s, struct err *e)
{
	str_auto struct str text = STR_MAX(JX_BYTES_MAX);
	jx_print(&text, state_rows, s, 0);
	fd_auto int fd = openat(dir->fd, STATE_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, text.p, text.len);
	return r < 0 ? err_ret(e, r, "state directory %s: %s", dir->id, STATE_FILE) : 0;
}

int state_write(const struct state_dir *dir, const struct state *s, struct err *e)
{
	str_auto struct str text = STR_MAX(JX_BYTES_MAX);
	jx_print(&text, state_rows, s, 0);
	int r = file_replace(dir->fd, STATE_FILE, text.p, text.len, 0600);
	return r < 0 ? err_ret(e, r, "state directory %s: %s", dir->id, STATE_FILE) : 0;
}

int state_read(const struct state_dir *dir, struct state *ret, struct err *e)
{
	*ret = (struct state){ 0 };
	free_auto char *bytes = NULL;
	size_t len = 0;
	int r = file_read(dir->fd, STATE_FILE, JX_BYTES_MAX, false, &bytes, &len);
	if (r == -ENOENT || (r == 0 && len == 0))
		return err_new(e, ENODATA, "container %s: nothing was set up", dir->id);
	if (r < 0)
		return err_ret(e, r, "state directory %s: %s", dir->id, STATE_FILE);
	if (bytes[len - 1] != '}')
		return err_new(e, ENODATA, "container %s: nothing was set up", dir->id);
	r = jx_load(bytes, len, STATE_FILE, state_rows, ret, &ret->arena, NULL, e);
	if (r < 0) {
		arena_done(&ret->arena);
		return err_at(e, r, "state directory %s", dir->id);
	}
	return 0;
}

void state_done(struct state *s)
{
	arena_done(&s->arena);
}

int state_remove(struct state_dir *dir, struct err *e)
{
	static const char *const files[] = { "config.json", STATE_FILE };
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlinkat(dir->fd, files[i], 0);
	if (unlinkat(dir->root, dir->id, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	/* The gate of a container that was never started, the temporary name of a file that a killed command was replacing. */
	int r = file_remove_tree(dir->root, dir->id);
	return r < 0 && r != -ENOENT ? err_ret(e, r, "state directory %s", dir->id) : 0;
}

/* Without a process in the record: whoever creates it holds the lock as long as it lives. flock(2). */
static int status_of_creator(const struct state_dir *dir)
{
	fd_auto int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : lock_try(fd, true);
	/* ENOENT: the container has just been deleted. */
	if (r == 0 || r == -ENOENT)
		return STATUS_STOPPED;
	return r == -EWOULDBLOCK ? STATUS_CREATING : r;
}

int state_status(const struct state_dir *dir, const struct state *s, int *ret_pidfd)
{
	if (ret_pidfd)
		*ret_pidfd = -1;
	if (!s->pid.has)
		return status_of_creator(dir);
	fd_auto int fd = proc_open(s->pid.v, s->pid_start.v);
	if (fd < 0)
		return fd == -ESRCH ? STATUS_STOPPED : fd_take(&fd);
	bool is_gate = faccessat(dir->fd, "gate", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (!is_gate && errno != ENOENT)
		return -errno;
	char boot[37];
	if (s->boot_id && proc_boot_id(boot) == 0 && strcmp(boot, s->boot_id) != 0)
		return STATUS_STOPPED;
	if (ret_pidfd)
		*ret_pidfd = fd_take(&fd);
	return is_gate ? STATUS_CREATED : STATUS_RUNNING;
}

const char *state_word(enum state_status status)
{
	static const char *const words[] = {
		[STATUS_CREATING] = "creating", [STATUS_CREATED] = "created", [STATUS_RUNNING] = "running",
		[STATUS_PAUSED] = "paused", [STATUS_STOPPED] = "stopped",
	};
	return words[status];
}

/* The document's members in the order of the spec; pid is 0 when there is no process, as callers expect. */
struct document {
	const char *oci_version, *id, *status, *bundle, *rootfs, *root, *created;
	struct opt_i32 pid;
	struct pairs annotations;
};

static const struct jx_field document_rows[] = {
	JX_STR(struct document, oci_version, "ociVersion"),
	JX_STR(struct document, id, "id"),
	JX_STR(struct document, status, "status"),
	JX_I32(struct document, pid, "pid"),
	JX_STR(struct document, bundle, "bundle"),
	JX_STR(struct document, rootfs, "rootfs"),
	JX_STR(struct document, root, "root"),
	JX_STR(struct document, created, "created"),
	JX_PAIRS(struct document, annotations, "annotations"),
	JX_END,
};

void state_print(struct str *out, const struct state *s, enum state_status status, int indent)
{
	bool has_pid = s->pid.has && status != STATUS_STOPPED;
	const struct document d = {
		.oci_version = "1.3.0", .id = s->id, .status = state_word(status), .bundle = s->bundle,
		.rootfs = s->rootfs, .created = s->created, .pid = { .has = true, .v = has_pid ? s->pid.v : 0 },
		.annotations = s->annotations,
	};
	jx_print(out, document_rows, &d, indent);
}

void state_print_hook(struct str *out, const struct state *s, enum state_status status)
{
	const struct document d = {
		.oci_version = "1.3.0", .id = s->id, .status = state_word(status), .bundle = s->bundle,
		.rootfs = s->rootfs, .root = s->rootfs, .created = s->created, .annotations = s->annotations,
	};
	jx_print(out, document_rows, &d, 0);
	if (out->len && out->p[out->len - 1] == '}')
		out->p[--out->len] = '\0';
}

int state_each(int root, int (*fn)(void *ctx, const char *id), void *ctx, struct err *e)
{
	int copy = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		int r = err_sys(e, "state root");
		fd_close(copy);
		return r;
	}
	int r = 0, end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));) {
		struct err ignored;
		if (state_check_id(de->d_name, &ignored) == 0)
			r = fn(ctx, de->d_name);
	}
	closedir(d);
	return r == 0 && end < 0 ? err_ret(e, end, "state root") : r;
}
