/* SPDX-License-Identifier: Apache-2.0 */
/* kist exec: one more program in a running container. As Docker: no input without -i; as runc: our own stdio. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/run_words.h"
#include "runtime/exec.h"
#include "runtime/tty.h"
#include "runtime/wait.h"
#include "util/fd.h"

/* Whether our stdio is the program's as it is: the OCI face, and --process, which only OCI callers use. */
static bool is_as_runc(const struct cli *cli, const struct exec_options *o)
{
	return cli->face == FACE_OCI || o->process;
}

static int check(const struct cli *cli, const struct exec_options *o, int argc, struct err *e)
{
	if (o->process && argc > 1)
		return cmd_usage(e, "--process takes the place of a command");
	if (!o->process && argc < 2)
		return cmd_usage(e, "expected a command");
	if (o->detach && o->tty == OPT_YES && !o->console_socket)
		return err_new(e, EINVAL, "exec: --detach with --tty needs --console-socket: nobody would hold the terminal");
	if (!is_as_runc(cli, o) && o->tty == OPT_YES && o->interactive && !isatty(STDIN_FILENO))
		return err_new(e, ENOTTY, "the input device is not a TTY: -t with -i needs a terminal as standard input");
	return 0;
}

static int gids_of(const struct exec_options *o, struct arena *a, const unsigned **ret, struct err *e)
{
	unsigned *gids = arena_array(a, o->additional_gids.count, sizeof(*gids));

	for (size_t i = 0; i < o->additional_gids.count; i++) {
		char *end;
		errno = 0;
		unsigned long v = strtoul(o->additional_gids.items[i], &end, 10);
		if (errno || *end || v >= UINT32_MAX)
			return cmd_usage(e, "--additional-gids %s: expected a number", o->additional_gids.items[i]);
		gids[i] = (unsigned)v;
	}
	*ret = gids;
	return 0;
}

/* Without a terminal: /dev/null where nobody asked for our input, and for all three when nobody waits. */
static void set_stdio(const struct cli *cli, const struct exec_options *o, int null, struct exec_request *rq)
{
	bool is_ours = is_as_runc(cli, o);

	rq->stdio[0] = is_ours || o->interactive ? -1 : null;
	rq->stdio[1] = is_ours || !o->detach ? -1 : null;
	rq->stdio[2] = is_ours || !o->detach ? -1 : null;
}

int cmd_exec(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct exec_options *o = options;
	const struct strs env_words = words_strs(&o->env), files = words_strs(&o->env_files);
	struct arena arena_auto a = { 0 };
	struct strs env = { 0 };
	int status = 0;
	int r = check(cli, o, argc, e);

	if (r == 0)
		r = compose_env(&env_words, &files, &a, &env, e);
	if (r < 0)
		return r;
	struct exec_request rq = {
		.apparmor = o->apparmor, .selinux = o->process_label,
		.state_root = cli->global->root, .id = argv[0], .process_file = o->process,
		.args = o->process ? NULL : (const char *const *)(argv + 1), .cwd = o->cwd, .user = o->user,
		.env = env.n ? (const char *const *)env.v : NULL, .gid_count = o->additional_gids.count,
		.caps = o->caps.count ? (const char *const *)words_strs(&o->caps).v : NULL,
		.has_terminal = o->tty != OPT_UNSET || !o->process, .is_terminal = o->tty == OPT_YES,
		.has_no_new_privs = o->no_new_privs != OPT_UNSET, .is_no_new_privs = o->no_new_privs == OPT_YES,
		.console_socket = o->console_socket, .pidfd_socket = o->pidfd_socket, .pid_file = o->pid_file,
		.preserve_fds = (unsigned)o->preserve_fds.value, .cgroup = o->cgroup, .is_ignore_paused = o->ignore_paused,
		.is_plain_lines = cli->face == FACE_OCI && !o->detach,
	};
	r = gids_of(o, &a, &rq.gids, e);
	if (r < 0)
		return r;
	fd_auto int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	set_stdio(cli, o, null, &rq);
	if (!o->detach)
		tty_size(&rq.rows, &rq.columns);
	if (!o->detach)
		wait_block_signals();
	struct exec_process p;
	r = container_exec(&rq, &p, e);
	if (r < 0)
		return r;
	fd_auto int pidfd = p.pidfd, master = p.master;
	const struct wait_request w = {
		.pidfd = pidfd, .master = master, .is_input = is_as_runc(cli, o) || o->interactive,
	};
	if (!o->detach)
		r = wait_program(&w, &status, e);
	return r < 0 ? err_at(e, r, "exec %s", rq.id) : status;
}
