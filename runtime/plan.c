/* SPDX-License-Identifier: Apache-2.0 */
/* See plan.h. */
#include "runtime/plan.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "ns/kinds.h"
#include "ns/userns.h"
#include "runtime/hooks.h"
#include "runtime/notify.h"
#include "util/log.h"
#include "util/mem.h"

/* Without a mount namespace of its own: whether anything is to be mounted in the one where the container will be. */
static int plan_hosted(const struct spec *spec, const struct plan_options *o, struct plan *p, struct err *e)
{
	const struct spec_linux *l = spec->linux_;
	if (!spec->mounts.n && !(spec->root && spec->root->readonly.v) &&
	    !(l && (l->masked_paths.n || l->readonly_paths.n)))
		return 0;
	/* user_namespaces(7): a new one has no rights over a mount namespace that was there before it. */
	if (p->new_ns & CLONE_NEWUSER)
		return err_new(e, EINVAL, "linux.namespaces: mounts, masked and read-only paths and root.readonly need a "
			       "mount namespace of the container's own beside its user namespace");
	if (o->has_rootfs_tree && !o->rootfs_path)
		return err_new(e, EINVAL, "linux.namespaces: a container of an image needs a mount namespace of its own");
	p->need |= NEED_HOSTED;
	return 0;
}

static int plan_namespaces(const struct spec *spec, const struct plan_options *o, struct plan *p, struct err *e)
{
	const struct spec_namespaces *list = spec->linux_ ? &spec->linux_->namespaces : NULL;
	for (size_t i = 0; list && i < list->n; i++) {
		const struct spec_namespace *ns = &list->v[i];
		if (ns->path) {
			p->joins[p->join_count++] = (struct plan_join){ ns->kind, ns->path };
			p->need |= ns->kind & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWTIME) ? NEED_STAGE : NEED_JOINS;
			p->need |= ns->kind == CLONE_NEWUSER ? NEED_USERNS_ID : 0;
		} else if (ns->kind == CLONE_NEWTIME) {
			p->has_new_time = true;
			p->need |= NEED_STAGE;
		} else if (ns->kind == CLONE_NEWCGROUP) {
			p->need |= NEED_CGROUPNS;
		} else {
			p->new_ns |= (uint64_t)ns->kind;
		}
	}
	if (p->need & NEED_STAGE)
		p->need &= ~(unsigned)NEED_JOINS;
	p->new_ns |= o->adds_userns ? CLONE_NEWUSER : 0;
	p->need |= p->new_ns & CLONE_NEWUSER ? NEED_USERNS | NEED_USERNS_ID : 0;
	p->need |= p->new_ns & CLONE_NEWNET ? NEED_NETWORK : 0;
	p->need |= p->new_ns & CLONE_NEWNS ? NEED_MOUNTNS : NEED_CHROOT;
	p->need |= o->is_inside ? NEED_INSIDE : 0;
	return p->need & NEED_MOUNTNS ? 0 : plan_hosted(spec, o, p, e);
}

int plan_join_of(const struct plan *p, int kind)
{
	for (size_t i = 0; i < p->join_count; i++)
		if (p->joins[i].kind == kind)
			return (int)i;
	return -1;
}

static bool is_cgroup_type(const char *type)
{
	return type && (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0);
}

/* Whether one of the words "a=1,b" begins so. */
static bool has_word(const char *data, const char *start)
{
	for (const char *at = data; (at = strstr(at, start)); at++)
		if (at == data || at[-1] == ',')
			return true;
	return false;
}

