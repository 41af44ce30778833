/* SPDX-License-Identifier: Apache-2.0 */
/* See restore_stage.h. */
#include "runtime/restore_stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ns/mount.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/pb.h"
#include "util/sys.h"

/* ---- which tree for which mount: parent ---- */

static int find_bind(const struct restore_args *a, const struct criu_mount *m, struct arena *arena,
		     struct stage_entry *ret, struct err *e)
{
	for (size_t i = a->plan->mount_count; i-- > 0;) {
		const struct plan_mount *p = &a->plan->mounts[i];
		if (p->kind != PLAN_BIND || a->opened->trees[i] < 0 || strcmp(p->destination, m->destination) != 0)
			continue;
		ret->is_file = a->opened->is_file[i];
		/* criu takes the propagation of a mount from the mount that the source lies in, and not from a copy
		 * of a part of it. But an id map is had by a copy only, and a user namespace may have no way to the
		 * path. */
		if (p->uid_maps || (a->plan->need & NEED_USERNS))
			ret->tree = a->opened->trees[i];
		else
			ret->source = p->source[0] == '/' ? p->source
							  : arena_fmt(arena, "%s/%s", a->plan->bundle, p->source);
		return 0;
	}
	return err_new(e, EINVAL, "the images need a bind mount on %s, and config.json has none there",
		       m->destination);
}

static int find_node(const struct restore_args *a, const struct criu_mount *m, struct stage_entry *ret, struct err *e)
{
	for (size_t i = 0; i < a->plan->node_count; i++)
		if (a->plan->nodes[i].host_tree >= 0 && strcmp(a->plan->nodes[i].path, m->destination) == 0) {
			ret->tree = a->plan->nodes[i].host_tree;
			ret->is_file = true;
			return 0;
		}
	return err_new(e, EINVAL, "the images need the device %s, and config.json does not give it", m->destination);
}

static int find_null(const struct restore_args *a, struct stage_entry *ret, struct err *e)
{
	if (a->opened->null_tree < 0)
		return err_new(e, EINVAL, "the images have masked files, and linux.maskedPaths is empty");
	ret->tree = a->opened->null_tree;
	ret->is_file = true;
	return 0;
}

static int find_cgroup(const struct restore_args *a, struct stage *s, struct stage_entry *ret, struct err *e)
{
	if (a->group < 0)
		return err_new(e, EINVAL, "the images need a cgroup, and cgroups are disabled");
	int r = s->cgroup >= 0 ? 0 : (s->cgroup = mount_clone(a->group, "", false, false, e));
	if (r >= 0)
		r = mount_set_propagation(s->cgroup, MS_PRIVATE, false, e);
	ret->tree = s->cgroup;
	return r;
}

/* The whole bind comes before its parts in the record, as its mount came before theirs. */
static int find_part(const struct criu_record *record, size_t i, const struct stage *s, struct stage_entry *ret,
		     struct err *e)
{
	const struct criu_mount *m = &record->mounts.v[i];
	for (size_t k = 0; k < i; k++) {
		const struct criu_mount *whole = &record->mounts.v[k];
		if (whole->source != CRIU_BIND || whole->below || strcmp(whole->destination, m->destination) != 0)
			continue;
		ret->from = k;
		ret->below = m->below;
		return s->v[k].is_file ? err_new(e, ENOTDIR, "mount %s: below a file", m->mountpoint) : 0;
	}
	return err_new(e, EINVAL, "kist.json: mounts[%zu]: a part of nothing", i);
}

/* A tree can be attached once: a second entry for it is the first. */
static void share(struct stage *s, size_t i)
{
	for (size_t k = 0; k < i && s->v[i].tree >= 0; k++)
		if (s->v[k].tree == s->v[i].tree) {
			s->v[i].tree = -1;
			s->v[i].from = k;
		}
}

static int make_targets(const struct criu_record *record, int root, struct err *e)
{
	for (size_t i = 0; i < record->targets.n; i++) {
		const struct criu_target *t = &record->targets.v[i];
		fd_auto int fd = path_make_target(root, t->path, !t->is_file.v);
		if (fd < 0 && fd != -EROFS)
			return err_ret(e, fd, "mount point %s", t->path);
	}
	return 0;
}

/*
 * The state directory: nobody else looks there. The tasks of a user namespace resolve the paths themselves, and their
 * root may not pass a directory of mode 0700: for them the place where criu makes its own temporary directories.
 */
static int choose_place(const struct restore_args *a, struct stage *ret, struct err *e)
{
	char link[32];
	ret->is_userns = a->plan->need & NEED_USERNS;
	if (ret->is_userns) {
		snprintf(ret->path, sizeof(ret->path), "/tmp");
		return 0;
	}
	ssize_t n = readlink(fd_path(a->state, link), ret->path, sizeof(ret->path) - 1);
	if (n < 0)
		return err_sys(e, "state directory");
	ret->path[n] = '\0';
	return 0;
}

