/* SPDX-License-Identifier: Apache-2.0 */
/* See criu_look.h. */
#include "runtime/criu_look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ns/kinds.h"
#include "runtime/criu.h"
#include "runtime/mount_table.h"
#include "util/fd.h"
#include "util/path.h"

enum { PROC_FILE_MAX = 64 << 20 };

/* A look in progress. */
struct look {
	int proc, root; /* /proc/PID, and the container's root */
	const struct spec *spec;
	struct mount_table mounts;
	struct criu_record *record;
	struct str *opts;
};

/* The id of the mount that is on top at a path of the container; 0: there is no such path, or no mount on it. */
static uint64_t mount_at(const struct look *l, const char *path, struct stat *ret_st)
{
	fd_auto int fd = path_open(l->root, path, PATH_IN_ROOT, O_PATH, 0);
	struct statx x;
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &x) < 0 || !(x.stx_mask & STATX_MNT_ID))
		return 0;
	if (ret_st && fstat(fd, ret_st) < 0)
		return 0;
	const struct mount_row *m = mount_table_find(&l->mounts, x.stx_mnt_id);
	/* The mount that a path lies in need not begin there. */
	return m && (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) ? x.stx_mnt_id : 0;
}

static void add_mount(struct look *l, struct mount_row *row, enum criu_source source, const char *destination,
		      const char *below)
{
	struct criu_mounts *list = &l->record->mounts;
	list->v[list->n++] = (struct criu_mount){
		.mountpoint = row->point,
		.source = (int)source,
		.destination = destination,
		.below = below,
	};
	row->is_known = true;
	criu_put_external(l->opts, "mnt[%s]:%s", row->point, row->point);
}

/* As plan_make decides it: a remount is a bind of nothing. */
static bool is_bind(const struct spec_mount *m)
{
	bool has_word = false;
	for (size_t i = 0; i < m->options.n; i++) {
		if (strcmp(m->options.v[i], "remount") == 0)
			return false;
		has_word = has_word || strcmp(m->options.v[i], "bind") == 0 || strcmp(m->options.v[i], "rbind") == 0;
	}
	return has_word;
}

static int look_at_binds(struct look *l, struct err *e)
{
	for (size_t i = 0; i < l->spec->mounts.n; i++) {
		const struct spec_mount *m = &l->spec->mounts.v[i];
		if (!is_bind(m))
			continue;
		struct mount_row *row = mount_table_find(&l->mounts, mount_at(l, m->destination, NULL));
		if (!row || row->is_known)
			continue;
		if (strpbrk(row->point, "[]\n"))
			return err_new(e, EOPNOTSUPP, "mounts[%zu] %s: criu cannot name this path", i,
				       m->destination);
		add_mount(l, row, CRIU_BIND, m->destination, NULL);
	}
	return 0;
}

/* What a recursive bind brought along, or what covers a part of a bind, hangs below it. */
static void look_below_binds(struct look *l)
{
	for (size_t i = 0; i < l->mounts.n; i++) {
		struct mount_row *row = &l->mounts.v[i];
		const struct mount_row *up = mount_table_find(&l->mounts, row->parent);
		if (row->is_known || !up || up == row || !up->is_known)
			continue;
		const struct criu_mounts *list = &l->record->mounts;
		const struct criu_mount *from = NULL;
		for (size_t k = 0; k < list->n; k++)
			if (list->v[k].mountpoint == up->point && list->v[k].source == CRIU_BIND)
				from = &list->v[k];
		size_t len = strlen(up->point);
		if (!from || strncmp(row->point, up->point, len) != 0 || row->point[len] != '/')
			continue;
		const char *rest = row->point + len + 1;
		add_mount(l, row, CRIU_BIND, from->destination,
			  from->below ? arena_fmt(&l->record->arena, "%s/%s", from->below, rest) : rest);
	}
}

