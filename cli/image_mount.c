/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist image mount and unmount: an image's tree on the host, read-only, for as long as one likes. Each mount is counted,
 * as podman does it; the layers are held meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/image_cmd.h"
#include "cli/out.h"
#include "image/layers.h"
#include "image/mounts.h"
#include "image/names.h"
#include "ns/mount.h"
#include "util/fd.h"
#include "util/proc.h"

/* kist has made the namespace that this runs in for this command alone: with it the mount would end. */
static int check_user(struct err *e)
{
	if (!getenv("KIST_ROOTLESS"))
		return 0;
	return err_new(e, EPERM, "for users other than root a mount would end with this command: \"kist image save\" writes "
			       "an image into a file, \"kist export\" the tree of a container");
}

/* ---- the tree ---- */

/* overlayfs takes a single layer only under an upper one: alone it is the tree itself. */
static int make_tree(const struct layers *l, const struct image *im, struct err *e)
{
	const struct mount_options o = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID };
	fd_auto int tree = -1;
	if (l->n == 0)
		return err_new(e, ENODATA, "image %s: has no layers", im->name ? im->name : im->digest);
	tree = l->n == 1 ? mount_clone(l->fd[0], "", false, false, e) :
			   mount_overlay(l->fd, l->n, -1, -1, proc_is_in_userns() ? OVERLAY_USERXATTR : 0, e);
	if (tree < 0)
		return fd_take(&tree);
	int r = mount_attributes(tree, &o, e);
	return r < 0 ? r : fd_take(&tree);
}

/* As `image unpack` does it, where another tool wrote the image into the store. */
static int open_layers(const struct store *s, const struct image *im, char *word, struct layers *ret, struct err *e)
{
	const union image_options none = { .none = { 0 } };
	int r = layers_open_apart(s, im, ret, e);
	if (r == -ENOENT && (r = image_cmd_unpack(s, &none, 1, &word, e)) == 0)
		r = layers_open_apart(s, im, ret, e);
	return r;
}

/*
 * The record says what is mounted before it is, with a count of 0: a kill in between leaves nothing that nobody knows of,
 * and what is in that place besides is not taken for it.
 */
static int attach(const struct store *s, const struct image *im, char *word, struct mount_record *m, struct err *e)
{
	layers_auto struct layers l = { .n = 0 };
	int r = open_layers(s, im, word, &l, e);
	if (r < 0)
		return r;
	fd_auto int tree = make_tree(&l, im, e);
	fd_auto int target = tree < 0 ? -1 : openat(AT_FDCWD, m->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0)
		return fd_take(&tree);
	if (target < 0)
		return err_sys(e, "mount on %s", m->target);
	m->id = mount_id(tree);
	m->count = 0;
	if ((r = mount_record_write(m, e)) < 0 || (r = mount_attach(tree, target, e)) < 0)
		return err_at(e, r, "mount on %s", m->target);
	m->count = 1;
	return mount_record_write(m, e);
}

/* ---- mount ---- */

static const char *target_of(const struct store *s, const struct mount_record *m, const char *word, struct arena *a,
			     struct err *e)
{
	char path[PATH_MAX];
	if (!word && mkdirat(m->dir, "tree", 0755) < 0 && errno != EEXIST) {
		err_sys(e, "mounts/%s/tree", m->hex);
		return NULL;
	}
	const char *given = word ? word : arena_fmt(a, "%s/mounts/%s/tree", s->path, m->hex);
	if (!realpath(given, path)) {
		err_sys(e, "mount on %s", given);
		return NULL;
	}
	return arena_str(a, path);
}

