/* SPDX-License-Identifier: Apache-2.0 */
/* See home.h. */
#include "runtime/home.h"

#include <errno.h>
#include <unistd.h>

#include "runtime/rootless.h"
#include "util/log.h"

int home_place(struct home *h, bool disabled, const struct plan *p, struct cgroup_tree *tree, struct arena *a,
	       struct err *e)
{
	if (disabled) {
		if (p->limits.need.n)
			return err_new(e, EINVAL, "%s: cgroups are disabled (--cgroup-manager disabled)",
				       p->limits.need.v[0].path);
		return 0;
	}
	struct cgroup_place place;
	const struct spec_linux *l = p->spec->linux_;
	bool may_go_without = (p->need & NEED_INSIDE) || rootless_mode() == ROOTLESS_TRUE;
	int r = cgroup_tree_open(tree, e);
	if (r == 0)
		r = cgroup_locate(tree, l ? l->cgroups_path : NULL, p->id, a, &place, e);
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
		r = limits_apply(h->group.fd, &p->limits, h->group.is_fresh, e);
	return r < 0 ? r : give(h->group.fd, p, e);
}

void home_done(struct home *h)
{
	cgroup_group_done(&h->group);
}
