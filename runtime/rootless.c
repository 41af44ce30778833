/* SPDX-License-Identifier: Apache-2.0 */
/* See rootless.h. Source: user_namespaces(7). */
#include "runtime/rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ns/enter.h"
#include "ns/subid.h"
#include "runtime/launcher.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/proc.h"

/* Says to the second kist what the first has done. It counts only inside of a user namespace. */
#define ENTERED "KIST_ROOTLESS"

static enum rootless_mode mode_asked;

void rootless_set(enum rootless_mode mode)
{
	mode_asked = mode;
}

enum rootless_mode rootless_mode(void)
{
	return mode_asked;
}

static bool has_entered(void)
{
	const char *word = getenv(ENTERED);
	return word && strcmp(word, "entered") == 0 && proc_is_in_userns();
}

/* Executed by way of /proc/self/exe, we would be "exe" in the lists of processes. */
static void take_name(void)
{
	if (has_entered())
		prctl(PR_SET_NAME, "kist");
}

/* ---- into the namespace ---- */

struct entry {
	struct spec_id_maps uids, gids;
	const char *uid_tool, *gid_tool; /* NULL: only the own ids */
};

static struct spec_id_maps one_id(uint32_t own, struct arena *a)
{
	struct spec_id_maps maps = { .v = arena_array(a, 1, sizeof(*maps.v)), .n = 1 };
	maps.v[0] = (struct spec_id_map){ { true, 0 }, { true, own }, { true, 1 } };
	return maps;
}

static bool is_own_only(const struct spec_id_maps *maps, uint32_t own)
{
	for (size_t i = 0; i < maps->n; i++)
		if (maps->v[i].size.v != 1 || maps->v[i].host_id.v != own)
			return false;
	return true;
}

/* An option of a file system that names another id than 0, such as the gid=5 of devpts. */
static const char *other_id(const struct spec_mount *m)
{
	for (size_t i = 0; i < m->options.n; i++) {
		const char *o = m->options.v[i];
		if ((strncmp(o, "uid=", 4) == 0 || strncmp(o, "gid=", 4) == 0) && strcmp(o + 4, "0") != 0)
			return o;
	}
	return NULL;
}

/* What in a config that names no user namespace needs another id than 0: in the arena, or NULL. */
static const char *what_needs_ids(const struct spec *spec, struct arena *a)
{
	const struct spec_user *u = spec->process ? spec->process->user : NULL;
	if (u && (u->uid.v || u->gid.v || u->additional_gids.n))
		return "process.user";
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const char *option = other_id(&spec->mounts.v[i]);
		if (option)
			return arena_fmt(a, "mounts[%zu] %s", i, option);
	}
	return NULL;
}

static int find_all(struct entry *en, struct arena *a, struct err *e)
{
	int r = subid_maps(a, &en->uids, &en->gids, e);
	if (r < 0)
		return r;
	en->uid_tool = enter_find_tool("newuidmap", a);
	en->gid_tool = enter_find_tool("newgidmap", a);
	if (en->uid_tool && en->gid_tool)
		return 0;
	return err_new(e, ENOENT,
		       "%s: not installed, and only it can give a user more ids than the own one: install the "
		       "package uidmap (shadow-utils)",
		       en->uid_tool ? "newgidmap" : "newuidmap");
}

static int decide(const struct spec *spec, struct entry *en, struct arena *a, struct err *e)
{
	const struct spec_linux *l = spec ? spec->linux_ : NULL;
	const struct spec_namespace *ns = spec ? spec_namespace_find(spec, CLONE_NEWUSER) : NULL;
	bool is_small = ns && is_own_only(&l->uid_mappings, geteuid()) && is_own_only(&l->gid_mappings, getegid());
	const char *needs = ns	   ? "linux.uidMappings, linux.gidMappings: ids other than the own one"
			    : spec ? what_needs_ids(spec, a)
				   : NULL;
	int r = is_small ? -ENOENT : find_all(en, a, e);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0 && !is_small && needs)
		return err_at(e, r, "%s", needs);
	if (r == 0)
		return 0;
	if (!is_small)
		log_info("%s; only the own id is mapped", e->text);
	err_clear(e);
	*en = (struct entry){ .uids = one_id(geteuid(), a), .gids = one_id(getegid(), a) };
	return 0;
}

/* Executed anew, our memory belongs to the namespace too, and with it our files in /proc. */
static int start_again(struct err *e)
{
	char **argv;
	int r = launcher_own_arguments(&argv, e);
	if (r < 0)
		return r;
	if (setenv(ENTERED, "entered", 1) < 0)
		return err_sys(e, "environment");
	execv("/proc/self/exe", argv);
	return err_sys(e, "own program: execute it in its user namespace");
}

/* A namespace that the configuration joins lies beside any that we could make: we go into it ourselves. */
static int enter_joined(const char *path, struct err *e)
{
	fd_auto int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "linux.namespaces: user %s", path);
	int r = enter_given(fd, e);
	return r < 0 ? err_at(e, r, "linux.namespaces: %s", path) : start_again(e);
}

int rootless_enter(const struct spec *spec, struct err *e)
{
	if (getauxval(AT_EUID) == 0) {
		take_name();
		return proc_is_in_userns() ? enter_own_mounts(e) : 0;
	}
	if (mode_asked == ROOTLESS_FALSE)
		return 0;
	const struct spec_namespace *ns = spec ? spec_namespace_find(spec, CLONE_NEWUSER) : NULL;
	if (ns && ns->path)
		return enter_joined(ns->path, e);
	arena_auto struct arena a = { 0 };
	struct entry en = { 0 };
	int r = decide(spec, &en, &a, e);
	if (r == 0)
		r = enter_new(&en.uids, &en.gids, en.uid_tool, en.gid_tool, e);
	return r < 0 ? r : start_again(e);
}

