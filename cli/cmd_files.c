/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist commit, diff and export: kist finds the container and opens its files; kist-image, which gets them as descriptors,
 * reads and writes bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "engine/files.h"
#include "engine/still.h"
#include "runtime/rootless.h"
#include "util/fd.h"
#include "util/helper.h"
#include "util/log.h"
#include "util/mem.h"

/* The command line of kist-image, of words that live until it is executed or waited for. */
struct words {
	char **v;
	size_t n;
};

static void add(struct words *w, char *own_word)
{
	w->v = mem_grow(w->v, (w->n + 2) * sizeof(*w->v));
	w->v[w->n++] = own_word;
	w->v[w->n] = NULL;
}

static void words_done(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
}

#define words_auto __attribute__((cleanup(words_done)))

static void begin(struct words *w, const struct cli *cli, const char *verb)
{
	add(w, mem_str("kist-image"));
	add(w, mem_str("--store"));
	add(w, mem_str(cli->global->store));
	add(w, mem_str(verb));
}

static void add_text(struct words *w, const char *name, const char *value)
{
	if (value)
		add(w, mem_fmt("--%s=%s", name, value));
}

/* The number stays the same over execve(2). */
static int add_fd(struct words *w, const char *name, int fd, struct err *e)
{
	if (fd < 0)
		return 0;
	if (fcntl(fd, F_SETFD, 0) < 0)
		return err_sys(e, "descriptor for kist-image");
	add(w, mem_fmt("--%s=%d", name, fd));
	return 0;
}

static int open_files(const struct cli *cli, const char *name, struct engine *g, struct files *f, struct err *e)
{
	int r = rootless_enter(NULL, e);

	*g = (struct engine){ .state_root = cli->global->root, .store = cli->global->store };
	return r < 0 ? r : files_open(g, name, f, e);
}

static int add_changes(struct words *w, const struct files *f, struct err *e)
{
	int r = add_fd(w, "upper", f->upper, e);

	if (r == 0)
		r = add_fd(w, "lower", f->lower, e);
	for (size_t i = 0; files_mount(f, i); i++)
		add_text(w, "mount", files_mount(f, i));
	return r;
}

static bool is_there(const struct files *f)
{
	return f->status == STATUS_RUNNING || f->status == STATUS_CREATED || f->status == STATUS_CREATING;
}

/* Becomes kist-image. */
static int become(struct words *w, struct err *e)
{
	free_auto char *program = helper_find("kist-image", e);

	if (!program)
		return -ENOENT;
	execv(program, w->v);
	return err_sys(e, "%s", program);
}

int cmd_diff(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct diff_options *o = options;
	struct words w words_auto = { 0 };
	struct files f files_auto = FILES_NONE;
	struct engine g;
	int r = open_files(cli, argv[0], &g, &f, e);

	(void)argc;
	begin(&w, cli, "file-diff");
	add_text(&w, "format", o->format);
	if (r == 0 && is_there(&f))
		add(&w, mem_str("--live"));
	if (r == 0)
		r = add_changes(&w, &f, e);
	return r < 0 ? r : become(&w, e);
}

int cmd_export(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct export_options *o = options;
	struct words w words_auto = { 0 };
	struct files f files_auto = FILES_NONE;
	struct engine g;
	int r = open_files(cli, argv[0], &g, &f, e);

	(void)argc;
	if (r < 0)
		return r;
	begin(&w, cli, "file-export");
	add_text(&w, "output", o->output);
	if (is_there(&f))
		add(&w, mem_str("--live"));
	fd_auto int view = files_view(&g, &f, e);
	if (view < 0)
		return view;
	r = add_fd(&w, "view", view, e);
	return r < 0 ? r : become(&w, e);
}

/* ---- commit ---- */

/* What the program of a container was, as one line for the history. */
static char *command_of(const struct record *r)
{
	str_auto struct str text = STR_MAX(4096);

	for (size_t i = 0; i < r->command.n; i++)
		str_fmt(&text, "%s%s", i ? " " : "", r->command.v[i]);
	return mem_str(text.len ? text.p : "kist commit");
}

/*
 * A container that cannot be frozen, since it has no cgroup, is read as it is: only who asks for the freeze gets the
 * error.
 */
static int hold_still(const struct cli *cli, const struct commit_options *o, const struct files *f, struct still *s,
		      bool *ret_is_live, struct err *e)
{
	*ret_is_live = is_there(f);
	if (f->status != STATUS_RUNNING || o->pause == OPT_NO)
		return 0;
	int r = still_begin(cli->global->root, f->dir.name, s, e);
	*ret_is_live = r < 0;
	if (r == 0 || o->pause == OPT_YES)
		return r;
	log_warn("commit %s: it is read while it runs: %s", f->dir.name, e->text);
	err_clear(e);
	return 0;
}

/* kist-image ends with us: what it has begun goes with the next command, and the container is let go. */
static int run_helper(struct words *w, int *ret_status, struct err *e)
{
	int status;
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			err_sys(e, "prctl");
		else if (getppid() != parent)
			err_new(e, ECANCELED, "commit: kist itself was ended");
		else
			become(w, e);
		log_error("%s", e->text);
		_exit(1);
	}
	if (pid < 0)
		return err_sys(e, "fork");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for kist-image");
	if (!WIFEXITED(status))
		return err_new(e, ECANCELED, "kist-image was ended by signal %d", WTERMSIG(status));
	*ret_status = WEXITSTATUS(status);
	return 0;
}

static int commit_words(struct words *w, const struct cli *cli, const struct commit_options *o, const struct files *f,
			bool is_live, struct err *e)
{
	free_auto char *command = command_of(&f->record);

	begin(w, cli, "file-commit");
	add_text(w, "digest", f->record.digest);
	add_text(w, "created-by", command);
	add_text(w, "author", o->author);
	add_text(w, "message", o->message);
	for (size_t i = 0; i < o->changes.count; i++)
		add_text(w, "change", o->changes.items[i]);
	add_text(w, "iidfile", o->iidfile);
	if (o->quiet)
		add(w, mem_str("--quiet"));
	if (is_live)
		add(w, mem_str("--live"));
	return add_changes(w, f, e);
}

int cmd_commit(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct commit_options *o = options;
	struct words w words_auto = { 0 };
	struct files f files_auto = FILES_NONE;
	struct still s = STILL_NONE;
	struct engine g;
	bool is_live = false;
	int status = 1;
	int r = open_files(cli, argv[0], &g, &f, e);

	if (r == 0 && !f.record.digest)
		r = err_new(e, ENODATA, "container %s: its record names no image", argv[0]);
	if (r == 0)
		r = hold_still(cli, o, &f, &s, &is_live, e);
	if (r < 0)
		return r;
	r = commit_words(&w, cli, o, &f, is_live, e);
	if (r == 0 && argc > 1) {
		add(&w, mem_str("--"));
		add(&w, mem_str(argv[1]));
	}
	if (r == 0)
		r = run_helper(&w, &status, e);
	still_end(&s);
	return r < 0 ? r : status;
}
