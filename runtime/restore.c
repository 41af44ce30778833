/* SPDX-License-Identifier: Apache-2.0 */
/* See restore.h. */
#include "runtime/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ns/kinds.h"
#include "runtime/restore_stage.h"
#include "runtime/restore_verify.h"
#include "util/fd.h"
#include "util/pb.h"

enum { OPTS_MAX = 1 << 20 };

/* ---- before any side effect ---- */

static int check(const struct restore *r, const struct spec *spec, struct err *e)
{
	bool is_terminal = spec->process && spec->process->terminal.v;
	if (r->record.is_terminal.v != is_terminal)
		return err_new(e, EINVAL, "process.terminal is %s, and in the checkpoint it was %s",
			       is_terminal ? "true" : "false", is_terminal ? "false" : "true");
	if (r->o.cgroups == CRIU_CG_STRICT)
		return err_new(e, EINVAL,
			       "manage-cgroups-mode strict: refused, because kist makes the container's cgroup "
			       "itself, and criu would then not restore into it");
	for (size_t i = 0; i < r->record.namespaces.n; i++) {
		const char *word = r->record.namespaces.v[i];
		const struct spec_namespace *ns =
			spec_namespace_find(spec, strcmp(word, "pid") == 0 ? CLONE_NEWPID : CLONE_NEWNET);
		if (!ns || !ns->path)
			return err_new(e, EINVAL,
				       "the images were made in a joined %s namespace: linux.namespaces must name "
				       "one by path",
				       word);
	}
	return 0;
}

int restore_open(const struct criu_options *o, const struct spec *spec, struct restore *ret, struct err *e)
{
	ret->o = *o;
	ret->o.config_file = criu_config_file(&spec->annotations);
	int r = criu_find(&ret->program, e);
	if (r == 0)
		r = criu_dirs_open(o, false, "restore.log", &ret->dirs, e);
	if (r < 0)
		return r;
	r = criu_record_read(ret->dirs.images, &ret->record, e);
	return r < 0 ? err_at(e, r, "image path %s", o->image_path) : check(ret, spec, e);
}

void restore_done(struct restore *r)
{
	criu_dirs_done(&r->dirs);
	criu_record_done(&r->record);
	free(r->program);
	r->program = NULL;
}

/* ---- what criu is told ---- */

/* Everything that one restore holds. */
struct job {
	const struct restore_args *a;
	struct stage stage;
	struct arena arena;
	struct str opts;
	/* Descriptors that criu needs: streams (criu_record_read: at most 3) and joined namespaces (at most 8). */
	int inherit[12];
	size_t inherit_count;
	int master, null; /* the terminal; /dev/null for streams */
	bool is_complete, is_verified;
};

static void job_done(struct job *j)
{
	stage_done(&j->stage);
	arena_done(&j->arena);
	str_done(&j->opts);
	fd_drop(&j->master);
	fd_drop(&j->null);
}

#define job_auto __attribute__((cleanup(job_done)))

/*
 * criu insists on the size that a regular file had. It writes at the old offset in any case, so that a new, shorter
 * file would get a hole of this length with the first byte: it may as well have it now.
 */
static int fit_size(int fd, const struct criu_stream *s, struct err *e)
{
	struct stat st;
	if (!s->size.has || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size >= s->size.v)
		return 0;
	return ftruncate(fd, (off_t)s->size.v) < 0 && errno != EINVAL && errno != EBADF
		       ? err_sys(e, "standard stream %u: grow to the size that it had", s->fd.v)
		       : 0;
}

