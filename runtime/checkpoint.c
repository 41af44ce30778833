/* SPDX-License-Identifier: Apache-2.0 */
/* See checkpoint.h. */
#include "runtime/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/freeze.h"
#include "cgroup/kill.h"
#include "runtime/criu_look.h"
#include "runtime/target.h"
#include "spec/load.h"
#include "util/fd.h"
#include "util/pb.h"
#include "util/proc.h"

enum { END_TIMEOUT_MS = 10000, THAW_TIMEOUT_MS = 10000, OPTS_MAX = 1 << 20 };

/* Everything that one checkpoint holds. */
struct job {
	struct criu_options o;
	struct target t;
	struct criu_dirs dirs;
	struct criu_record record;
	struct str opts;
	char *program;
};

static void job_done(struct job *j)
{
	target_done(&j->t);
	criu_dirs_done(&j->dirs);
	criu_record_done(&j->record);
	str_done(&j->opts);
	free(j->program);
}

#define job_auto __attribute__((cleanup(job_done)))

/* ---- before any effect ---- */

static int check_status(struct job *j, struct err *e)
{
	bool is_frozen = false;
	if (j->t.status == STATUS_STOPPED)
		return err_new(e, ESRCH, "container not running");
	if (j->t.status != STATUS_RUNNING)
		return err_new(e, EINVAL, "cannot checkpoint a container that is %s: start it first",
			       state_word(j->t.status));
	int r = target_group(&j->t, e);
	if (r == 0 && j->t.group >= 0)
		r = cgroup_is_frozen(j->t.group, &is_frozen, e);
	/* criu would leave it thawed. */
	return r < 0 ? r : is_frozen ? err_new(e, EBUSY, "container is paused: resume it first") : 0;
}

static int check_parent(const struct job *j, struct err *e)
{
	const char *parent = j->o.parent_path;
	struct stat st;
	if (!parent)
		return 0;
	/* criu keeps the link as it is beside the images, which are to be moved together. */
	if (parent[0] == '/')
		return err_new(e, EINVAL, "parent path %s: must be relative to the image path", parent);
	if (fstatat(j->dirs.images, parent, &st, 0) < 0)
		return err_sys(e, "parent path %s", parent);
	return S_ISDIR(st.st_mode) ? 0 : err_new(e, ENOTDIR, "parent path %s: not a directory", parent);
}

static int put_opts(struct job *j, struct err *e)
{
	struct criu_options *o = &j->o;
	struct str *opts = &j->opts;
	o->config_file = criu_config_file(&j->t.state.annotations);
	int r = criu_put_common(opts, o, &j->dirs, e);
	if (r < 0)
		return r;
	pb_number(opts, 2, j->t.state.pid.v);
	pb_flag(opts, 3, o->leave_running);
	if (*j->t.state.rootfs)
		pb_text(opts, 13, j->t.state.rootfs);
	if (o->parent_path)
		pb_text(opts, 14, o->parent_path);
	pb_flag(opts, 15, o->is_pre_dump || o->parent_path);
	pb_flag(opts, 18, o->link_remap);
	if (j->t.group >= 0) {
		free_auto char *path = mem_fmt("%s/%s", j->t.tree.path, j->t.state.cgroup);
		pb_text(opts, 44, path);
	}
	pb_flag(opts, 46, o->tcp_skip_in_flight);
	if (o->status_fd >= 0)
		pb_number(opts, 49, o->status_fd);
	return 0;
}

/* The configuration as it was at create, which says what came from outside. */
static int look(struct job *j, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	struct spec spec spec_auto = { 0 };
	int r = file_read(j->t.dir.fd, "config.json", JX_BYTES_MAX, false, &bytes, &len);
	if (r < 0)
		return err_ret(e, r, "state directory: config.json");
	r = spec_load_bytes(bytes, len, "config.json", &spec, e);
	if (r == 0)
		r = criu_look(j->t.state.pid.v, &spec, &j->record, &j->opts, e);
	return r;
}

/* ---- the dump and what follows ---- */

/* criu thaws what it froze, unless it was killed before. */
static void leave_thawed(struct job *j)
{
	bool is_frozen;
	struct err ignored;
	if (j->t.group >= 0 && cgroup_is_frozen(j->t.group, &is_frozen, &ignored) == 0 && is_frozen)
		cgroup_freeze(j->t.group, false, THAW_TIMEOUT_MS, &ignored);
}

/* Everything is dumped, and the processes are still frozen. */
static int on_notify(void *ctx, const char *script, pid_t pid, int own_fd, struct err *e)
{
	struct job *j = ctx;
	(void)pid;
	fd_close(own_fd);
	if (strcmp(script, "post-dump") != 0 || j->o.is_pre_dump)
		return 0;
	criu_look_at_sizes(j->t.state.pid.v, &j->record);
	return criu_record_write(j->dirs.images, &j->record, e);
}

static int dump(struct job *j, struct err *e)
{
	const struct criu_call call = {
		.verb = j->o.is_pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
		.opts = &j->opts,
		.notify = on_notify,
		.ctx = j,
	};
	int r = criu_call(j->program, &call, &j->dirs, NULL, e);
	if (r < 0)
		leave_thawed(j);
	return r;
}

/* criu has killed the tree: when we return the state is "stopped", and nothing runs in the group. */
static int wait_stopped(struct job *j, struct err *e)
{
	int r = proc_wait_end(j->t.pidfd, END_TIMEOUT_MS);
	if (r < 0)
		return err_ret(e, r, "process %d does not end", j->t.state.pid.v);
	r = j->t.group < 0 ? 0 : cgroup_kill(j->t.group);
	if (j->t.group >= 0 && (r == 0 || r == -ENODEV))
		r = cgroup_wait_empty(j->t.group, END_TIMEOUT_MS);
	if (r < 0)
		return err_ret(e, r, "the container's processes do not end");
	/* A keeper may have taken everything away already. */
	struct stat st;
	if (fstat(j->t.dir.fd, &st) == 0 && st.st_nlink == 0)
		return 0;
	j->t.state.is_checkpointed = (struct opt_bool){ true, true };
	return state_write(&j->t.dir, &j->t.state, e);
}

static int run(struct job *j, int root, const char *id, struct err *e)
{
	int r = criu_find(&j->program, e);
	if (r == 0)
		r = target_open(root, id, true, &j->t, e);
	if (r == 0)
		r = check_status(j, e);
	if (r == 0)
		r = criu_dirs_open(&j->o, true, "dump.log", &j->dirs, e);
	if (r == 0)
		r = check_parent(j, e);
	if (r == 0)
		r = put_opts(j, e);
	if (r == 0 && !j->o.is_pre_dump)
		r = look(j, e);
	if (r == 0)
		r = dump(j, e);
	return r < 0 || j->o.leave_running || j->o.is_pre_dump ? r : wait_stopped(j, e);
}

int container_checkpoint(int root, const char *id, const struct criu_options *o, struct err *e)
{
	struct job j job_auto = {
		.o = *o,
		.t = TARGET_NONE,
		.dirs = CRIU_DIRS_NONE,
		.opts = STR_MAX(OPTS_MAX),
	};
	int r = run(&j, root, id, e);
	return r < 0 ? err_at(e, r, "checkpoint %s", id) : 0;
}
