/* SPDX-License-Identifier: Apache-2.0 */
/* See hosted.h. */
#include "runtime/hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "ns/kinds.h"
#include "ns/template.h"
#include "runtime/live_record.h"
#include "runtime/mount_table.h"
#include "util/fd.h"
#include "util/mem.h"

enum { MOUNTINFO_MAX = 16 << 20 };

int hosted_note(const struct plan *p, const struct opened *o, struct state *s, struct err *e)
{
	struct live_id id;
	bool is_root;
	int r = live_id_of(o->root_tree, &id, &is_root);
	if (r < 0)
		return err_ret(e, r, "root.path %s", p->root_place);
	s->hosted_mount = (struct opt_u64){ true, id.number };
	s->hosted_inode = (struct opt_u64){ true, id.inode };
	s->hosted_at = p->root_place;
	int at = plan_join_of(p, CLONE_NEWNS);
	s->hosted_ns = at < 0 ? NULL : p->joins[at].path;
	return 0;
}

/* Whether more than one mount lies on a directory. */
static bool is_stacked(const char *dir)
{
	free_auto char *text = NULL;
	arena_auto struct arena a = { 0 };
	struct mount_table all;
	int found = 0;
	if (file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, false, &text, NULL) < 0)
		return false;
	mount_table_parse(text, &a, &all);
	for (size_t i = 0; i < all.n; i++)
		found += strcmp(all.v[i].point, dir) == 0;
	return found > 1;
}

/* The number tells our mount from another that somebody has put there meanwhile. */
static int take_away(const struct state *s, struct err *e)
{
	fd_auto int fd = open(s->hosted_at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct live_id id;
	bool is_root;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "root %s", s->hosted_at);
	int r = live_id_of(fd, &id, &is_root);
	if (r < 0)
		return err_ret(e, r, "root %s", s->hosted_at);
	if (!is_root)
		return 0;
	if (id.number != s->hosted_mount.v || id.inode != s->hosted_inode.v)
		return !is_stacked(s->hosted_at) ? 0 :
		       err_new(e, EBUSY, "root %s: another mount lies over the container's: unmount it first", s->hosted_at);
	/* By no path: /proc, through which a descriptor has a name, may be the container's word. */
	fd_auto int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fchdir(fd) < 0 || umount2(".", MNT_DETACH) < 0)
		r = err_sys(e, "unmount root %s", s->hosted_at);
	if (before >= 0 && fchdir(before) < 0 && r == 0)
		r = err_sys(e, "working directory");
	return r;
}

int hosted_remove(const struct state *s, struct err *e)
{
	if (!s->hosted_mount.has || !s->hosted_at)
		return 0;
	if (!s->hosted_ns)
		return take_away(s, e);
	struct err why;
	fd_auto int ns = ns_open(s->hosted_ns, CLONE_NEWNS, &why);
	/* Its name has gone: with the namespace, or to be reached by nobody. */
	if (ns < 0)
		return 0;
	struct mount_hop hop;
	int r = template_enter(ns, &hop, e);
	if (r < 0)
		return r;
	r = take_away(s, e);
	int back = template_leave(&hop, &why);
	if (back < 0 && r == 0)
		*e = why;
	return r < 0 ? r : back;
}