static int put_streams(struct job *j, struct err *e)
{
	const struct criu_streams *list = &j->a->restore->record.streams;
	for (size_t i = 0; i < list->n; i++) {
		const struct criu_stream *s = &list->v[i];
		int fd = j->a->stdio[s->fd.v] >= 0 ? j->a->stdio[s->fd.v] : (int)s->fd.v;
		if (s->is_null.v && j->null < 0 && (j->null = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
			return err_sys(e, "/dev/null");
		if (s->is_null.v)
			fd = j->null;
		int r = fit_size(fd, s, e);
		if (r < 0)
			return r;
		bool is_new = true;
		for (size_t k = 0; k < i; k++)
			is_new = is_new && strcmp(list->v[k].resource, s->resource) != 0;
		if (!is_new)
			continue;
		criu_put_inherit(&j->opts, s->resource, fd);
		j->inherit[j->inherit_count++] = fd;
	}
	return 0;
}

/* join_namespace { ns = 1; ns_file = 2 } */
static void put_join(struct str *opts, const char *file, const char *path)
{
	str_auto struct str one = STR_MAX(8192);
	pb_text(&one, 1, file);
	pb_text(&one, 2, path);
	pb_bytes(opts, 39, one.p, one.len);
}

static void put_namespaces(struct job *j)
{
	const struct plan *p = j->a->plan;
	for (size_t i = 0; i < p->join_count; i++) {
		const struct ns_kind *kind = ns_kind_find(p->joins[i].kind);
		const char *key = criu_namespace_key(kind->word);
		if (!key) {
			put_join(&j->opts, kind->file, p->joins[i].path);
			continue;
		}
		criu_put_inherit(&j->opts, key, j->a->opened->joins[i]);
		j->inherit[j->inherit_count++] = j->a->opened->joins[i];
	}
}

/* The group's name where it is restored; cgroup_root { path = 2 }. */
static void put_group(struct job *j)
{
	if (j->a->group < 0)
		return;
	free_auto char *path = mem_fmt("/%s", j->a->group_path);
	str_auto struct str one = STR_MAX(8192);
	pb_text(&one, 2, path);
	pb_bytes(&j->opts, 25, one.p, one.len);
}

static int put_opts(struct job *j, struct err *e)
{
	const struct criu_options *o = &j->a->restore->o;
	int r = criu_put_common(&j->opts, o, &j->a->restore->dirs, e);
	if (r < 0)
		return r;
	put_group(j);
	pb_flag(&j->opts, 26, true);
	r = put_streams(j, e);
	if (r < 0)
		return r;
	put_namespaces(j);
	stage_put(&j->stage, &j->opts);
	pb_flag(&j->opts, 52, o->tcp_close);
	if (o->lsm_profile)
		pb_text(&j->opts, 53, o->lsm_profile);
	if (o->lsm_mount_context)
		pb_text(&j->opts, 63, o->lsm_mount_context);
	return 0;
}

/* ---- the restore ---- */

/* With "ignore" criu leaves its children in its own group and cgroup namespace: then those are the container's. */
static int join_group(const struct job *j, struct err *e)
{
	if (j->a->restore->o.cgroups != CRIU_CG_IGNORE || j->a->group < 0)
		return 0;
	int r = file_write(j->a->group, "cgroup.procs", "0");
	if (r < 0)
		return err_ret(e, r, "restore: join the container's cgroup");
	if ((j->a->plan->need & NEED_CGROUPNS) && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, "restore: cgroup namespace");
	return 0;
}

/* criu 3.17 does not bring it back: its children inherit it. prctl(2), PR_SET_NO_NEW_PRIVS. */
static int forbid_privileges(const struct job *j, struct err *e)
{
	if (j->a->plan->process.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "process.noNewPrivileges");
	return 0;
}

static int before_exec(void *ctx, int *images, struct err *e)
{
	struct job *j = ctx;
	int r = join_group(j, e);
	if (r == 0)
		r = stage_enter(&j->stage, images, e);
	/* What criu does not save, its children have from it. */
	if (r == 0 && (j->a->plan->process.attrs.need & ATTRS_BY_CHILD))
		r = attrs_take(&j->a->plan->process.attrs, e);
	return r < 0 ? r : forbid_privileges(j, e);
}

static int on_notify(void *ctx, const char *script, pid_t pid, int own_fd, struct err *e)
{
	struct job *j = ctx;
	fd_auto int fd = own_fd;
	if (strcmp(script, "orphan-pts-master") == 0 && fd >= 0) {
		fd_drop(&j->master);
		j->master = fd_take(&fd);
	}
	if (strcmp(script, "setup-namespaces") == 0)
		return j->a->begun(j->a->ctx, pid, e);
	/* Credentials and filters are there now. */
	if (strcmp(script, "pre-resume") == 0)
		return (j->is_verified = true, restore_verify(j->a->plan, j->a->group, pid, e));
	if (strcmp(script, "post-restore") != 0)
		return 0;
	j->is_complete = true;
	return j->a->complete(j->a->ctx, pid, e);
}

int restore_run(const struct restore_args *a, pid_t *ret_pid, int *ret_master, struct err *e)
{
	struct job j job_auto = { .a = a, .stage = STAGE_NONE, .opts = STR_MAX(OPTS_MAX), .master = -1, .null = -1 };
	int r = stage_make(a, &j.arena, &j.stage, e);
	if (r == 0)
		r = put_opts(&j, e);
	if (r < 0)
		return r;
	const struct criu_call call = {
		.verb = CRIU_RESTORE,
		.opts = &j.opts,
		.inherit = j.inherit,
		.inherit_count = j.inherit_count,
		.before = before_exec,
		.notify = on_notify,
		.ctx = &j,
	};
	r = criu_call(a->restore->program, &call, &a->restore->dirs, ret_pid, e);
	if (r == 0 && !(j.is_complete && j.is_verified))
		r = err_new(e, EPROTO, "criu did not say when the processes were complete");
	if (r < 0)
		return r;
	*ret_master = fd_take(&j.master);
	return 0;
}
