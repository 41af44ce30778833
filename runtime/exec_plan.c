/* SPDX-License-Identifier: Apache-2.0 */
/* See exec_plan.h. */
#include "runtime/exec_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/freeze.h"
#include "cgroup/group.h"
#include "ns/enter.h"
#include "ns/userns.h"
#include "runtime/user.h"
#include "spec/check.h"
#include "spec/load.h"
#include "util/fd.h"
#include "util/proc.h"

void exec_done(struct exec *x)
{
	state_close(&x->dir);
	state_done(&x->state);
	spec_done(&x->spec);
	arena_done(&x->arena);
	cgroup_tree_done(&x->tree);
	fd_drop(&x->group);
	fd_drop(&x->console);
	fd_drop(&x->pidfd_socket);
	fd_drop(&x->target);
	fd_drop(&x->root);
	listener_done(&x->listener);
}

int exec_find(struct exec *x, struct err *e)
{
	fd_auto int root = state_open_root(x->rq->state_root, true, e);
	int r = root < 0 ? root : state_open(root, x->rq->id, false, &x->dir, e);
	if (r == 0)
		r = state_read(&x->dir, &x->state, e);
	if (r < 0)
		return r;
	int status = state_status(&x->dir, &x->state, &x->target);
	if (status < 0)
		return err_ret(e, status, "process %d", x->state.pid.v);
	if (status == STATUS_RUNNING)
		return spec_load_file(x->dir.fd, "config.json", &x->spec, e);
	return err_new(e, ESRCH, "container not running: it is %s", state_word(status));
}

/* Environment of the container, then what -e says: the last of a name wins (process_plan). */
static void add_env(struct exec *x)
{
	const struct strs *base = &x->process.env;
	size_t more = 0;
	while (x->rq->env && x->rq->env[more])
		more++;
	struct strs all = { .v = arena_array(&x->arena, base->n + more + 1, sizeof(char *)), .n = base->n + more };
	memcpy(all.v, base->v, base->n * sizeof(char *));
	if (more)
		memcpy(all.v + base->n, x->rq->env, more * sizeof(char *));
	x->process.env = all;
}

static void add_words(struct arena *a, struct strs *set, const char *const *words)
{
	size_t more = 0;
	while (words[more])
		more++;
	struct strs all = { .v = arena_array(a, set->n + more + 1, sizeof(char *)), .n = set->n + more };
	memcpy(all.v, set->v, set->n * sizeof(char *));
	memcpy(all.v + set->n, words, more * sizeof(char *));
	*set = all;
}

/*
 * What runc does: --cap adds to the bounding, effective and permitted sets, and to the ambient one where the container
 * has inheritable ones, without which it could not be. capabilities(7).
 */
static void add_caps(struct exec *x)
{
	struct spec_capabilities *c = arena_new(&x->arena, struct spec_capabilities);
	if (x->process.capabilities)
		*c = *x->process.capabilities;
	add_words(&x->arena, &c->bounding, x->rq->caps);
	add_words(&x->arena, &c->effective, x->rq->caps);
	add_words(&x->arena, &c->permitted, x->rq->caps);
	if (c->inheritable.n)
		add_words(&x->arena, &c->ambient, x->rq->caps);
	x->process.capabilities = c;
}

static int set_user(struct exec *x, struct err *e)
{
	struct spec_user *u = arena_new(&x->arena, struct spec_user);
	if (x->process.user)
		*u = *x->process.user;
	x->process.user = u;
	if (x->rq->user) {
		char path[40];
		snprintf(path, sizeof(path), "/proc/%d/root", x->state.pid.v);
		fd_auto int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct user found;
		int r = root < 0 ? err_sys(e, "root of the container") : user_find(root, x->rq->user, &x->arena, &found, e);
		if (r < 0)
			return r;
		u->uid = (struct opt_u32){ .has = true, .v = found.uid };
		u->gid = (struct opt_u32){ .has = true, .v = found.gid };
		u->additional_gids = (struct u32s){ .v = (uint32_t *)(uintptr_t)found.groups, .n = found.group_count };
	}
	size_t n = u->additional_gids.n;
	uint32_t *gids = arena_array(&x->arena, n + x->rq->gid_count, sizeof(*gids));
	if (n)
		memcpy(gids, u->additional_gids.v, n * sizeof(*gids));
	if (x->rq->gid_count)
		memcpy(gids + n, x->rq->gids, x->rq->gid_count * sizeof(*gids));
	u->additional_gids = (struct u32s){ .v = gids, .n = n + x->rq->gid_count };
	return 0;
}

