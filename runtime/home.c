/* SPDX-License-Identifier: Apache-2.0 */
/* See home.h. */
#include "runtime/home.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/rootless.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/num.h"

/* ---- the place ---- */

static const char *cgroups_path(const struct plan *p)
{
	return p->spec->linux_ ? p->spec->linux_->cgroups_path : NULL;
}

static int place_in_tree(struct home *h, const struct plan *p, struct cgroup_tree *tree, struct arena *a, struct err *e)
{
	struct cgroup_place place;
	const struct spec_linux *l = p->spec->linux_;
	bool may_go_without = (p->need & NEED_INSIDE) || rootless_mode() == ROOTLESS_TRUE;
	int r = cgroup_tree_open(tree, e);
	if (r == 0)
		r = cgroup_locate(tree, cgroups_path(p), p->id, a, &place, e);
	if (r == 0 && may_go_without)
		r = cgroup_may_make(tree, &place, a, e);
	bool is_denied = r == -EACCES || r == -EPERM || r == -EROFS || r == -ENODEV;
	/* Root of the host can make devices, and nothing but a group could keep it from using them. */
	if (is_denied && may_go_without && !(p->need & NEED_INSIDE) && l && l->resources && l->resources->devices.n)
		return err_at(e, r, "linux.resources.devices");
	if (is_denied && may_go_without && !p->limits.need.n) {
		log_info("%s; the container gets no cgroup of its own", e->text);
		err_clear(e);
		return 0;
	}
	if (is_denied && may_go_without)
		return err_at(e, r, "%s", p->limits.need.v[0].path);
	if (r == 0)
		r = cgroup_prepare(tree, &place, &p->limits.need, &h->group, e);
	h->has_group = r == 0;
	return r;
}

/* The system's manager serves root alone; root of a user namespace is a user. user_namespaces(7). */
static bool is_user(void)
{
	if (geteuid() != 0)
		return true;
	free_auto char *map = NULL;
	uint64_t first[3];
	return file_read(AT_FDCWD, "/proc/self/uid_map", 4096, false, &map, NULL) == 0 &&
	       (num_list(map, " ", first, 3) != 3 || first[1] != 0 || first[2] < UINT32_MAX);
}

/* Another container's scope, or one of systemd's own, may have the name by the time that ours has ended. */
static const char *make_mark(const char *id, struct arena *a)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return arena_fmt(a, "kist container %s %08" PRIx64 "%05x", id, (uint64_t)t.tv_sec << 30 | (uint64_t)t.tv_nsec,
			 (unsigned)getpid());
}

static int place_in_scope(struct home *h, struct plan *p, struct cgroup_tree *tree, struct arena *a, struct err *e)
{
	int r = cgroup_tree_open(tree, e);
	if (r == 0)
		r = scope_parse(cgroups_path(p), p->id, is_user(), a, &h->scope, e);
	if (r == 0)
		r = cgroup_need_check(tree, &p->limits.need, e);
	if (r == 0)
		r = scope_annotations(&p->spec->annotations, a, &h->properties, e);
	if (r < 0) {
		h->scope.unit = NULL;
		return r;
	}
	scope_limits(&p->limits, a, &h->properties);
	h->scope.mark = make_mark(p->id, a);
	p->need |= NEED_SCOPE;
	return 0;
}

int home_place(struct home *h, enum cgroup_manager manager, struct plan *p, struct cgroup_tree *tree, struct arena *a,
	       struct err *e)
{
	if (manager == CGROUP_BY_NOBODY) {
		if (p->limits.need.n)
			return err_new(e, EINVAL, "%s: cgroups are disabled (--cgroup-manager disabled)",
				       p->limits.need.v[0].path);
		return 0;
	}
	return manager == CGROUP_BY_SYSTEMD ? place_in_scope(h, p, tree, a, e) : place_in_tree(h, p, tree, a, e);
}

/* ---- the group ---- */

/* What is the user's already stays so; only root may give groups away. */
static int give(int group_fd, const struct plan *p, struct err *e)
{
	if (!(p->need & NEED_OWNER) || p->cgroup_owner == geteuid())
		return 0;
	return cgroup_chown(group_fd, p->cgroup_owner, (gid_t)-1, e);
}

int home_make(struct home *h, const struct plan *p, const struct cgroup_tree *tree, struct err *e)
{
	if (!h->has_group)
		return 0;
	int r = cgroup_create(tree, &h->group, &p->limits.need, e);
	if (r == 0)
		r = limits_apply_first(h->group.fd, &p->limits, h->group.is_fresh, e);
	return r < 0 ? r : give(h->group.fd, p, e);
}

int home_adopt(struct home *h, const struct plan *p, pid_t pid, const struct cgroup_tree *tree, struct arena *a,
	       struct err *e)
{
	const char *path;
	int r = scope_start(&h->scope, pid, &h->properties, a, &path, e);
	if (r < 0)
		return r;
	const char *slash = strrchr(path, '/');
	h->group = (struct cgroup_group){ .path = path, .keep_len = slash ? (size_t)(slash - path) : 0, .fd = -1 };
	r = h->group.fd = cgroup_open(tree, path, e);
	if (r < 0)
		return r;
	h->has_group = true;
	/* systemd passes down what it knows; the rest (hugetlb, rdma, misc) we enable ourselves. */
	r = cgroup_need_enable(tree, path, NULL, &p->limits.need, e);
	if (r == 0)
		r = limits_apply_first(h->group.fd, &p->limits, false, e);
	return r < 0 ? r : give(h->group.fd, p, e);
}

int home_close(const struct home *h, const struct plan *p, struct err *e)
{
	return h->has_group ? limits_apply_last(h->group.fd, &p->limits, e) : 0;
}

/* ---- the end ---- */

struct cgroup_scope home_scope(const struct state *s)
{
	return (struct cgroup_scope){
		.unit = s->scope, .mark = s->scope_mark ? s->scope_mark : "", .is_user = s->is_scope_user.v,
	};
}

void home_leave(const struct state *s)
{
	struct err e = { 0 };
	const struct cgroup_scope scope = home_scope(s);
	if (!s->scope || scope_stop(&scope, &e) >= 0)
		return;
	/* One that was never started is most likely told of by whoever did not start it. */
	if (s->cgroup)
		log_warn("container %s: %s", s->id, e.text);
	else
		log_info("container %s: %s", s->id, e.text);
}

void home_done(struct home *h)
{
	cgroup_group_done(&h->group);
}
