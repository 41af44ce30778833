/* SPDX-License-Identifier: Apache-2.0 */
/* kist ps: the engine's containers, or with an ID the processes of one, as runc's callers parse them. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "engine/list.h"
#include "runtime/control.h"
#include "util/fd.h"

/* ---- ps ID: the lines of ps(1) that are the container's ---- */

static bool has_pid(const pid_t *pids, size_t count, long pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* Which column has the head "PID"; -1: none. */
static int pid_column(const char *head)
{
	int column = 0;

	for (const char *p = head; *(p += strspn(p, " \t\n")); column++) {
		size_t len = strcspn(p, " \t\n");
		if (len == 3 && !strncmp(p, "PID", 3))
			return column;
		p += len;
	}
	return -1;
}

static long number_in(const char *line, int column)
{
	const char *p = line + strspn(line, " \t");

	for (; column > 0 && *p; column--) {
		p += strcspn(p, " \t");
		p += strspn(p, " \t");
	}
	return strtol(p, NULL, 10);
}

static int filter_lines(FILE *in, const pid_t *pids, size_t count, struct err *e)
{
	free_auto char *line = NULL;
	size_t room = 0;
	int column = -1;

	while (getline(&line, &room, in) > 0) {
		if (column < 0) {
			column = pid_column(line);
			if (column < 0)
				return err_new(e, EINVAL, "ps: its table has no column PID");
			fputs(line, stdout);
		} else if (has_pid(pids, count, number_in(line, column))) {
			fputs(line, stdout);
		}
	}
	return fflush(stdout) == EOF ? err_sys(e, "standard output") : 0;
}

/* Runs ps(1) with the caller's words, or -ef. Returns the read end of its output. */
static int start_ps(int argc, char **argv, pid_t *ret_pid, struct err *e)
{
	char name[] = "ps", all[] = "-ef";
	char **words = mem_zero((size_t)argc + 3, sizeof(*words));
	posix_spawn_file_actions_t actions;
	int ends[2];

	words[0] = name;
	words[1] = all;
	for (int i = 0; i < argc; i++)
		words[1 + i] = argv[i];
	if (pipe2(ends, O_CLOEXEC) < 0) {
		free(words);
		return err_sys(e, "ps: pipe");
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	int num = posix_spawnp(ret_pid, "ps", &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(words);
	fd_close(ends[1]);
	if (num == 0)
		return ends[0];
	fd_close(ends[0]);
	return err_new(e, num, "ps: %s (Debian's package is procps)", strerror(num));
}

static int print_table(const pid_t *pids, size_t count, int argc, char **argv, struct err *e)
{
	pid_t ps;
	int status, fd = start_ps(argc, argv, &ps, e);

	if (fd < 0)
		return fd;
	FILE *in = fdopen(fd, "r");
	int r = in ? filter_lines(in, pids, count, e) : err_sys(e, "ps");
	if (in)
		fclose(in);
	waitpid(ps, &status, 0);
	if (r == 0 && status != 0)
		return err_new(e, EIO, "ps: ended with status %d", WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return r;
}

static int print_pids(const pid_t *pids, size_t count, struct err *e)
{
	putchar('[');
	for (size_t i = 0; i < count; i++)
		printf("%s%d", i ? "," : "", (int)pids[i]);
	puts("]");
	return fflush(stdout) == EOF ? err_sys(e, "standard output") : 0;
}

static int processes(const struct cli *cli, const struct ps_options *o, int argc, char **argv, struct err *e)
{
	fd_auto int root = state_open_root(cli->global->root, true, e);
	free_auto pid_t *pids = NULL;
	bool is_json = o->format && !strcmp(o->format, "json");
	size_t count;

	if (o->all || o->quiet)
		return cmd_usage(e, "--all and --quiet do not go with an ID");
	if (o->format && !is_json && strcmp(o->format, "table") != 0)
		return cmd_usage(e, "--format %s: expected table or json", o->format);
	int r = root < 0 ? root : container_pids(root, argv[0], &pids, &count, e);
	if (r < 0)
		return r;
	return is_json ? print_pids(pids, count, e) : print_table(pids, count, argc - 1, argv + 1, e);
}

/* ---- ps: the list ---- */

static const struct out_field fields[] = {
	OUT_STR(struct engine_row, name, "id", .header = "NAME", .docker = "ID"),
	OUT_STR(struct engine_row, name, "name", .docker = "Names"),
	OUT_STR(struct engine_row, image, "image", .header = "IMAGE", .docker = "Image"),
	OUT_STR(struct engine_row, command, "command", .header = "COMMAND", .docker = "Command"),
	OUT_STR(struct engine_row, age, "age", .header = "CREATED", .docker = "RunningFor"),
	OUT_STR(struct engine_row, created, "created", .docker = "CreatedAt"),
	OUT_STR(struct engine_row, status, "status", .header = "STATUS", .docker = "Status"),
	OUT_STR(struct engine_row, state, "state", .docker = "State"),
	OUT_I64(struct engine_row, pid, "pid", .docker = "Pid"),
	OUT_I64(struct engine_row, exit_code, "exitCode", .docker = "ExitCode"),
	OUT_JSON(struct engine_row, labels, "labels", .docker = "Labels"),
};

static const struct out_list list = {
	.fields = fields, .count = ARRAY_LEN(fields), .row_size = sizeof(struct engine_row), .key = 0,
};

int cmd_ps(const struct cli *cli, const void *options, int argc, char **argv, struct err *e)
{
	const struct ps_options *o = options;
	const struct engine g = { .state_root = cli->global->root, .store = cli->global->store };
	struct arena arena_auto a = { 0 };
	struct engine_row *rows = NULL;
	size_t count = 0;

	if (argc > 0)
		return processes(cli, o, argc, argv, e);
	if (cli->face == FACE_OCI)
		return cmd_usage(e, "expected an ID");
	int r = engine_list(&g, o->all, &a, &rows, &count, e);
	if (r == 0)
		r = out_rows(&list, o->format, o->quiet, rows, count, e);
	free(rows);
	return r;
}