int stage_make(const struct restore_args *a, struct arena *arena, struct stage *ret, struct err *e)
{
	const struct criu_record *record = &a->restore->record;
	*ret = STAGE_NONE;
	int r = choose_place(a, ret, e);
	if (r < 0)
		return r;
	ret->root = a->opened->root_tree;
	ret->v = arena_array(arena, record->mounts.n + 1, sizeof(*ret->v));
	ret->n = record->mounts.n;
	for (size_t i = 0; i < record->mounts.n; i++) {
		const struct criu_mount *m = &record->mounts.v[i];
		struct stage_entry *entry = &ret->v[i];
		*entry = (struct stage_entry){ .mountpoint = m->mountpoint, .tree = -1 };
		r = m->source == CRIU_CGROUP ? find_cgroup(a, ret, entry, e)
		    : m->source == CRIU_NULL ? find_null(a, entry, e)
		    : m->source == CRIU_NODE ? find_node(a, m, entry, e)
		    : m->below		     ? find_part(record, i, ret, entry, e)
					     : find_bind(a, m, arena, entry, e);
		if (r < 0)
			return r;
		share(ret, i);
	}
	return make_targets(record, ret->root, e);
}

void stage_done(struct stage *s)
{
	fd_drop(&s->cgroup);
}

void stage_put(const struct stage *s, struct str *opts)
{
	free_auto char *root = mem_fmt("%s/root", s->path);
	pb_text(opts, 13, root);
	for (size_t i = 0; i < s->n; i++) {
		const struct stage_entry *entry = &s->v[i];
		size_t at = entry->tree < 0 && !entry->below ? entry->from : i;
		if (entry->source)
			criu_put_external(opts, "mnt[%s]:%s", entry->mountpoint, entry->source);
		else
			criu_put_external(opts, "mnt[%s]:%s/%zu", entry->mountpoint, s->path, at);
	}
}

/* ---- in the process that becomes criu ---- */

static int attach(int tree, int top, const char *name, bool is_file, struct err *e)
{
	int r = is_file ? mknodat(top, name, S_IFREG | 0600, 0) : mkdirat(top, name, 0700);
	if (r < 0 || move_mount(tree, "", top, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "restore: stage");
	return 0;
}

/* A part of a bind: nothing in the bind may lead out of it. openat2(2). */
static int attach_part(const struct stage *s, const struct stage_entry *entry, int top, const char *name,
		       struct err *e)
{
	char number[24];
	snprintf(number, sizeof(number), "%zu", entry->from);
	const char *source = s->v[entry->from].source;
	fd_auto int whole = openat(top, source ? source : number, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd_auto int part = whole < 0 ? -1
				     : sys_openat2(whole, entry->below, O_PATH | O_CLOEXEC, 0,
						   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	struct stat st;
	if (part < 0 || fstat(part, &st) < 0)
		return err_sys(e, "restore: mount %s: %s below its source", entry->mountpoint, entry->below);
	fd_auto int tree = mount_clone(part, "", false, false, e);
	return tree < 0 ? tree : attach(tree, top, name, !S_ISDIR(st.st_mode), e);
}

/*
 * The tasks of a user namespace open the images themselves, and their root has no way into a directory of mode 0700:
 * there they get one of 0755 that holds the same files, whose own modes are criu's. Nobody else sees it.
 */
static int show_images(int from, int top, struct err *e)
{
	int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		fd_close(copy);
		return err_sys(e, "image path");
	}
	fd_auto int to =
		mkdirat(top, "images", 0755) < 0 ? -1 : openat(top, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = to < 0 ? err_sys(e, "restore: stage") : 0;
	int end = 0;
	for (struct dirent *de; r == 0 && (de = fd_next(d, &end));) {
		struct stat st;
		if (fstatat(from, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		fd_auto int file = openat(from, de->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		fd_auto int tree = file < 0 ? -1 : mount_clone(file, "", false, false, e);
		r = file < 0   ? err_sys(e, "image %s", de->d_name)
		    : tree < 0 ? tree
			       : attach(tree, to, de->d_name, true, e);
	}
	closedir(d);
	if (r == 0 && end < 0)
		r = err_ret(e, end, "image path");
	return r < 0 ? r : fd_take(&to);
}

int stage_enter(const struct stage *s, int *images, struct err *e)
{
	fd_auto int top = mount_new("tmpfs", "kist", &(struct mount_options){ .data = "mode=1777" }, e);
	if (top < 0)
		return top;
	if (move_mount(top, "", AT_FDCWD, s->path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "restore: stage %s", s->path);
	int r = attach(s->root, top, "root", false, e);
	for (size_t i = 0; r == 0 && i < s->n; i++) {
		char name[24];
		snprintf(name, sizeof(name), "%zu", i);
		if (s->v[i].tree >= 0)
			r = attach(s->v[i].tree, top, name, s->v[i].is_file, e);
		else if (s->v[i].below)
			r = attach_part(s, &s->v[i], top, name, e);
	}
	if (r < 0 || !s->is_userns)
		return r;
	int shown = show_images(*images, top, e);
	if (shown < 0)
		return shown;
	fd_close(*images);
	*images = shown;
	return 0;
}
