/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace OUT COMMAND [ARG...]: steps through a program and its forks, instruction by instruction, until they execute
 * another one, and adds the addresses of its text to the file OUT, each once, in the order in which they are first
 * reached. For tests/bench/hot. Source: ptrace(2).
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_START = 0x400000, TEXT_END = 0x800000, GRAIN = 16 };

static bool is_seen[(TEXT_END - TEXT_START) / GRAIN];

static void note(FILE *out, unsigned long at)
{
	if (at < TEXT_START || at >= TEXT_END || is_seen[(at - TEXT_START) / GRAIN])
		return;
	is_seen[(at - TEXT_START) / GRAIN] = true;
	fprintf(out, "%lx\n", at);
}

/* One stop of one process: what it goes on with, or -1 to let it go. */
static int judge(FILE *out, pid_t pid, int status, bool *is_first)
{
	int sig = WSTOPSIG(status), event = status >> 16;
	if (event == PTRACE_EVENT_EXEC && !*is_first)
		return -1;
	if (event == PTRACE_EVENT_EXEC)
		*is_first = false;
	struct user_regs_struct regs;
	if (!*is_first && ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0)
		note(out, regs.rip);
	return event || sig == SIGTRAP || sig == SIGSTOP ? 0 : sig;
}

/* Until the program itself ends; a container that it leaves behind is let go when we end. */
static int follow(FILE *out, pid_t program)
{
	bool is_first = true;
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR;) {
		if (pid == program && !WIFSTOPPED(status))
			return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		if (pid <= 0 || !WIFSTOPPED(status))
			continue;
		int sig = judge(out, pid, status, &is_first);
		ptrace(sig < 0 ? PTRACE_DETACH : PTRACE_SINGLESTEP, pid, NULL, sig < 0 ? 0L : (long)sig);
	}
	return 1;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	FILE *out = fopen(argv[1], "a");
	pid_t pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	const long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	if (!out || pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, options) < 0)
		return perror("trace"), 1;
	kill(pid, SIGCONT);
	int r = follow(out, pid);
	return fclose(out) ? 1 : r;
}
