/* SPDX-License-Identifier: Apache-2.0 */
/* See gpg.h. Sources: gpgv(1); GnuPG's doc/DETAILS, "Format of the --status-fd output"; RFC 4880, 6.2 and 11.3. */
#include "image/trust/gpg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/trust/trust.h"
#include "util/base64.h"
#include "util/fd.h"

enum { KEYRING_MAX = 4 << 20, OUTPUT_MAX = 1 << 20, SECONDS_MAX = 20 };

/* ---- the keyring ---- */

void keyring_done(struct keyring *ring)
{
	fd_drop(&ring->fd);
}

/* What lies between the empty line after the armour's headers and its checksum. False: no armour of keys. */
static bool find_armour(char *text, char **ret_body, size_t *ret_len)
{
	static const char begin[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----",
			  end[] = "-----END PGP PUBLIC KEY BLOCK-----";
	char *p = strstr(text, begin);
	char *stop = p ? strstr(p, end) : NULL;
	if (!stop)
		return false;
	for (p += strlen(begin); p < stop; p++) {
		size_t line = strcspn(p, "\n");
		if (line == 0 || strspn(p, " \t\r") == line) {
			/* Two line ends in a row: the headers are over. */
			if (p[-1] == '\n')
				break;
			p += line;
		} else {
			p += line;
		}
	}
	char *sum = p < stop ? strstr(p, "\n=") : NULL;
	*ret_body = p;
	*ret_len = p < stop ? (size_t)((sum && sum < stop ? sum : stop) - p) : 0;
	return p < stop;
}

/* The binary form of keys is packets, whose first byte has its highest bit set (RFC 4880, 4.2). */
static int add_keys(struct keyring *ring, char *bytes, size_t len, const char *what, struct err *e)
{
	free_auto uint8_t *raw = NULL;
	char *body;
	size_t body_len;
	int r = 0;
	if (len && (unsigned char)bytes[0] >= 0x80)
		r = fd_write_all(ring->fd, bytes, len);
	else if (!find_armour(bytes, &body, &body_len) || base64_decode(body, body_len, &raw, &len) < 0 || !len)
		return err_new(e, EINVAL, "%s: no OpenPGP keys, neither in binary nor in ASCII armour", what);
	else
		r = fd_write_all(ring->fd, raw, len);
	return r < 0 ? err_ret(e, r, "keyring") : 0;
}

static int add_file(struct keyring *ring, const char *path, struct err *e)
{
	free_auto char *bytes = NULL;
	size_t len;
	int r = file_read(AT_FDCWD, path, KEYRING_MAX, true, &bytes, &len);
	return r < 0 ? err_ret(e, r, "%s", path) : add_keys(ring, bytes, len, path, e);
}

static int add_data(struct keyring *ring, const char *data, struct err *e)
{
	free_auto uint8_t *bytes = NULL;
	size_t len;
	if (base64_decode(data, strlen(data), &bytes, &len) < 0)
		return err_new(e, EINVAL, "keyData: not base64");
	return add_keys(ring, (char *)bytes, len, "keyData", e);
}

int keyring_open(const struct requirement *q, struct keyring *ret_ring, struct err *e)
{
	keyring_auto struct keyring ring = KEYRING_NONE;
	ring.fd = memfd_create("kist-keyring", MFD_CLOEXEC);
	if (ring.fd < 0)
		return err_sys(e, "keyring");
	int r = q->key_path ? add_file(&ring, q->key_path, e) : 0;
	if (r == 0 && q->key_data)
		r = add_data(&ring, q->key_data, e);
	for (size_t i = 0; r == 0 && i < q->key_paths.n; i++)
		r = add_file(&ring, q->key_paths.v[i], e);
	if (r < 0)
		return r;
	*ret_ring = ring;
	ring = KEYRING_NONE;
	return 0;
}

/* ---- gpgv ---- */

enum { FD_STATUS = 3, FD_RING, FD_MESSAGE, FD_COUNT };

static void limit(int what, rlim_t value)
{
	const struct rlimit l = { .rlim_cur = value, .rlim_max = value };
	setrlimit(what, &l);
}

/* In the child. It reads what a stranger wrote: little output, little time, nothing of ours but these descriptors. */
__attribute__((noreturn)) static void become_gpgv(const int fds[FD_COUNT])
{
	static const char *const paths[] = { "/usr/bin/gpgv", "/usr/local/bin/gpgv", "/bin/gpgv" };
	char *const argv[] = { (char[]){ "gpgv" },
			       (char[]){ "--homedir" },
			       (char[]){ "/proc/self/task" },
			       (char[]){ "--status-fd" },
			       (char[]){ "3" },
			       (char[]){ "--keyring" },
			       (char[]){ "/proc/self/fd/4" },
			       (char[]){ "--output" },
			       (char[]){ "-" },
			       (char[]){ "/proc/self/fd/5" },
			       NULL };
	char *const envp[] = { (char[]){ "LC_ALL=C" }, (char[]){ "HOME=/" }, NULL };
	for (int i = 0; i < FD_COUNT; i++)
		if (fds[i] <= i ? fds[i] != i || fcntl(i, F_SETFD, 0) < 0 : dup2(fds[i], i) < 0)
			_exit(126);
	close_range(FD_COUNT, ~0U, 0);
	limit(RLIMIT_FSIZE, OUTPUT_MAX);
	limit(RLIMIT_CPU, SECONDS_MAX);
	limit(RLIMIT_CORE, 0);
	signal(SIGPIPE, SIG_DFL);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		execve(paths[i], argv, envp);
	_exit(127);
}

/* Descriptors of a child must lie above those that it gets them as. */
static int raise_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 64);
}

