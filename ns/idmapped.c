/* SPDX-License-Identifier: Apache-2.0 */
/* See idmapped.h. */
#include "ns/idmapped.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "ns/lend.h"
#include "ns/mount.h"
#include "ns/userns.h"
#include "util/fd.h"
#include "util/mem.h"
#include "util/sys.h"

/* A detached copy of a directory's mount with the map. mount_setattr(2): EINVAL is a file system that has no maps. */
static int map_one(int dir, int userns, struct err *e)
{
	fd_auto int mnt = mount_clone(dir, "", false, false, e);
	/* Before Linux 6.15 a mount that is attached nowhere cannot be copied. It is ours alone, and mapped itself. */
	if (mnt == -EINVAL)
		mnt = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	if (mnt < 0)
		return fd_take(&mnt);
	int r = mount_idmap(mnt, userns, false, e);
	if (r == -EINVAL)
		return err_new(e, EOPNOTSUPP, "id-mapped layers: the file system of the store has none on this kernel");
	return r < 0 ? r : fd_take(&mnt);
}

struct mapped {
	int *lower;
	size_t n;
	int own, upper, work; /* own: the mount that both others lie on */
	uid_t uid;            /* of the host: in the map */
	gid_t gid;
	unsigned flags;       /* of the overlay */
};

static void mapped_done(struct mapped *m)
{
	while (m->n > 0)
		fd_close(m->lower[--m->n]);
	free(m->lower);
	fd_drop(&m->own);
	fd_drop(&m->upper);
	fd_drop(&m->work);
}

#define mapped_auto __attribute__((cleanup(mapped_done)))

static int open_own(struct mapped *m, int dir, int userns, struct err *e)
{
	m->own = map_one(dir, userns, e);
	if (m->own < 0)
		return m->own;
	m->upper = openat(m->own, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	m->work = openat(m->own, "work", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return m->upper < 0 || m->work < 0 ? err_sys(e, "upper and work directories") : 0;
}

/*
 * overlayfs makes files of its own (the work directory, copies on their way up) as whoever has mounted it, and host's root
 * has no id in the map. So a helper process mounts it whose files are those of a mapped id, with all capabilities.
 * setfsuid(2), capabilities(7) "Effect of user ID changes on capabilities".
 */
static int take_ids(const struct mapped *m)
{
	cap_t all = cap_get_proc();
	setfsuid(m->uid);
	setfsgid(m->gid);
	int r = all && cap_set_proc(all) == 0 && setfsuid((uid_t)-1) == (int)m->uid ? 0 : -EPERM;
	cap_free(all);
	return r;
}

/*
 * Before Linux 6.15 overlayfs takes no layers that are mounted nowhere: they are attached in a mount namespace of the
 * helper's, all on one place, and so is the overlay.
 */
static int make_attached(const struct mapped *m)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	for (size_t i = 0; i <= m->n; i++)
		if (move_mount(i < m->n ? m->lower[i] : m->own, "", AT_FDCWD, "/dev", MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return -errno;
	return mount_overlay_attached(m->lower, m->n, m->upper, m->work, m->flags);
}

/* The mount is left in the descriptor table that the helper shares with us. */
static int help(const void *ctx)
{
	const struct mapped *m = ctx;
	struct err ignored;
	int fd = take_ids(m);
	if (fd == 0)
		fd = mount_overlay(m->lower, m->n, m->upper, m->work, m->flags, &ignored);
	if (fd < 0 && fd != -EPERM)
		fd = make_attached(m);
	return fd;
}

static int mount_mapped(const struct mapped *m, struct err *e)
{
	int fd = lend_fd(0, help, m);

	if (fd == -EINVAL)
		return err_new(e, EOPNOTSUPP, "overlay of id-mapped layers: this kernel has none, Linux 5.19 and later have");
	return fd < 0 ? err_ret(e, fd, "overlay of %zu id-mapped layers", m->n) : fd;
}

int idmapped_overlay(const int *lower, size_t n, int dir, const struct spec_id_maps *uids, const struct spec_id_maps *gids,
		     unsigned flags, struct err *e)
{
	struct mapped m mapped_auto = { .lower = mem_alloc((n + 1) * sizeof(*m.lower)), .own = -1, .upper = -1, .work = -1,
					.uid = uids->v[0].host_id.v, .gid = gids->v[0].host_id.v };
	fd_auto int userns = userns_make(uids, gids, e);
	if (userns < 0)
		return err_at(e, fd_take(&userns), "id-mapped layers");
	for (int fd; m.n < n; m.lower[m.n++] = fd)
		if ((fd = map_one(lower[m.n], userns, e)) < 0)
			return fd;
	int r = open_own(&m, dir, userns, e);
	/* All of these are attached nowhere, which make_attached sees to. */
	m.flags = flags & ~(unsigned)OVERLAY_UNATTACHED;
	return r < 0 ? r : mount_mapped(&m, e);
}
