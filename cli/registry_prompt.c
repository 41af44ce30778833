/* SPDX-License-Identifier: Apache-2.0 */
/* See registry_prompt.h. termios(3). */
#include "cli/registry_prompt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "util/mem.h"

enum { LINE_MAX_BYTES = 4096 };

static struct termios shown; /* how the terminal was: a handler of signals can know it here only */
static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

bool prompt_can(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* tcsetattr(3) may be called in handlers (signal-safety(7)). */
static void show_and_end(int signal)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &shown);
	raise(signal); /* SA_RESETHAND: this time it ends us, once we return */
}

static int read_line(char line[static LINE_MAX_BYTES], struct err *e)
{
	size_t len = 0;
	for (;;) {
		ssize_t n = read(STDIN_FILENO, line + len, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "terminal");
		if (n == 0 && len == 0)
			return err_new(e, ENODATA, "terminal: no answer");
		if (n == 0 || line[len] == '\n')
			break;
		if (++len == LINE_MAX_BYTES)
			return err_new(e, EFBIG, "terminal: more than %d bytes in a line", LINE_MAX_BYTES - 1);
	}
	line[len] = '\0';
	return 0;
}

/* The question comes once the terminal is silent: what was typed before is thrown away. */
static int read_secret(const char *question, char line[static LINE_MAX_BYTES], struct err *e)
{
	struct sigaction old[sizeof(ends) / sizeof(ends[0])];
	const struct sigaction mine = { .sa_handler = show_and_end, .sa_flags = (int)SA_RESETHAND };
	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return err_sys(e, "terminal");
	struct termios hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		sigaction(ends[i], &mine, &old[i]);
	int r = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0 ? err_sys(e, "terminal") : 0;
	if (r == 0) {
		fputs(question, stderr);
		r = read_line(line, e);
	}
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		sigaction(ends[i], &old[i], NULL);
	fputs("\n", stderr);
	return r;
}

int prompt_line(const char *question, bool is_secret, char **ret, struct err *e)
{
	char line[LINE_MAX_BYTES];
	if (!is_secret)
		fputs(question, stderr);
	int r = is_secret ? read_secret(question, line, e) : read_line(line, e);
	if (r == 0)
		*ret = mem_str(line);
	explicit_bzero(line, sizeof(line));
	return r;
}