static int from_options(struct exec *x, struct err *e)
{
	const struct exec_request *rq = x->rq;
	if (!x->spec.process)
		return err_new(e, EINVAL, "process: the container has none, so --process is needed");
	x->process = *x->spec.process;
	x->process.console_size = NULL;
	size_t n = 0;
	while (rq->args && rq->args[n])
		n++;
	if (n == 0)
		return err_new(e, EINVAL, "no command given");
	x->process.args = (struct strs){ .v = (const char **)(uintptr_t)rq->args, .n = n };
	if (rq->cwd)
		x->process.cwd = rq->cwd;
	x->process.terminal = (struct opt_bool){ .has = true, .v = rq->has_terminal && rq->is_terminal };
	if (rq->has_no_new_privs)
		x->process.no_new_privileges = (struct opt_bool){ .has = true, .v = rq->is_no_new_privs };
	add_env(x);
	if (rq->caps)
		add_caps(x);
	int r = set_user(x, e);
	return r < 0 ? r : spec_check_process(&x->process, e);
}

static int from_file(struct exec *x, struct err *e)
{
	free_auto char *bytes = NULL;
	struct spec_process *p;
	const char *origin;
	size_t len;
	int r = spec_read_given(x->rq->process_file, &origin, &bytes, &len, e);
	if (r < 0)
		return r;
	r = spec_load_process(bytes, len, origin, &x->arena, &p, e);
	if (r < 0)
		return err_at(e, r, "%s", origin);
	x->process = *p;
	if (x->rq->has_terminal)
		x->process.terminal = (struct opt_bool){ .has = true, .v = x->rq->is_terminal };
	return 0;
}

static void set_labels(struct exec *x)
{
	if (x->rq->apparmor)
		x->process.apparmor_profile = x->rq->apparmor;
	if (x->rq->selinux)
		x->process.selinux_label = x->rq->selinux;
}

static int check_labels(const struct exec *x, struct err *e)
{
	fd_auto int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return lsm_check(host, &x->plan.lsm, NULL, e);
}

static void set_root_ids(struct exec *x, const struct spec_linux *l)
{
	char path[40];
	bool is_given = l && l->uid_mappings.n && !x->state.is_userns.v;
	if (!(x->ns & CLONE_NEWUSER))
		return;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", x->state.pid.v);
	x->root_uid = is_given ? userns_first(&l->uid_mappings) : userns_first_of(path);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", x->state.pid.v);
	x->root_gid = is_given ? userns_first(&l->gid_mappings) : userns_first_of(path);
}

static bool has_ptrace(const struct spec_process *p)
{
	const struct spec_capabilities *c = p ? p->capabilities : NULL;
	int ptrace = caps_number("cap_sys_ptrace");
	for (size_t i = 0; c && i < c->bounding.n; i++)
		if (caps_number(c->bounding.v[i]) == ptrace)
			return true;
	for (size_t i = 0; c && i < c->permitted.n; i++)
		if (caps_number(c->permitted.v[i]) == ptrace)
			return true;
	return false;
}