static int mount_one(const struct store *s, char *word, const char *dir, struct err *e)
{
	mount_record_auto struct mount_record m = MOUNT_RECORD_NONE;
	image_auto struct image im = { .name = NULL };
	int r = image_open(s, word, &im, e);
	if (r == 0)
		r = mount_record_open(s, im.digest, &m, e);
	if (r < 0)
		return r;
	bool is_there = m.count > 0;
	const char *target = is_there && !dir ? m.target : target_of(s, &m, dir, &im.arena, e);
	if (!target)
		r = -e->num;
	else if (is_there && strcmp(target, m.target) != 0)
		return err_new(e, EBUSY, "image %s: is mounted on %s already", word, m.target);
	m.target = target;
	m.image = im.name ? im.name : im.digest;
	if (r == 0 && is_there) {
		m.count++;
		r = mount_record_write(&m, e);
	} else if (r == 0) {
		r = mount_record_hold(&m, &im.layers, e);
		if (r == 0)
			r = attach(s, &im, word, &m, e);
	}
	if (r == 0)
		puts(m.target);
	struct err ignored;
	if (r < 0 && !is_there)
		mount_record_remove(s, &m, true, &ignored);
	return r;
}

struct mount_row {
	const char *name, *id, *target;
	int64_t count;
};

/* clang-format off */
static const struct out_field fields[] = {
	OUT_STR(struct mount_row, name, "Repository"),
	OUT_STR(struct mount_row, id, "ID"),
	OUT_STR(struct mount_row, target, "Mountpoint"),
	OUT_I64(struct mount_row, count, "Count"),
};
/* clang-format on */

struct listing {
	struct arena arena;
	struct mount_row *v;
	size_t n;
};

static int on_mount(void *ctx, struct mount_record *m, struct err *e)
{
	struct listing *l = ctx;
	(void)e;
	l->v = mem_grow(l->v, (l->n + 1) * sizeof(*l->v));
	l->v[l->n++] = (struct mount_row){
		arena_str(&l->arena, m->image), arena_fmt(&l->arena, "sha256:%s", m->hex), arena_str(&l->arena, m->target),
		m->count,
	};
	return 0;
}

static int list_mounts(const struct store *s, const char *format, struct err *e)
{
	struct listing l = { .n = 0 };
	const struct out_list list = { .fields = fields, .count = ARRAY_LEN(fields), .row_size = sizeof(struct mount_row) };
	int r = mounts_each(s, on_mount, &l, e);
	if (r == 0)
		r = out_rows(&list, format ? format : "{{.Repository}} {{.Mountpoint}}", false, l.v, l.n, e);
	free(l.v);
	arena_done(&l.arena);
	return r;
}

int image_cmd_mount(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	if (argc == 0)
		return list_mounts(s, options->mount.format, e);
	int r = check_user(e);
	return r < 0 ? err_at(e, r, "image mount") : mount_one(s, argv[0], argc > 1 ? argv[1] : NULL, e);
}

/* ---- unmount ---- */

struct unmount {
	const struct store *store;
	const char *digest; /* NULL: all */
	bool is_forced;
	size_t found;
};

static int unmount_one(void *ctx, struct mount_record *m, struct err *e)
{
	struct unmount *u = ctx;
	char id[DIGEST_TEXT_MAX];
	snprintf(id, sizeof(id), "sha256:%s", m->hex);
	if (u->digest && strcmp(u->digest, id) != 0)
		return 0;
	u->found++;
	int r = 0;
	if (m->count > 1 && !u->is_forced) {
		m->count--;
		r = mount_record_write(m, e);
	} else {
		r = mount_record_remove(u->store, m, u->is_forced, e);
	}
	if (r == 0)
		puts(id);
	return r;
}

int image_cmd_unmount(const struct store *s, const union image_options *options, int argc, char **argv, struct err *e)
{
	const struct image_unmount_options *o = &options->unmount;
	struct unmount u = { .store = s, .is_forced = o->force };
	if (o->all ? argc > 0 : argc == 0) {
		return cmd_usage(e, "unmount: expected images, or --all");
	}
	int r = o->all ? mounts_each(s, unmount_one, &u, e) : 0;
	for (int i = 0; r == 0 && i < argc; i++) {
		image_auto struct image im = { .name = NULL };
		u.found = 0;
		if ((r = image_open(s, argv[i], &im, e)) < 0)
			return r;
		u.digest = im.digest;
		r = mounts_each(s, unmount_one, &u, e);
		if (r == 0 && !u.found)
			return err_new(e, EINVAL, "image %s: is not mounted", argv[i]);
	}
	return r;
}