static int plan_mount(const struct spec *spec, size_t i, const struct plan *p, struct arena *a, struct plan_mount *m,
		      struct err *e)
{
	const struct spec_mount *s = &spec->mounts.v[i];
	m->where = arena_fmt(a, "mounts[%zu] %s", i, s->destination);
	m->destination = s->destination;
	m->type = s->type ? s->type : "";
	m->source = s->source;
	int r = mount_options_parse(&s->options, a, &m->options, e);
	if (r < 0)
		return err_at(e, r, "mounts[%zu].options", i);
	if (m->options.is_remount)
		m->kind = PLAN_REMOUNT;
	else if (m->options.is_bind)
		m->kind = PLAN_BIND;
	else if (is_cgroup_type(s->type))
		m->kind = PLAN_CGROUP;
	else if (!s->type)
		return err_new(e, EINVAL, "mounts[%zu].type: missing, and the options name neither bind nor rbind", i);
	m->is_mode_kept = m->kind == PLAN_NEW && strcmp(m->type, "tmpfs") == 0 && !has_word(m->options.data, "mode=");
	if (m->kind == PLAN_BIND && (m->options.super_set & ~(unsigned long)(MS_RDONLY | MS_SILENT)))
		log_warn("mounts[%zu].options: sync, dirsync, lazytime, mand and iversion belong to the file system; "
			 "on a bind mount they have no effect", i);
	if (m->kind == PLAN_BIND && *m->options.data)
		log_warn("mounts[%zu].options: %s: belongs to a file system; on a bind mount it has no effect", i,
			 m->options.data);
	/* A label that the mount's own options name comes first. */
	if (m->kind == PLAN_NEW && spec->linux_ && lsm_has_context(m->type) && !strstr(m->options.data, "context="))
		m->options.context = spec->linux_->mount_label;
	if (m->kind == PLAN_BIND && !s->source)
		return err_new(e, EINVAL, "mounts[%zu].source: missing for a bind mount", i);
	if (s->uid_mappings.n) {
		m->uid_maps = &s->uid_mappings;
		m->gid_maps = &s->gid_mappings;
	} else if (m->options.is_idmap && p->uid_maps->n) {
		m->uid_maps = p->uid_maps;
		m->gid_maps = p->gid_maps;
	}
	m->is_idmapped = m->uid_maps || m->options.is_idmap;
	if (m->is_idmapped && m->kind != PLAN_BIND && m->kind != PLAN_NEW)
		return err_new(e, EINVAL, "mounts[%zu]: only a bind mount or a new file system can be id-mapped", i);
	/* A user namespace that is joined has its maps in itself. */
	const struct spec_namespace *user = spec_namespace_find(spec, CLONE_NEWUSER);
	if (m->options.is_idmap && !m->uid_maps && !(user && user->path))
		return err_new(e, EINVAL, "mounts[%zu]: idmap needs uidMappings and gidMappings, or a user namespace", i);
	return 0;
}

/* Where the program finds the socket that notify.h serves; the same place as with runc. */
static void plan_notify(struct plan *p)
{
	p->need |= NEED_NOTIFY;
	p->mounts[p->mount_count++] = (struct plan_mount){
		.where = "NOTIFY_SOCKET " NOTIFY_DIR, .destination = NOTIFY_DIR, .type = "bind", .kind = PLAN_NOTIFY,
		.options = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV },
	};
}

static int plan_mounts(const struct spec *spec, bool is_notified, struct arena *a, struct plan *p, struct err *e)
{
	p->mounts = arena_array(a, spec->mounts.n + 1, sizeof(*p->mounts));
	p->mount_count = spec->mounts.n;
	if (p->need & NEED_TREE)
		p->need |= NEED_DEV;
	for (size_t i = 0; i < spec->mounts.n; i++) {
		int r = plan_mount(spec, i, p, a, &p->mounts[i], e);
		if (r < 0)
			return r;
		if (p->mounts[i].kind == PLAN_BIND && strcmp(p->mounts[i].destination, "/dev") == 0)
			p->need &= ~(unsigned)NEED_DEV;
	}
	if (is_notified && (p->need & NEED_TREE) && spec->process)
		plan_notify(p);
	return 0;
}

static void plan_nodes(const struct spec *spec, struct arena *a, struct plan *p)
{
	const struct spec_devices *list = spec->linux_ ? &spec->linux_->devices : NULL;
	size_t listed = list ? list->n : 0;
	p->nodes = arena_array(a, dev_defaults_count + listed, sizeof(*p->nodes));
	for (size_t i = 0; i < listed; i++) {
		const struct spec_device *d = &list->v[i];
		mode_t type = d->type == 'b' ? S_IFBLK : d->type == 'p' ? S_IFIFO : S_IFCHR;
		p->nodes[p->node_count++] = (struct dev_node){
			.path = d->path, .where = arena_fmt(a, "linux.devices[%zu]", i),
			.mode = type | (d->file_mode.has ? d->file_mode.v & 07777 : 0666),
			.major = (unsigned)d->major.v, .minor = (unsigned)d->minor.v,
			.uid = d->uid.v, .gid = d->gid.v, .host_tree = -1,
		};
	}
	/* A device that the config lists itself is made as it says, not as the default would be. */
	for (size_t i = 0; i < dev_defaults_count; i++) {
		bool is_listed = false;
		for (size_t k = 0; k < listed && !is_listed; k++)
			is_listed = strcmp(list->v[k].path, dev_defaults[i].path) == 0;
		if (!is_listed)
			p->nodes[p->node_count++] = dev_defaults[i];
	}
}