/* A masked file has the host's /dev/null on it. Masked directories have a tmpfs, which CRIU knows how to save. */
static void look_at_masks(struct look *l)
{
	const struct spec_linux *linux_ = l->spec->linux_;
	for (size_t i = 0; linux_ && i < linux_->masked_paths.n; i++) {
		struct stat st;
		struct mount_row *row = mount_table_find(&l->mounts, mount_at(l, linux_->masked_paths.v[i], &st));
		if (row && !row->is_known && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
			add_mount(l, row, CRIU_NULL, NULL, NULL);
	}
}

/* In a user namespace devices are the host's own nodes, bound one by one. */
static void look_at_devices(struct look *l)
{
	for (size_t i = 0; i < l->mounts.n; i++) {
		struct mount_row *row = &l->mounts.v[i];
		struct stat st;
		if (row->is_known || strcmp(row->root, "/") == 0 || strcmp(row->type, "devpts") == 0)
			continue;
		if (mount_at(l, row->point, &st) == row->id && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			add_mount(l, row, CRIU_NODE, row->point, NULL);
	}
}

/* The group's name is not the same where it is restored; and a host that has more of the tree must not show it. */
static void look_at_cgroups(struct look *l)
{
	for (size_t i = 0; i < l->mounts.n; i++) {
		struct mount_row *row = &l->mounts.v[i];
		if (!row->is_known && strcmp(row->type, "cgroup2") == 0)
			add_mount(l, row, CRIU_CGROUP, NULL, NULL);
	}
}

/* Whether the container has the file system itself, or the part of it that holds this one. */
static bool has_whole(const struct look *l, const struct mount_row *row)
{
	for (size_t i = 0; i < l->mounts.n; i++) {
		const struct mount_row *m = &l->mounts.v[i];
		size_t len = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);
		if (m != row && !m->is_known && strcmp(m->device, row->device) == 0 &&
		    strncmp(m->root, row->root, len) == 0 && (row->root[len] == '/' || !row->root[len]))
			return true;
	}
	return false;
}

/* Parts of file systems of the host that the configuration does not tell of: the engine's /etc/hosts, for one. */
static void look_at_rest(struct look *l)
{
	for (size_t i = 0; i < l->mounts.n; i++) {
		struct mount_row *row = &l->mounts.v[i];
		bool is_ours = strcmp(row->point, "/") == 0 || strcmp(row->root, "/") == 0;
		if (!row->is_known && !is_ours && !has_whole(l, row) && !strpbrk(row->point, "[]\n"))
			add_mount(l, row, CRIU_BIND, row->point, NULL);
	}
}

static void look_at_targets(struct look *l)
{
	struct criu_targets *list = &l->record->targets;
	const struct mount_row *root = mount_table_find(&l->mounts, mount_at(l, "/", NULL));
	for (size_t i = 0; root && i < l->mounts.n; i++) {
		const struct mount_row *row = &l->mounts.v[i];
		fd_auto int fd = path_open(l->root, row->point, PATH_IN_ROOT, O_PATH, 0);
		struct stat st;
		if (row == root || row->parent != root->id || fd < 0 || fstat(fd, &st) < 0)
			continue;
		list->v[list->n++] = (struct criu_target){
			.path = row->point,
			.is_file = { .has = true, .v = !S_ISDIR(st.st_mode) },
		};
	}
}

/* ---- standard streams ---- */

static int read_number(const char *text, const char *key, uint64_t *ret)
{
	const char *p = strstr(text, key);
	unsigned long long v;
	if (!p || sscanf(p + strlen(key), " %llu", &v) != 1)
		return -ENODATA;
	*ret = v;
	return 0;
}

/* A file is external when its mount is none of the container's. Mount ids and inodes in hex: criu(8), --external. */
static void add_file(struct look *l, unsigned fd, const struct stat *st)
{
	char name[32];
	free_auto char *info = NULL;
	size_t len;
	uint64_t mount;
	snprintf(name, sizeof(name), "fdinfo/%u", fd);
	if (file_read(l->proc, name, PROC_FILE_MAX, false, &info, &len) < 0 ||
	    read_number(info, "mnt_id:", &mount) < 0)
		return;
	if (mount_table_find(&l->mounts, mount))
		return;
	struct criu_streams *list = &l->record->streams;
	bool is_null = S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
	const char *resource = arena_fmt(&l->record->arena, "file[%llx:%llx]", (unsigned long long)mount,
					 (unsigned long long)st->st_ino);
	/* One file may be two streams: it is named to criu once. */
	bool is_new = true;
	for (size_t i = 0; i < list->n; i++)
		is_new = is_new && strcmp(list->v[i].resource, resource) != 0;
	if (is_new)
		criu_put_external(l->opts, "%s", resource);
	list->v[list->n++] = (struct criu_stream){
		.fd = { true, fd },
		.resource = resource,
		.is_null = { .has = is_null, .v = is_null },
		.size = { .has = S_ISREG(st->st_mode), .v = (uint64_t)st->st_size },
	};
}

static int look_at_stream(struct look *l, unsigned fd, struct err *e)
{
	char name[16], link[64];
	struct stat st;
	snprintf(name, sizeof(name), "fd/%u", fd);
	/* Closed, or a terminal, which CRIU knows: of the container itself, or of the caller with --shell-job. */
	if (fstatat(l->proc, name, &st, 0) < 0 || (S_ISCHR(st.st_mode) && major(st.st_rdev) == 136))
		return 0;
	ssize_t n = readlinkat(l->proc, name, link, sizeof(link) - 1);
	if (n < 0)
		return err_sys(e, "standard stream %u", fd);
	link[n] = '\0';
	if (strncmp(link, "pipe:[", 6) != 0 && strncmp(link, "socket:[", 8) != 0) {
		add_file(l, fd, &st);
		return 0;
	}
	struct criu_streams *list = &l->record->streams;
	/* As the link names it, and not as criu(8) does. */
	const char *resource = arena_str(&l->record->arena, link);
	list->v[list->n++] = (struct criu_stream){ .fd = { true, fd }, .resource = resource };
	if (link[0] == 's')
		criu_put_external(l->opts, "unix[%llu]", (unsigned long long)st.st_ino);
	return 0;
}

/* ---- namespaces ---- */

/*
 * CRIU can leave out joined network and pid namespaces. Of IPC and UTS (and time) it saves the content; restore joins
 * what the configuration names then.
 */
static int look_at_namespaces(struct look *l, struct err *e)
{
	const struct spec_linux *linux_ = l->spec->linux_;
	struct strs *list = &l->record->namespaces;
	for (size_t i = 0; linux_ && i < linux_->namespaces.n; i++) {
		const struct spec_namespace *ns = &linux_->namespaces.v[i];
		const struct ns_kind *kind = ns_kind_find(ns->kind);
		if (!ns->path)
			continue;
		if (ns->kind & (CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWCGROUP))
			return err_new(e, EOPNOTSUPP,
				       "linux.namespaces[%zu]: %s is joined by path: criu cannot leave a "
				       "namespace of this kind out of a checkpoint",
				       i, kind->word);
		const char *key = criu_namespace_key(kind->word);
		if (!key)
			continue;
		struct stat st;
		char name[32];
		snprintf(name, sizeof(name), "ns/%s", kind->file);
		if (fstatat(l->proc, name, &st, 0) < 0)
			return err_sys(e, "namespace %s", kind->word);
		criu_put_external(l->opts, "%s[%llu]:%s", kind->file, (unsigned long long)st.st_ino, key);
		list->v[list->n++] = kind->word;
	}
	return 0;
}

/* What a container may have of the host that no image can hold. */
static int check_spec(const struct spec *s, struct err *e)
{
	const struct spec_linux *l = s->linux_;
	if (l && l->net_devices.n)
		return err_new(e, EOPNOTSUPP, "linux.netDevices: criu cannot save a network device of the host");
	if (l && l->seccomp && l->seccomp->listener_path)
		return err_new(e, EOPNOTSUPP,
			       "linux.seccomp.listenerPath: criu cannot save a filter that somebody listens to");
	return 0;
}

int criu_look(pid_t pid, const struct spec *spec, struct criu_record *ret, struct str *opts, struct err *e)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd_auto int proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd_auto int root = proc < 0 ? -1 : openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "process %d", (int)pid);
	struct look l = { .proc = proc, .root = root, .spec = spec, .record = ret, .opts = opts };
	*ret = (struct criu_record){ .version = { true, CRIU_RECORD_VERSION } };
	int r = check_spec(spec, e);
	if (r == 0)
		r = mount_table_read(proc, &ret->arena, &l.mounts, e);
	if (r < 0)
		return r;
	ret->is_terminal = (struct opt_bool){ true, spec->process && spec->process->terminal.v };
	ret->mounts.v = arena_array(&ret->arena, l.mounts.n, sizeof(*ret->mounts.v));
	ret->targets.v = arena_array(&ret->arena, l.mounts.n, sizeof(*ret->targets.v));
	ret->streams.v = arena_array(&ret->arena, 3, sizeof(*ret->streams.v));
	ret->namespaces.v = arena_array(&ret->arena, ns_kinds_count + 1, sizeof(*ret->namespaces.v));
	r = look_at_namespaces(&l, e);
	if (r == 0)
		r = look_at_binds(&l, e);
	if (r < 0)
		return r;
	look_at_masks(&l);
	look_at_cgroups(&l);
	look_at_devices(&l);
	look_at_rest(&l);
	look_below_binds(&l);
	look_at_targets(&l);
	for (unsigned fd = 0; r == 0 && fd < 3; fd++)
		r = look_at_stream(&l, fd, e);
	return r;
}

void criu_look_at_sizes(pid_t pid, struct criu_record *r)
{
	for (size_t i = 0; i < r->streams.n; i++) {
		char path[48];
		struct stat st;
		snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)pid, r->streams.v[i].fd.v);
		if (r->streams.v[i].size.has && stat(path, &st) == 0)
			r->streams.v[i].size.v = (uint64_t)st.st_size;
	}
}