int exec_plan(struct exec *x, struct err *e)
{
	const struct spec_linux *l = x->spec.linux_;
	int r = x->rq->process_file ? from_file(x, e) : from_options(x, e);
	for (size_t i = 0; l && i < l->namespaces.n; i++)
		x->ns |= l->namespaces.v[i].kind;
	x->ns |= x->state.is_userns.v ? CLONE_NEWUSER : 0;
	set_root_ids(x, l);
	set_labels(x);
	if (r == 0)
		r = process_plan(&x->process, l ? l->seccomp : NULL, x->ns & CLONE_NEWUSER, x->dir.root, &x->arena, &x->plan,
				 e);
	if (r == 0)
		r = process_annotated(&x->plan, &x->spec, e);
	if (r == 0 && lsm_is_used(&x->plan.lsm))
		r = check_labels(x, e);
	if (r == 0 && proc_is_in_userns() && enter_is_setgroups_denied())
		r = process_keep_groups(&x->plan, e);
	if (r < 0)
		return r;
	x->plan.preserve_fds = x->rq->preserve_fds;
	r = process_check_preserved(&x->plan, e);
	if (r < 0)
		return r;
	attrs_plan(&x->process, l, true, &x->arena, &x->plan.attrs);
	if (x->plan.is_terminal && x->rq->rows && x->rq->columns) {
		x->plan.rows = x->rq->rows;
		x->plan.columns = x->rq->columns;
	}
	if (x->ns & CLONE_NEWUSER)
		return 0;
	x->is_guarded = x->state.is_traced.v || has_ptrace(x->spec.process);
	x->is_tracer = !x->is_guarded && has_ptrace(&x->process);
	return 0;
}

int exec_note_tracer(struct exec *x, struct err *e)
{
	if (!x->is_tracer)
		return 0;
	struct state_dir dir = STATE_DIR_NONE;
	struct state now;
	int r = state_open(x->dir.root, x->rq->id, true, &dir, e);
	if (r < 0)
		return r;
	r = state_read(&dir, &now, e);
	if (r == 0) {
		now.is_traced = (struct opt_bool){ true, true };
		r = state_write(&dir, &now, e);
		state_done(&now);
	}
	state_close(&dir);
	return r;
}

bool exec_has_userns(const struct exec *x)
{
	return x->state.is_userns.v || spec_namespace_find(&x->spec, CLONE_NEWUSER);
}

int exec_open_root(struct exec *x, struct err *e)
{
	const struct spec_linux *l = x->spec.linux_;
	for (size_t i = 0; l && i < l->namespaces.n; i++)
		if (l->namespaces.v[i].kind == CLONE_NEWNS && !l->namespaces.v[i].path)
			return 0;
	char path[40];
	snprintf(path, sizeof(path), "/proc/%d/root", x->state.pid.v);
	x->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (x->root < 0)
		return err_sys(e, "root of the container");
	/* It lives, so the number was its and not that of another process. */
	int r = proc_signal(x->target, 0);
	return r < 0 ? err_new(e, ESRCH, "container not running: it is ending") : 0;
}

/* --cgroup: from the container's own group down, wherever its init has moved to. As runc, "/" is that group itself. */
static int sub_group(const struct exec *x, const char *given, const char **ret, struct arena *a, struct err *e)
{
	if (strchr(given, ':'))
		return err_new(e, EINVAL, "--cgroup %s: cgroup v2 has one tree for all controllers: give the path alone", given);
	for (const char *p = given; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2]))
			return err_new(e, EINVAL, "--cgroup %s: leads out of the container's group", given);
	given += strspn(given, "/");
	*ret = *given ? arena_fmt(a, "%s/%s", x->state.cgroup, given) : x->state.cgroup;
	return 0;
}

int exec_open_group(struct exec *x, struct err *e)
{
	if (!x->state.cgroup)
		return x->rq->cgroup ? err_new(e, EINVAL, "--cgroup: the container has no cgroup") : 0;
	const char *path;
	int r = cgroup_tree_open(&x->tree, e);
	if (r == 0)
		r = x->rq->cgroup ? sub_group(x, x->rq->cgroup, &path, &x->arena, e)
				  : cgroup_of_pid(x->state.pid.v, &x->arena, &path, e);
	if (r == 0)
		r = x->group = cgroup_open(&x->tree, path[0] == '/' ? path + 1 : path, e);
	if (r < 0 && x->rq->cgroup)
		return err_at(e, r, "--cgroup %s", x->rq->cgroup);
	bool is_frozen = false;
	if (r >= 0)
		r = cgroup_is_frozen(x->group, &is_frozen, e);
	if (r == 0 && is_frozen && !x->rq->is_ignore_paused)
		r = err_new(e, EBUSY, "cannot exec in a paused container (resume it, or use --ignore-paused)");
	return r;
}