/* setresuid(2) would say no more than "Invalid argument". */
static int check_mapped(const struct spec_id_maps *maps, const char *list, uint32_t id, const char *what, struct err *e)
{
	return userns_to_host(maps, id) < 0 ? err_new(e, EINVAL, "process.user.%s %u: not in %s", what, id, list) : 0;
}

/* Of a namespace that kist adds, no key tells the ids. */
static const char added_uids[] = "the ids that kist has for you: /etc/subuid gives a user more, through newuidmap";
static const char added_gids[] = "the ids that kist has for you: /etc/subgid gives a user more, through newgidmap";

static int check_user(const struct spec *spec, bool is_added, const struct plan *p, struct err *e)
{
	static const struct spec_user root;
	const struct spec_user *u = spec->process->user ? spec->process->user : &root;
	if (!(p->new_ns & CLONE_NEWUSER))
		return 0;
	const char *uids = is_added ? added_uids : "linux.uidMappings";
	const char *gids = is_added ? added_gids : "linux.gidMappings";
	int r = check_mapped(p->uid_maps, uids, u->uid.v, "uid", e);
	if (r == 0)
		r = check_mapped(p->gid_maps, gids, u->gid.v, "gid", e);
	for (size_t i = 0; i < u->additional_gids.n && r == 0; i++) {
		char what[40];
		snprintf(what, sizeof(what), "additionalGids[%zu]", i);
		r = check_mapped(p->gid_maps, gids, u->additional_gids.v[i], what, e);
	}
	return r;
}

static int plan_process(const struct spec *spec, const struct plan_options *o, struct arena *a, struct plan *p,
			struct err *e)
{
	if (!spec->process)
		return 0;
	p->need |= NEED_PROCESS | (spec->process->terminal.v ? NEED_TERMINAL : 0);
	const struct spec_seccomp *seccomp = spec->linux_ ? spec->linux_->seccomp : NULL;
	int r = check_user(spec, o->adds_userns, p, e);
	if (r < 0)
		return r;
	r = process_plan(spec->process, seccomp, p->need & NEED_USERNS_ID, o->has_cache ? o->state_root : -1, a, &p->process,
			 e);
	if (r == 0)
		r = process_annotated(&p->process, spec, e);
	p->process.preserve_fds = o->preserve_fds;
	attrs_plan(spec->process, spec->linux_, false, a, &p->process.attrs);
	if (r == 0 && o->listen_fds)
		process_listen(&p->process, o->listen_fds, o->listen_names, a);
	if (r == 0 && (p->need & NEED_NOTIFY))
		process_set_env(&p->process, "NOTIFY_SOCKET=" NOTIFY_DIR "/" NOTIFY_NAME, a);
	p->need |= lsm_is_used(&p->process.lsm) ? NEED_LABEL : 0;
	return r == 0 && o->is_setgroups_denied ? process_keep_groups(&p->process, e) : r;
}

/*
 * config-linux.md "Cgroup ownership": with a cgroup namespace of its own and a tree that is mounted for writing, the
 * group belongs to who runs in it. Of a joined user namespace whose maps the config does not tell, nobody knows who
 * that is on the host.
 */
static void plan_owner(const struct spec *spec, struct plan *p)
{
	const struct plan_mount *tree = NULL;
	for (size_t i = 0; i < p->mount_count; i++)
		if (strcmp(p->mounts[i].destination, "/sys/fs/cgroup") == 0)
			tree = &p->mounts[i];
	if (!(p->need & NEED_CGROUPNS) || !tree || tree->kind != PLAN_CGROUP ||
	    ((tree->options.attr_set | tree->options.rec_set) & MOUNT_ATTR_RDONLY) || (tree->options.super_set & MS_RDONLY))
		return;
	uint32_t uid = spec->process && spec->process->user ? spec->process->user->uid.v : 0;
	int64_t host = p->need & NEED_USERNS_ID ? userns_to_host(p->uid_maps, uid) : uid;
	if (host <= 0)
		return;
	p->cgroup_owner = (uid_t)host;
	p->need |= NEED_OWNER;
}