static int run(const struct keyring *ring, int message, int out, int status, int *ret_status, struct err *e)
{
	fd_auto int null = openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
	int from[FD_COUNT] = { null, out, null, status, ring->fd, message };
	int fds[FD_COUNT], r = 0;
	for (int i = 0; i < FD_COUNT; i++) {
		fds[i] = raise_fd(from[i]);
		if (fds[i] < 0)
			r = err_sys(e, "gpgv");
	}
	pid_t pid = r < 0 ? -1 : fork();
	if (pid == 0)
		become_gpgv(fds);
	if (r == 0 && pid < 0)
		r = err_sys(e, "gpgv");
	for (int i = 0; i < FD_COUNT; i++)
		fd_close(fds[i]);
	while (r == 0 && waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			r = err_sys(e, "gpgv");
	return r;
}

/* ---- what it said ---- */

static size_t count(const char *status, const char *word)
{
	char line[64];
	size_t n = 0;
	snprintf(line, sizeof(line), "[GNUPG:] %s", word);
	for (const char *p = status; (p = strstr(p, line)); p += strlen(line))
		n += (p == status || p[-1] == '\n') && (p[strlen(line)] == ' ' || p[strlen(line)] == '\n');
	return n;
}

static int judge(const char *status, int code, struct err *e)
{
	static const struct {
		const char *word, *text;
	} bad[] = {
		{ "BADSIG", "the signature is wrong" },
		{ "REVKEYSIG", "the key was revoked" },
		{ "KEYREVOKED", "the key was revoked" },
		{ "EXPKEYSIG", "the key has expired" },
		{ "KEYEXPIRED", "the key has expired" },
		{ "EXPSIG", "the signature has expired" },
		{ "NO_PUBKEY", "not signed by the key" },
		{ "ERRSIG", "the signature cannot be verified" },
		{ "FAILURE", "not an OpenPGP signed message" },
		{ "NODATA", "not an OpenPGP signed message" },
		{ "UNEXPECTED", "not an OpenPGP signed message" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (count(status, bad[i].word))
			return err_new(e, EPERM, "%s", bad[i].text);
	/* One message, one signature: what else there may be has been verified by nobody. */
	if (!WIFEXITED(code) || WEXITSTATUS(code) != 0 || count(status, "NEWSIG") != 1 ||
	    count(status, "GOODSIG") != 1 || count(status, "VALIDSIG") != 1 || count(status, "PLAINTEXT") != 1)
		return err_new(e, EPERM, "not an OpenPGP message with one good signature");
	return 0;
}

static int read_all(int fd, size_t max, char **ret_bytes, size_t *ret_len, struct err *e)
{
	free_auto char *bytes = mem_alloc(max + 1);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "gpgv");
	ssize_t n = fd_read_all(fd, bytes, max);
	if (n < 0)
		return err_ret(e, (int)n, "gpgv");
	bytes[n] = '\0';
	*ret_bytes = ptr_take(bytes);
	*ret_len = (size_t)n;
	return 0;
}

int keyring_verify(const struct keyring *ring, const char *message, size_t len, char **ret_bytes, size_t *ret_len,
		   struct err *e)
{
	fd_auto int in = memfd_create("kist-signature", MFD_CLOEXEC), out = memfd_create("kist-signed", MFD_CLOEXEC);
	fd_auto int status = memfd_create("kist-status", MFD_CLOEXEC);
	free_auto char *said = NULL;
	size_t said_len;
	int code = 0;
	/* An armoured or clear-signed text is no signed message of containers-signature(5). */
	if (!len || (unsigned char)message[0] < 0x80)
		return err_new(e, EPERM, "not an OpenPGP signed message");
	if (in < 0 || out < 0 || status < 0)
		return err_sys(e, "gpgv");
	int r = fd_write_all(in, message, len);
	if (r < 0)
		return err_ret(e, r, "gpgv");
	if ((r = run(ring, in, out, status, &code, e)) < 0)
		return r;
	if (WIFEXITED(code) && WEXITSTATUS(code) == 127)
		return err_new(e, ENOENT, "gpgv: not installed (Debian: package gpgv); signedBy needs it");
	if ((r = read_all(status, OUTPUT_MAX, &said, &said_len, e)) < 0 || (r = judge(said, code, e)) < 0)
		return r;
	return read_all(out, TRUST_PAYLOAD_MAX, ret_bytes, ret_len, e);
}
