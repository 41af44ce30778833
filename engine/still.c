/* SPDX-License-Identifier: Apache-2.0 */
/* See still.h. */
#include "engine/still.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/control.h"
#include "util/fd.h"

/* In a session of its own, so that a Ctrl-C for the others does not end it before its work is done. */
static void guard(int root, const char *name, int end) __attribute__((noreturn));
static void guard(int root, const char *name, int end)
{
	struct err ignored = { 0 };
	char byte;

	setsid();
	while (read(end, &byte, 1) < 0 && errno == EINTR)
		;
	/* Somebody may have ended or resumed it meanwhile. */
	container_resume(root, name, &ignored);
	_exit(0);
}

/* The guard is there before anything is frozen; a failed freeze ends it by the end of its pipe, and it finds nothing. */
int still_begin(const char *state_root, const char *name, struct still *ret, struct err *e)
{
	int ends[2];
	fd_auto int root = state_open_root(state_root, true, e);

	if (root < 0)
		return root;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		fd_close(ends[1]);
		guard(root, name, ends[0]);
	}
	fd_close(ends[0]);
	if (pid < 0) {
		fd_close(ends[1]);
		return err_sys(e, "fork");
	}
	struct still s = { .guard = pid, .own_end = ends[1] };
	int r = container_pause(root, name, e);
	if (r < 0) {
		kill(pid, SIGKILL);
		still_end(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void still_end(struct still *s)
{
	fd_drop(&s->own_end);
	while (s->guard > 0 && waitpid(s->guard, NULL, 0) < 0 && errno == EINTR)
		;
	s->guard = 0;
}