/* What runc does with copies of host trees: they follow the host's later mounts, unless the config says else. */
static unsigned long base_propagation(const struct spec_linux *l)
{
	int propagation = l ? l->rootfs_propagation & ~MS_REC : 0;
	return propagation == MS_SHARED ? 0 : propagation == MS_PRIVATE ? MS_PRIVATE : MS_SLAVE;
}

/* The spec's maps, or what rootless_plan has made of them. */
static void set_maps(const struct spec_linux *l, const struct plan_options *o, struct plan *p)
{
	static const struct spec_id_maps no_maps;
	p->uid_maps = o->uid_maps ? o->uid_maps : l ? &l->uid_mappings : &no_maps;
	p->gid_maps = o->gid_maps ? o->gid_maps : l ? &l->gid_mappings : &no_maps;
}

int plan_make_mounts(const struct spec *spec, const struct plan_options *o, struct arena *a, struct plan *ret,
		     struct err *e)
{
	*ret = (struct plan){
		.spec = spec, .bundle = o->bundle, .base_propagation = base_propagation(spec->linux_),
	};
	set_maps(spec->linux_, o, ret);
	int r = plan_namespaces(spec, o, ret, e);
	return r < 0 ? r : plan_mounts(spec, false, a, ret, e);
}

static void plan_hooks(const struct spec_hooks *h, struct arena *a, struct plan *p)
{
	if (h->prestart.n || h->create_runtime.n || h->create_container.n)
		p->need |= NEED_HOOKS;
	if (h->start_container.n && (p->need & NEED_PROCESS)) {
		p->need |= NEED_START_HOOKS;
		hooks_plan(h, a, p);
	}
}

int plan_make(const struct spec *spec, const struct plan_options *o, struct arena *a, struct plan *ret, struct err *e)
{
	*ret = (struct plan){ .spec = spec, .id = o->id, .bundle = o->bundle, .is_no_pivot = o->is_no_pivot };
	const struct spec_linux *l = spec->linux_;
	set_maps(l, o, ret);
	int r = plan_namespaces(spec, o, ret, e);
	if (r == 0)
		r = plan_mounts(spec, o->is_notified, a, ret, e);
	if (r == 0)
		r = plan_process(spec, o, a, ret, e);
	if (r == 0)
		r = limits_plan(l ? l->resources : NULL, "linux.resources.", a, &ret->limits, e);
	if (r < 0)
		return r;
	plan_nodes(spec, a, ret);
	plan_owner(spec, ret);
	if (!o->has_rootfs_tree)
		ret->rootfs = spec->root->path[0] == '/' ? spec->root->path
							 : arena_fmt(a, "%s/%s", o->bundle, spec->root->path);
	if (spec->hooks)
		plan_hooks(spec->hooks, a, ret);
	if (ret->need & (NEED_HOOKS | NEED_HOSTED))
		ret->root_place = ret->rootfs ? ret->rootfs : o->rootfs_path;
	ret->need |= spec->hostname || spec->domainname ? NEED_NAMES : 0;
	ret->need |= o->is_no_keyring ? 0 : NEED_KEYRING;
	ret->need |= spec->root && spec->root->readonly.v ? NEED_READONLY : 0;
	ret->need |= l && l->sysctl.n ? NEED_SYSCTL : 0;
	ret->need |= l && l->net_devices.n ? NEED_NETDEV : 0;
	ret->need |= l && (l->masked_paths.n || l->readonly_paths.n) ? NEED_MASK : 0;
	ret->need |= l && l->rootfs_propagation ? NEED_PROPAGATE : 0;
	ret->base_propagation = base_propagation(l);
	static const struct spec_device_rules none;
	return devices_build(l && l->resources ? &l->resources->devices : &none, true, "linux.resources.", a,
			     &ret->devices, e);
}
