/* SPDX-License-Identifier: Apache-2.0 */
/* See process.h. This is the parent's half, the plan; become.c is the child's. */
#include "runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/seccomp.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/mem.h"

/* The last duplicate of a variable wins, as in the shells and in runc. */
static bool is_later_duplicate(const struct strs *env, size_t i)
{
	size_t name = strcspn(env->v[i], "=");
	for (size_t k = i + 1; k < env->n; k++)
		if (strncmp(env->v[i], env->v[k], name) == 0 && env->v[k][name] == '=')
			return true;
	return false;
}

static void plan_env(const struct spec_process *p, struct arena *a, struct process_plan *ret)
{
	ret->env = arena_array(a, p->env.n + 2, sizeof(*ret->env));
	for (size_t i = 0; i < p->env.n; i++) {
		const char *v = p->env.v[i];
		/* An empty HOME is none, as for runc and crun: one is found in its place. */
		if (is_later_duplicate(&p->env, i) || strcmp(v, "HOME=") == 0)
			continue;
		ret->env[ret->env_count++] = v;
		if (strncmp(v, "PATH=", 5) == 0)
			ret->path = v + 5;
		if (strncmp(v, "HOME=", 5) == 0)
			ret->has_home = true;
	}
	if (!ret->path)
		ret->path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

void process_set_env(struct process_plan *p, const char *word, struct arena *a)
{
	size_t name = strcspn(word, "="), n = 0;
	const char **env = arena_array(a, p->env_count + 3, sizeof(*env));
	for (size_t i = 0; i < p->env_count; i++)
		if (strncmp(p->env[i], word, name + 1) != 0)
			env[n++] = p->env[i];
	env[n++] = word;
	p->env = env;
	p->env_count = n;
}

void process_listen(struct process_plan *p, unsigned fds, const char *names, struct arena *a)
{
	p->preserve_fds += fds;
	process_set_env(p, arena_fmt(a, "LISTEN_FDS=%u", fds), a);
	/* Room for the number: the child puts it there. */
	p->listen_pid = arena_alloc(a, sizeof("LISTEN_PID=") + 10);
	memcpy(p->listen_pid, "LISTEN_PID=", sizeof("LISTEN_PID="));
	process_set_env(p, p->listen_pid, a);
	if (names)
		process_set_env(p, arena_fmt(a, "LISTEN_FDNAMES=%s", names), a);
}

static void plan_rlimits(const struct spec_process *p, struct arena *a, struct process_plan *ret)
{
	ret->rlimits = arena_array(a, p->rlimits.n, sizeof(*ret->rlimits));
	ret->rlimit_count = p->rlimits.n;
	for (size_t i = 0; i < p->rlimits.n; i++)
		ret->rlimits[i] = (struct process_rlimit){
			.type = p->rlimits.v[i].type,
			.limit = { .rlim_cur = p->rlimits.v[i].soft.v, .rlim_max = p->rlimits.v[i].hard.v },
		};
}

bool process_is_launched(const struct spec_process *p, const struct spec_seccomp *seccomp)
{
	const struct lsm lsm = { p->apparmor_profile, p->selinux_label };
	return !lsm_is_used(&lsm) && (!seccomp || seccomp_allows(seccomp, "execveat"));
}

/* The launcher's arguments. */
static void plan_launch(const struct spec_process *p, const struct spec_seccomp *seccomp, struct arena *a,
			struct process_plan *ret)
{
	if (!process_is_launched(p, seccomp))
		return;
	ret->launch = arena_array(a, p->args.n + 3, sizeof(*ret->launch));
	ret->is_launch_reported = !seccomp || (seccomp_allows(seccomp, "fcntl") && seccomp_allows(seccomp, "write"));
	ret->launch[0] = "kist-launcher";
	memcpy(ret->launch + 2, p->args.v, p->args.n * sizeof(*ret->launch));
}

static int plan_filter(const struct spec_seccomp *s, int state_root, struct arena *a, struct process_plan *ret,
		       struct err *e)
{
	struct seccomp_filter f;
	int r = seccomp_flags(s, &ret->filter_flags, e);
	if (r == 0)
		r = seccomp_make(s, state_root, a, &f, e);
	if (r < 0)
		return r;
	ret->filter = f.code;
	ret->filter_length = f.length;
	return 0;
}

int process_plan(const struct spec_process *p, const struct spec_seccomp *seccomp, bool is_userns, int state_root,
		 struct arena *a, struct process_plan *ret, struct err *e)
{
	*ret = (struct process_plan){
		.args = (const char *const *)p->args.v,
		.cwd = p->cwd,
		.uid = p->user ? p->user->uid.v : 0,
		.gid = p->user ? p->user->gid.v : 0,
		.groups = p->user ? p->user->additional_gids.v : NULL,
		.group_count = p->user ? p->user->additional_gids.n : 0,
		/* The spec leaves the caller's umask; runc and crun set 0022, and users count on it. */
		.umask = p->user && p->user->umask.has ? (mode_t)p->user->umask.v & 0777 : 0022,
		.no_new_privileges = p->no_new_privileges.v,
		.has_oom_score_adj = p->oom_score_adj.has,
		.oom_score_adj = p->oom_score_adj.v,
		.is_terminal = p->terminal.v,
		.lsm = { p->apparmor_profile, p->selinux_label },
	};
	if (p->terminal.v && p->console_size) {
		ret->rows = (unsigned short)p->console_size->height.v;
		ret->columns = (unsigned short)p->console_size->width.v;
	}
	plan_env(p, a, ret);
	plan_launch(p, seccomp, a, ret);
	if (!ret->launch) {
		struct stat own;
		if (stat("/proc/self/exe", &own) < 0)
			return err_sys(e, "/proc/self/exe");
		ret->own_dev = own.st_dev;
		ret->own_ino = own.st_ino;
	}
	plan_rlimits(p, a, ret);
	int r = caps_plan(p->capabilities, is_userns, &ret->caps, e);
	if (r == 0 && seccomp)
		r = plan_filter(seccomp, state_root, a, ret, e);
	return r;
}

int process_check_preserved(const struct process_plan *p, struct err *e)
{
	int missing = p->preserve_fds ? fd_find_missing(3, p->preserve_fds) : -1;
	return missing < 0 ? 0 : err_new(e, EBADF, "descriptor %d: is to be passed on to the program, but is not open "
					 "(--preserve-fds and LISTEN_FDS count from 3 on)", missing);
}

static int is_asked(const struct spec *spec, const char *key, struct err *e)
{
	const char *v = spec_annotation(spec, key);
	if (v && strcmp(v, "0") != 0 && strcmp(v, "1") != 0)
		return err_new(e, EINVAL, "annotations.%s: expected 0 or 1, got %.40s", key, v);
	return v && *v == '1';
}

int process_annotated(struct process_plan *p, const struct spec *spec, struct err *e)
{
	if (!spec->annotations.n)
		return 0;
	int keeps = is_asked(spec, "run.oci.keep_original_groups", e);
	int fails = keeps < 0 ? keeps : is_asked(spec, "run.oci.seccomp_fail_unknown_syscall", e);
	if (fails < 0)
		return fails;
	if (keeps && p->group_count)
		log_warn("process.user.additionalGids: not set, since run.oci.keep_original_groups keeps the caller's groups");
	p->keeps_groups |= keeps;
	bool has_filter = fails && spec->linux_ && spec->linux_->seccomp;
	return has_filter ? seccomp_all_known(spec->linux_->seccomp, e) : 0;
}

int process_keep_groups(struct process_plan *p, struct err *e)
{
	if (p->group_count)
		return err_new(e, EPERM, "process.user.additionalGids: groups cannot be set where only the own id is mapped "
			       "(/etc/subgid gives a user more ids, through newgidmap of the package uidmap)");
	p->keeps_groups = true;
	return 0;
}

/* What the process has anyway, since it was inherited, need not be written. */
static bool is_inherited(const char *value)
{
	char now[16];
	fd_auto int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, now, sizeof(now) - 1);
	now[n > 0 ? n : 0] = '\0';
	now[strcspn(now, "\n")] = '\0';
	return strcmp(now, value) == 0;
}

int process_oom_score(const struct process_plan *p, pid_t pid, struct err *e)
{
	if (!p->has_oom_score_adj)
		return 0;
	char path[40], value[16];
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	snprintf(value, sizeof(value), "%d", p->oom_score_adj);
	int r = file_write(AT_FDCWD, path, value);
	if ((r == -EACCES || r == -EPERM) && is_inherited(value))
		return 0;
	if (r == -EACCES || r == -EPERM)
		return err_new(e, -r, "process.oomScoreAdj %s: lowering it needs CAP_SYS_RESOURCE, which kist does not have",
			       value);
	return r < 0 ? err_ret(e, r, "process.oomScoreAdj %s", value) : 0;
}
