/* SPDX-License-Identifier: Apache-2.0 */
/* See unpack.h. Source: posix_spawn(3). */
#include "engine/unpack.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/helper.h"
#include "util/mem.h"

/* Standard output is the container's: what the helper says goes to standard error. */
static int start(const char *program, const char *store, const char *word, pid_t *ret_pid)
{
	const char *const words[] = { "kist-image", "--store", store, "unpack", "--", word, NULL };
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	int num = posix_spawn(ret_pid, program, &actions, NULL, (char *const *)(uintptr_t)words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -num;
}

int unpack_image(const struct store *s, const char *word, struct err *e)
{
	free_auto char *program = helper_find("kist-image", e);
	pid_t pid;
	int status;

	if (!program)
		return -ENOENT;
	int r = start(program, s->path, word, &pid);
	if (r < 0)
		return err_ret(e, r, "%s", program);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for kist-image");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_new(e, ECANCELED, "image \"%s\": its layers could not be unpacked", word);
}
