/* SPDX-License-Identifier: Apache-2.0 */
/* See place.h. */
#include "cgroup/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static const char *const spec_key = "linux.cgroupsPath";

/* What is wrong with a path of groups, or NULL. A group's name may hold any byte but "/" and newline. */
static const char *fault(const char *path)
{
	if (!*path)
		return "names the root of the tree, which cannot be a container's group";
	if (strlen(path) >= PATH_MAX - 256)
		return "is too long";
	if (strchr(path, '\n'))
		return "holds a newline";
	for (const char *p = path; ; p++) {
		size_t n = strcspn(p, "/");
		if (n == 0)
			return "has an empty component";
		if (n > NAME_MAX)
			return "has a component of more than 255 bytes";
		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return "has a component \".\" or \"..\"";
		p += n;
		if (!*p)
			return NULL;
	}
}

bool cgroup_path_is_sound(const char *path)
{
	return !fault(path);
}

static bool is_systemd_form(const char *path)
{
	const char *first = strchr(path, ':');
	return path[0] != '/' && first && strchr(first + 1, ':') && !strchr(path, '/');
}

/* Joins the base of our own group and a path below it. */
static int below_base(const char *path, const struct cgroup_own *own, struct arena *a, struct cgroup_place *ret_place)
{
	const char *base = own && own->base ? own->base + 1 : "";
	ret_place->base_len = strlen(base);
	ret_place->path = *base ? arena_fmt(a, "%s/%s", base, path) : arena_str(a, path);
	return 0;
}

int cgroup_place(const char *cgroups_path, const char *id, const struct cgroup_own *own, struct arena *a,
		 struct cgroup_place *ret_place, struct err *e)
{
	struct cgroup_place place = { .is_chosen = !cgroups_path || !*cgroups_path };
	if (place.is_chosen) {
		const char *name = arena_fmt(a, "kist-%s", id);
		if (strchr(name, '/') || fault(name))
			return err_new(e, EINVAL, "container id \"%s\": cannot be the name of a cgroup", id);
		below_base(name, own, a, &place);
		*ret_place = place;
		return 0;
	}
	if (is_systemd_form(cgroups_path))
		return err_new(e, EINVAL, "%s: \"%s\" is the form of systemd's cgroup manager, which is asked for by "
			       "--systemd-cgroup: without it give a path such as /kist/%s", spec_key, cgroups_path, id);
	/* One slash at the end means nothing; it is not an empty component. */
	const char *rest = cgroups_path + (cgroups_path[0] == '/');
	size_t len = strlen(rest);
	const char *path = arena_strn(a, rest, len > 1 && rest[len - 1] == '/' ? len - 1 : len);
	const char *why = fault(path);
	if (why)
		return err_new(e, EINVAL, "%s: \"%s\" %s", spec_key, cgroups_path, why);
	if (cgroups_path[0] == '/')
		place.path = path;
	else
		below_base(path, own, a, &place);
	*ret_place = place;
	return 0;
}

int cgroup_locate(const struct cgroup_tree *tree, const char *cgroups_path, const char *id, struct arena *a,
		  struct cgroup_place *ret_place, struct err *e)
{
	struct cgroup_own own;
	if (cgroups_path && cgroups_path[0] == '/')
		return cgroup_place(cgroups_path, id, NULL, a, ret_place, e);
	int r = cgroup_own_read(tree, a, &own, e);
	return r < 0 ? r : cgroup_place(cgroups_path, id, &own, a, ret_place, e);
}

/* The group that is there and nearest to `path`, which gets shorter. */
static void nearest_existing(const struct cgroup_tree *tree, char *path)
{
	while (*path && faccessat(tree->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		char *slash = strrchr(path, '/');
		*(slash ? slash : path) = '\0';
	}
}

int cgroup_may_make(const struct cgroup_tree *tree, const struct cgroup_place *place, struct arena *a, struct err *e)
{
	struct cgroup_own own;
	char *up = arena_str(a, place->path);
	nearest_existing(tree, up);
	/* Its processes come from our own group, so cgroup.procs must be ours to write all the way. cgroups(7). */
	const char *procs = *up ? arena_fmt(a, "%s/cgroup.procs", up) : "cgroup.procs";
	if (faccessat(tree->fd, *up ? up : ".", W_OK, AT_EACCESS) == 0 &&
	    faccessat(tree->fd, procs, W_OK, AT_EACCESS) == 0)
		return 0;
	int r = -errno;
	struct err ignored;
	const char *session = cgroup_own_read(tree, a, &own, &ignored) == 0 && *own.path ? own.path : "/";
	return err_new(e, -r, "cgroup /%s: %s: it is not delegated to this user, whose session is in %s: run kist in a "
		       "group that is, by systemd-run --user --scope -p Delegate=yes -- kist ...", place->path,
		       strerror(-r), session);
}
