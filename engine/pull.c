/* SPDX-License-Identifier: Apache-2.0 */
/* See pull.h. */
#include "engine/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/ref.h"
#include "util/helper.h"
#include "util/mem.h"

bool pull_is_name(const char *word)
{
	struct ref ref;
	struct err ignored;

	if (strncmp(word, "sha256:", 7) == 0 || strspn(word, "0123456789abcdef") == 64)
		return false;
	return ref_parse(word, &ref, &ignored) == 0;
}

/*
 * Standard output is the container's: the digest, pull's result, is printed nowhere. PR_SET_PDEATHSIG outlives execve(2):
 * prctl(2).
 */
static void child_main(const char *program, const char *const *words, pid_t parent) __attribute__((noreturn));

static void child_main(const char *program, const char *const *words, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent && null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0)
		execv(program, (char *const *)(uintptr_t)words);
	_exit(127);
}

int pull_image(const char *store, const struct strs *options, const char *word, struct err *e)
{
	free_auto char *program = helper_find("kist-registry", e);
	const char *const first[] = { "kist-registry", "--store", store, "pull" };
	free_auto const char **words = mem_zero(ARRAY_LEN(first) + options->n + 3, sizeof(*words));
	size_t n = 0;
	int status;

	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		words[n++] = first[i];
	for (size_t i = 0; i < options->n; i++)
		words[n++] = options->v[i];
	words[n++] = "--";
	words[n] = word;

	if (!program)
		return -ENOENT;
	pid_t self = getpid(), pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		child_main(program, words, self);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for kist-registry");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_new(e, ENOENT, "image \"%s\": was not pulled", word);
}
