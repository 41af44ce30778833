/* SPDX-License-Identifier: Apache-2.0 */
/* See passphrase.h. Sources: cosign's COSIGN_PASSWORD; skopeo's --sign-passphrase-file; termios(3). */
#include "image/trust/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "util/fd.h"

void passphrase_done(struct passphrase *p)
{
	explicit_bzero(p->text, sizeof(p->text));
}

static int from_file(const char *file, struct passphrase *ret, struct err *e)
{
	char *bytes;
	size_t len;
	int r = file_read_given(file, PASSPHRASE_MAX, &bytes, &len);
	if (r < 0)
		return err_ret(e, r, "passphrase file %s", file);
	size_t line = strcspn(bytes, "\n");
	if (line < len && bytes[line] == '\0')
		r = err_new(e, EINVAL, "passphrase file %s: holds a NUL", file);
	else if (line >= PASSPHRASE_MAX)
		r = err_new(e, EFBIG, "passphrase file %s: more than %d bytes", file, PASSPHRASE_MAX - 1);
	else
		memcpy(ret->text, bytes, line);
	explicit_bzero(bytes, len);
	free(bytes);
	return r;
}

/* Reads a line without showing it. A signal that ends us must not leave the terminal without echo: they wait. */
static int from_terminal(int tty, const char *prompt, struct passphrase *ret, struct err *e)
{
	struct termios before, quiet;
	sigset_t held, old;
	if (tcgetattr(tty, &before) < 0)
		return err_sys(e, "terminal");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGTSTP);
	sigprocmask(SIG_BLOCK, &held, &old);
	tcsetattr(tty, TCSAFLUSH, &quiet);
	int r = fd_write_all(tty, prompt, strlen(prompt));
	ssize_t n = r < 0 ? r : read(tty, ret->text, sizeof(ret->text) - 1);
	if (n < 0)
		r = err_ret(e, r < 0 ? r : -errno, "terminal");
	tcsetattr(tty, TCSAFLUSH, &before);
	fd_write_all(tty, "\n", 1);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (r < 0)
		return r;
	char *end = n > 0 ? memchr(ret->text, '\n', (size_t)n) : NULL;
	if (!end)
		return err_new(e, EINVAL, "passphrase: no line, or one that is too long");
	*end = '\0';
	return 0;
}

int passphrase_get(const char *file, bool is_new, struct passphrase *ret, struct err *e)
{
	const char *given = getenv("COSIGN_PASSWORD");
	passphrase_auto struct passphrase again = { .text = "" };
	memset(ret, 0, sizeof(*ret));
	if (file)
		return from_file(file, ret, e);
	if (given && strlen(given) >= PASSPHRASE_MAX)
		return err_new(e, EFBIG, "COSIGN_PASSWORD: more than %d bytes", PASSPHRASE_MAX - 1);
	if (given) {
		memcpy(ret->text, given, strlen(given) + 1);
		return 0;
	}
	fd_auto int tty = openat(AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0)
		return err_new(e, ENOTTY,
			       "no passphrase: give --passphrase-file FILE or COSIGN_PASSWORD (which may be empty)");
	int r = from_terminal(tty, "passphrase of the key: ", ret, e);
	if (r == 0 && is_new && (r = from_terminal(tty, "again: ", &again, e)) == 0 &&
	    strcmp(again.text, ret->text) != 0)
		r = err_new(e, EINVAL, "passphrase: not the same twice");
	return r;
}