int rootless_join(pid_t pid, bool has_userns, struct err *e)
{
	char path[40];
	struct stat there, here;
	if (getauxval(AT_EUID) == 0)
		take_name();
	if (getauxval(AT_EUID) == 0 || mode_asked == ROOTLESS_FALSE)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd_auto int own = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	fd_auto int fd = own < 0 ? -1 : has_userns ? ioctl(own, NS_GET_PARENT) : fd_take(&own);
	if (fd < 0 || fstat(fd, &there) < 0 || stat("/proc/self/ns/user", &here) < 0)
		return err_sys(e, "user namespace of the container");
	if (there.st_ino == here.st_ino && there.st_dev == here.st_dev)
		return 0;
	int r = enter_given(fd, e);
	return r < 0 ? r : start_again(e);
}

/* ---- in the namespace ---- */

static const struct spec_id_map *find_row(const struct spec_id_maps *outer, uint32_t host_id)
{
	for (size_t i = 0; i < outer->n; i++)
		if (host_id >= outer->v[i].host_id.v && host_id - outer->v[i].host_id.v < outer->v[i].size.v)
			return &outer->v[i];
	return NULL;
}

/* "1000, 100000 to 165535": at most a few of them. */
static void name_ranges(const struct spec_id_maps *outer, struct str *out)
{
	for (size_t i = 0; i < outer->n && i < 4; i++) {
		uint32_t first = outer->v[i].host_id.v, size = outer->v[i].size.v;
		str_fmt(out, "%s%u", i ? ", " : "", first);
		if (size > 1)
			str_fmt(out, " to %u", first + size - 1);
	}
	if (outer->n > 4)
		str_puts(out, ", ...");
}

int rootless_translate(const struct spec_id_maps *maps, const struct spec_id_maps *outer, const char *key,
		       const char *file, struct arena *a, struct spec_id_maps *ret, struct err *e)
{
	/* Each line may be cut where a line of the outer map begins. */
	*ret = (struct spec_id_maps){ .v = arena_array(a, maps->n + maps->n * outer->n, sizeof(*ret->v)) };
	for (size_t i = 0; i < maps->n; i++) {
		uint32_t inside = maps->v[i].container_id.v, host = maps->v[i].host_id.v, left = maps->v[i].size.v;
		while (left) {
			const struct spec_id_map *o = find_row(outer, host);
			if (!o) {
				str_auto struct str have = STR_MAX(256);
				name_ranges(outer, &have);
				return err_new(e, EINVAL,
					       "linux.%s[%zu]: host id %u is not among those that you may use: "
					       "%s (%s)",
					       key, i, host, have.p ? have.p : "none", file);
			}
			uint32_t skip = host - o->host_id.v, room = o->size.v - skip,
				 size = left < room ? left : room;
			ret->v[ret->n++] = (struct spec_id_map){
				{ true, inside },
				{ true, o->container_id.v + skip },
				{ true, size },
			};
			inside += size;
			host += size;
			left -= size;
		}
	}
	return 0;
}

/* Every id of ours, as itself. */
static struct spec_id_maps *same_ids(const struct spec_id_maps *outer, struct arena *a)
{
	struct spec_id_maps *maps = arena_new(a, struct spec_id_maps);
	maps->v = arena_array(a, outer->n, sizeof(*maps->v));
	maps->n = outer->n;
	for (size_t i = 0; i < outer->n; i++) {
		maps->v[i] = outer->v[i];
		maps->v[i].host_id = outer->v[i].container_id;
	}
	return maps;
}

static int plan_maps(const struct spec_linux *l, bool is_new, bool has_host_ids, struct arena *a,
		     struct plan_options *o, struct err *e)
{
	struct spec_id_maps uids, gids;
	struct spec_id_maps *to = arena_array(a, 2, sizeof(*to));
	int r = enter_read_map("/proc/self/uid_map", a, &uids, e);
	if (r == 0)
		r = enter_read_map("/proc/self/gid_map", a, &gids, e);
	if (r < 0)
		return r;
	if (!is_new) {
		o->adds_userns = true;
		o->uid_maps = same_ids(&uids, a);
		o->gid_maps = same_ids(&gids, a);
		return 0;
	}
	if (!has_host_ids) {
		uids = *same_ids(&uids, a);
		gids = *same_ids(&gids, a);
	}
	r = rootless_translate(&l->uid_mappings, &uids, "uidMappings", "/etc/subuid", a, &to[0], e);
	if (r == 0)
		r = rootless_translate(&l->gid_mappings, &gids, "gidMappings", "/etc/subgid", a, &to[1], e);
	o->uid_maps = &to[0];
	o->gid_maps = &to[1];
	return r;
}

int rootless_plan(const struct spec *spec, bool has_host_ids, struct arena *a, struct plan_options *o, struct err *e)
{
	o->is_inside = proc_is_in_userns();
	if (!o->is_inside)
		return 0;
	o->is_setgroups_denied = enter_is_setgroups_denied();
	const struct spec_namespace *ns = spec_namespace_find(spec, CLONE_NEWUSER);
	if (!has_entered() || (ns && ns->path))
		return 0;
	return plan_maps(spec->linux_, ns, has_host_ids, a, o, e);
}
