/* SPDX-License-Identifier: Apache-2.0 */
/* plan_open of plan.h, and plan_open_mounts: all on the host that a plan names, as descriptors. Runs in the parent. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ns/kinds.h"
#include "ns/mask.h"
#include "ns/mount.h"
#include "ns/template.h"
#include "ns/userns.h"
#include "runtime/launcher.h"
#include "runtime/plan.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/sys.h"

/* Nothing to be opened beforehand. Not -1, which is -EPERM. */
enum { NO_TREE = INT_MIN };

static int open_root(const struct plan *p, struct err *e)
{
	if (!(p->need & NEED_TREE)) {
		int dir = open(p->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return dir < 0 ? err_sys(e, "root.path %s", p->rootfs) : dir;
	}
	fd_auto int tree = mount_clone(AT_FDCWD, p->rootfs, true, false, e);
	struct stat st;
	if (tree < 0)
		return err_at(e, fd_take(&tree), "root.path");
	if (fstat(tree, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_new(e, ENOTDIR, "root.path %s: not a directory", p->rootfs);
	/*
	 * A shared root is of a peer group of its own, and not of the host's (config-linux.md, "Rootfs Mount Propagation"): it
	 * becomes that after the pivot, which no shared mount can make (pivot_root(2), EINVAL).
	 */
	int r = mount_set_propagation(tree, p->base_propagation ? p->base_propagation : MS_SLAVE, true, e);
	return r < 0 ? err_at(e, r, "root.path %s", p->rootfs) : fd_take(&tree);
}

/* copy-symlink: the target of a source that is a symlink itself. Anything else is bound as ever. */
static int read_link(const char *path, struct arena *a, const char **ret, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));
	if (n < 0 && errno == EINVAL)
		return 0;
	if (n < 0 || n == (ssize_t)sizeof(target))
		return n < 0 ? err_sys(e, "source: %s", path) : err_new(e, ENAMETOOLONG, "source: %s", path);
	*ret = arena_strn(a, target, (size_t)n);
	return 0;
}

/* A user namespace with the maps of a mount: one for this alone, or the one that the container joins. */
static int open_maps(const struct plan *p, const struct plan_mount *m, const struct opened *o, struct err *e)
{
	if (m->uid_maps)
		return userns_make(m->uid_maps, m->gid_maps, e);
	int at = plan_join_of(p, CLONE_NEWUSER);
	if (at < 0 || o->joins[at] < 0)
		return err_new(e, EINVAL, "idmap: needs uidMappings and gidMappings");
	int copy = fcntl(o->joins[at], F_DUPFD_CLOEXEC, 0);
	return copy < 0 ? err_sys(e, "idmap") : copy;
}

static int map_ids(const struct plan *p, const struct plan_mount *m, int tree, const struct opened *o, struct err *e)
{
	fd_auto int userns = open_maps(p, m, o, e);
	int r = userns < 0 ? userns : mount_idmap(tree, userns, m->options.is_ridmap, e);
	if (r == -EINVAL && m->kind == PLAN_NEW)
		return err_new(e, EINVAL, "id-mapped mount: this kernel has none of file system %s", m->type);
	return userns < 0 ? fd_take(&userns) : r;
}

/*
 * A new file system with an id map is made here: the map is of ids of our own user namespace, over which the child, in
 * another, has no rights. mount_setattr(2), "ID-mapped mounts".
 */
static int open_mapped(const struct plan *p, const struct plan_mount *m, const struct opened *o, struct err *e)
{
	struct mount_options options = m->options;
	/* As in the child: read-only comes when all is in it. */
	if (strcmp(m->type, "tmpfs") == 0)
		options.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	fd_auto int tree = mount_new(m->type, m->source, &options, e);
	int r = tree < 0 ? tree : map_ids(p, m, tree, o, e);
	return r < 0 ? (tree < 0 ? fd_take(&tree) : r) : fd_take(&tree);
}

/* A bind's source, relative to the bundle: a detached copy with attributes, propagation and id map set while we may. */
static int open_bind(const struct plan *p, struct plan_mount *m, const struct opened *o, struct arena *a,
		     bool *ret_is_file, struct err *e)
{
	char path[4096];
	int n = m->source[0] == '/' ? snprintf(path, sizeof(path), "%s", m->source)
				    : snprintf(path, sizeof(path), "%s/%s", p->bundle, m->source);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_new(e, ENAMETOOLONG, "source");
	if (m->options.is_copy_symlink) {
		int link = read_link(path, a, &m->link, e);
		if (link < 0 || m->link)
			return link < 0 ? link : NO_TREE;
	}
	fd_auto int tree = mount_clone(AT_FDCWD, path, m->options.is_rbind, m->options.is_src_nofollow, e);
	struct stat st;
	if (tree < 0)
		return err_at(e, fd_take(&tree), "source");
	if (fstat(tree, &st) < 0)
		return err_sys(e, "source %s", path);
	*ret_is_file = !S_ISDIR(st.st_mode);
	int r = p->base_propagation ? mount_set_propagation(tree, p->base_propagation, true, e) : 0;
	if (r == 0)
		r = mount_attributes(tree, &m->options, e);
	if (r == 0)
		r = mount_propagate(tree, &m->options, e);
	if (r == 0 && m->is_idmapped)
		r = map_ids(p, m, tree, o, e);
	return r < 0 ? r : fd_take(&tree);
}

/* Without a cgroup namespace the container sees the host's tree: a mount from the first namespace takes milliseconds. */
static int open_cgroup(const struct plan *p, struct err *e)
{
	if (p->need & NEED_CGROUPNS)
		return NO_TREE;
	struct cgroup_tree cg cgroup_tree_auto = CGROUP_TREE_NONE;
	int r = cgroup_tree_open(&cg, e);
	if (r < 0)
		return r;
	fd_auto int tree = mount_clone(cg.fd, "", false, false, e);
	if (tree >= 0)
		r = mount_set_propagation(tree, MS_PRIVATE, false, e);
	return r < 0 ? r : fd_take(&tree);
}

int plan_open_mounts(const struct plan *p, struct arena *a, struct opened *o, struct err *e)
{
	o->trees = arena_array(a, p->mount_count, sizeof(*o->trees));
	o->is_file = arena_array(a, p->mount_count, sizeof(*o->is_file));
	o->tree_count = p->mount_count;
	memset(o->trees, 0xff, p->mount_count * sizeof(*o->trees));
	for (size_t i = 0; i < p->mount_count; i++) {
		struct plan_mount *m = &p->mounts[i];
		int tree = NO_TREE;
		if (m->kind == PLAN_BIND)
			tree = open_bind(p, m, o, a, &o->is_file[i], e);
		else if (m->kind == PLAN_CGROUP)
			tree = open_cgroup(p, e);
		else if (m->is_idmapped)
			tree = open_mapped(p, m, o, e);
		if (tree < 0 && tree != NO_TREE)
			return err_at(e, tree, "%s", m->where);
		o->trees[i] = tree == NO_TREE ? -1 : tree;
	}
	return 0;
}

static int open_if_it_is(const char *path, const struct dev_node *n, bool is_link)
{
	fd_auto int fd = open(path, O_PATH | O_CLOEXEC | (is_link ? 0 : O_NOFOLLOW));
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	bool is_it = (st.st_mode & S_IFMT) == (n->mode & S_IFMT) && st.st_rdev == makedev(n->major, n->minor);
	return is_it ? fd_take(&fd) : -ENXIO;
}

/* The host's node of a device: at the path that it has in the container, at that of a default device, or udev's link. */
static int find_host_node(const struct dev_node *n, struct err *e)
{
	char link[64];
	int fd = open_if_it_is(n->path, n, false);
	if (fd >= 0)
		return fd;
	for (size_t i = 0; fd < 0 && i < dev_defaults_count; i++)
		if (dev_defaults[i].major == n->major && dev_defaults[i].minor == n->minor)
			fd = open_if_it_is(dev_defaults[i].path, n, false);
	if (fd >= 0)
		return fd;
	snprintf(link, sizeof(link), "/dev/%s/%u:%u", S_ISBLK(n->mode) ? "block" : "char", n->major, n->minor);
	fd = open_if_it_is(link, n, true);
	return fd >= 0 ? fd : err_new(e, ENXIO, "%s %s: in a user namespace the host's node of device %u:%u is bound, and it "
				      "is neither there nor at %s", n->where, n->path, n->major, n->minor, link);
}

/* In a user namespace nobody may make devices: the host's nodes are bound, without setuid and exec. */
static int open_host_nodes(struct plan *p, struct err *e)
{
	if (!(p->need & (NEED_USERNS_ID | NEED_INSIDE)) || !(p->need & NEED_TREE))
		return 0;
	for (size_t i = 0; i < p->node_count; i++) {
		struct dev_node *n = &p->nodes[i];
		if (S_ISFIFO(n->mode))
			continue;
		fd_auto int fd = find_host_node(n, e);
		if (fd < 0)
			return fd_take(&fd);
		n->host_tree = mount_clone(fd, "", false, false, e);
		if (n->host_tree < 0)
			return err_at(e, n->host_tree, "%s", n->where);
		static const struct mount_options safe = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
		int r = mount_attributes(n->host_tree, &safe, e);
		if (r == 0)
			r = mount_set_propagation(n->host_tree, MS_PRIVATE, false, e);
		if (r < 0)
			return err_at(e, r, "%s %s", n->where, n->path);
	}
	return 0;
}

/* Whether a namespace that the config joins is the one in which kist itself is. */
static int is_own_ns(const struct plan_join *join, int ns, struct err *e)
{
	fd_auto int own = ns_open_of(getpid(), join->kind, e);
	struct stat a, b;
	if (own < 0)
		return fd_take(&own);
	if (fstat(ns, &a) < 0 || fstat(own, &b) < 0)
		return err_sys(e, "%s", join->path);
	return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Whose settings a sysctl's first words name; spec_check has seen to it that there is no other. */
static int kind_of_sysctl(const char *key)
{
	static const struct {
		const char *start;
		int kind;
	} rows[] = {
		{ "net", CLONE_NEWNET }, { "user", CLONE_NEWUSER }, { "kernel.domainname", CLONE_NEWUTS },
		{ "kernel/domainname", CLONE_NEWUTS },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strncmp(key, rows[i].start, strlen(rows[i].start)) == 0)
			return rows[i].kind;
	return CLONE_NEWIPC;
}

/* A path may lead to the namespace that kist itself is in: a sysctl there would change the host. */
static int check_sysctls(const struct plan *p, size_t join, int ns, struct err *e)
{
	const struct spec_linux *l = p->spec->linux_;
	for (size_t i = 0; i < l->sysctl.n; i++) {
		if (kind_of_sysctl(l->sysctl.v[i].key) != p->joins[join].kind)
			continue;
		int r = is_own_ns(&p->joins[join], ns, e);
		if (r < 0)
			return r;
		if (r)
			return err_new(e, EPERM, "linux.sysctl %s: %s is the namespace of kist itself, so it would change "
				       "the host", l->sysctl.v[i].key, p->joins[join].path);
	}
	return 0;
}

/* A device is not moved to where it is, and what is set up for the container must not be the host's. */
static int check_net_devices(const struct plan *p, size_t join, int ns, struct err *e)
{
	if (!(p->need & NEED_NETDEV) || p->joins[join].kind != CLONE_NEWNET)
		return 0;
	int r = is_own_ns(&p->joins[join], ns, e);
	return r <= 0 ? r : err_new(e, EINVAL, "linux.netDevices: needs a network namespace of the container's own, and %s is "
				    "that of kist itself", p->joins[join].path);
}

/* A joined user namespace has its maps already: the config may repeat them, but not want others. */
static int check_maps(const struct plan *p, size_t join, int ns, struct err *e)
{
	const struct spec_linux *l = p->spec->linux_;
	if (p->joins[join].kind != CLONE_NEWUSER || !l->uid_mappings.n || !l->gid_mappings.n)
		return 0;
	int r = userns_compare(ns, &l->uid_mappings, &l->gid_mappings, e);
	if (r < 0)
		return err_at(e, r, "linux.namespaces: user: %s", p->joins[join].path);
	log_warn("linux.uidMappings, linux.gidMappings: %s has these maps already", p->joins[join].path);
	return 0;
}

/* Without a template the launcher is a file of our own in memory. */
static int open_launcher(const struct plan *p, struct opened *ret, struct err *e)
{
	if (!(p->need & NEED_PROCESS) || !p->process.launch)
		return 0;
	ret->launcher = launcher_open();
	return ret->launcher < 0 ? err_ret(e, ret->launcher, "launcher") : 0;
}

int plan_open(struct plan *p, int state_root, int own_tree, struct arena *a, struct opened *ret, struct err *e)
{
	*ret = OPENED_NONE;
	const char *mount_label = p->spec->linux_ ? p->spec->linux_->mount_label : NULL;
	if ((p->need & NEED_LABEL) || mount_label) {
		fd_auto int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		int on = lsm_check(host, &p->process.lsm, mount_label, e);
		if (on < 0)
			return on;
	}
	ret->root_tree = own_tree >= 0 ? own_tree : open_root(p, e);
	if (ret->root_tree < 0)
		return ret->root_tree;
	for (size_t i = 0; i < p->join_count; i++) {
		ret->joins[i] = ns_open(p->joins[i].path, p->joins[i].kind, e);
		if (ret->joins[i] < 0)
			return err_at(e, ret->joins[i], "linux.namespaces: %s", ns_kind_find(p->joins[i].kind)->word);
		int same = check_sysctls(p, i, ret->joins[i], e);
		if (same == 0)
			same = check_net_devices(p, i, ret->joins[i], e);
		/* setns(2): the own one cannot be joined again. rootless_enter goes into the one that a config joins. */
		if (same == 0 && p->joins[i].kind == CLONE_NEWUSER && (p->need & NEED_INSIDE))
			same = is_own_ns(&p->joins[i], ret->joins[i], e);
		if (same == 0)
			same = check_maps(p, i, ret->joins[i], e);
		if (same < 0)
			return same;
		if (same > 0)
			fd_drop(&ret->joins[i]);
	}
	int r = 0;
	if (p->need & NEED_TREE)
		r = plan_open_mounts(p, a, ret, e);
	if (r == 0)
		r = open_host_nodes(p, e);
	if (r == 0 && (p->need & NEED_MASK) && (ret->null_tree = mask_open_null(e)) < 0)
		r = ret->null_tree;
	if (r < 0)
		return r;
	if (!(p->need & NEED_TREE))
		return open_launcher(p, ret, e);
	if (ret->null_tree >= 0 && (r = mount_set_propagation(ret->null_tree, MS_PRIVATE, false, e)) < 0)
		return err_at(e, r, "/dev/null");
	/* Hooks count on the host's mounts: their programs and libraries are there, and the root at its own path. */
	if (p->need & (NEED_INSIDE | NEED_HOOKS | NEED_HOSTED))
		return open_launcher(p, ret, e);
	struct err why;
	const struct template_file launcher = { launcher_start, launcher_size };
	ret->template_ns = template_open(state_root, &launcher, &why);
	if (ret->template_ns < 0)
		log_debug("%s; the host's mount namespace is copied instead", why.text);
	return ret->template_ns < 0 ? open_launcher(p, ret, e) : 0;
}

void opened_done(struct opened *o)
{
	fd_drop(&o->root_tree);
	fd_drop(&o->null_tree);
	fd_drop(&o->template_ns);
	fd_drop(&o->launcher);
	for (size_t i = 0; i < ARRAY_LEN(o->joins); i++)
		fd_drop(&o->joins[i]);
	for (size_t i = 0; i < o->tree_count; i++)
		fd_drop(&o->trees[i]);
	o->tree_count = 0;
}
