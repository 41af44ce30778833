/* SPDX-License-Identifier: Apache-2.0 */
/* See credhelper.h. */
#include "image/registry/credhelper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/registry/text.h"
#include "util/clock.h"
#include "util/fd.h"

extern char **environ;

struct run {
	char *program;
	const char *verb;
	const char *input;
	char *output; /* CREDHELPER_BYTES_MAX + 1 */
	size_t len;
	int status;
};

/* Docker keeps its own registry under a URL, in helpers too. */
static const char *key_of(const char *host)
{
	return strcmp(host, "docker.io") == 0 ? "https://index.docker.io/v1/" : host;
}

/* The name comes from a file and becomes part of a program's. */
static bool is_name(const char *name)
{
	size_t len = strlen(name);
	return len && len < 100 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

static int spawn(const struct run *x, int in, int out, pid_t *ret_pid)
{
	char *const argv[] = { x->program, (char *)(uintptr_t)x->verb, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t all;
	sigemptyset(&all);
	sigaddset(&all, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	int r = posix_spawnp(ret_pid, x->program, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -r;
}

/* Reads until the helper closes its output. -ETIMEDOUT, -EFBIG. */
static int read_output(struct run *x, int fd)
{
	int64_t end = clock_ms() + CREDHELPER_S * 1000;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end - clock_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		int r = poll(&p, 1, (int)left);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r <= 0)
			continue;
		ssize_t n = read(fd, x->output + x->len, CREDHELPER_BYTES_MAX + 1 - x->len);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		x->len += (size_t)n;
		if (x->len > CREDHELPER_BYTES_MAX)
			return -EFBIG;
	}
	x->output[x->len] = '\0';
	return 0;
}

/* The input is smaller than a pipe, so that writing it never waits. */
static int converse(struct run *x, struct err *e)
{
	int in[2], out[2];
	pid_t pid = -1;
	if (pipe2(in, O_CLOEXEC) < 0)
		return err_sys(e, "%s", x->program);
	fd_auto int in_read = in[0], in_write = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, "%s", x->program);
	fd_auto int out_read = out[0], out_write = out[1];
	int r = spawn(x, in_read, out_write, &pid);
	if (r < 0)
		return err_ret(e, r, "%s", x->program);
	fd_drop(&in_read);
	fd_drop(&out_write);
	fd_write_all(in_write, x->input, strlen(x->input)); /* a helper that does not read says why itself */
	fd_drop(&in_write);
	r = read_output(x, out_read);
	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &x->status, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? err_ret(e, r, "%s %s", x->program, x->verb) : 0;
}

/* Runs a verb. Returns 1; 0: the helper says that it has no such thing; -errno. */
static int run(const char *name, const char *verb, const char *input, char output[static CREDHELPER_BYTES_MAX + 2],
	       struct err *e)
{
	if (!is_name(name))
		return err_new(e, EINVAL, "credential helper \"%.80s\": no name of a program", name);
	free_auto char *program = mem_fmt("docker-credential-%s", name);
	struct run x = { .program = program, .verb = verb, .input = input, .output = output };
	if (strlen(input) > 4096)
		return err_new(e, EFBIG, "%s %s: more than 4096 bytes to say", program, verb);
	int r = converse(&x, e);
	if (r < 0)
		return r;
	if (WIFEXITED(x.status) && WEXITSTATUS(x.status) == 0)
		return 1;
	if (strstr(output, "credentials not found"))
		return 0;
	char words[200];
	text_clean(output, words, sizeof(words));
	if (WIFSIGNALED(x.status))
		return err_new(e, EIO, "%s %s: ended by signal %d", program, verb, WTERMSIG(x.status));
	return err_new(e, EIO, "%s %s: %s", program, verb, *words ? words : "ended with an error");
}

static int read_answer(const char *name, const char *output, struct creds *ret, struct err *e)
{
	json_t *root = json_loads(output, JSON_REJECT_DUPLICATES, NULL);
	const char *user = json_string_value(json_object_get(root, "Username"));
	const char *secret = json_string_value(json_object_get(root, "Secret"));
	if (!user || !secret) {
		json_decref(root);
		return err_new(e, EINVAL, "docker-credential-%s get: its answer has no Username and Secret", name);
	}
	bool is_token = strcmp(user, "<token>") == 0;
	*ret = (struct creds){
		.user = is_token ? NULL : mem_str(user),
		.password = is_token ? NULL : mem_str(secret),
		.identity_token = is_token ? mem_str(secret) : NULL,
		.from = mem_fmt("docker-credential-%s", name),
	};
	json_decref(root);
	return 1;
}

int credhelper_get(const char *name, const char *host, struct creds *ret, struct err *e)
{
	free_auto char *output = mem_zero(1, CREDHELPER_BYTES_MAX + 2);
	int r = run(name, "get", key_of(host), output, e);
	if (r == 1)
		r = read_answer(name, output, ret, e);
	explicit_bzero(output, CREDHELPER_BYTES_MAX);
	return r;
}

int credhelper_store(const char *name, const char *host, const char *user, const char *password, struct err *e)
{
	free_auto char *output = mem_zero(1, CREDHELPER_BYTES_MAX + 2);
	str_auto struct str input = STR_MAX(8192);
	str_puts(&input, "{\"ServerURL\":");
	jx_print_string(&input, key_of(host));
	str_puts(&input, ",\"Username\":");
	jx_print_string(&input, user);
	str_puts(&input, ",\"Secret\":");
	jx_print_string(&input, password);
	str_puts(&input, "}\n");
	int r = run(name, "store", input.p, output, e);
	explicit_bzero(input.p, input.len);
	return r == 0 ? err_new(e, EIO, "docker-credential-%s store: it did not", name) : r < 0 ? r : 0;
}

int credhelper_erase(const char *name, const char *host, struct err *e)
{
	free_auto char *output = mem_zero(1, CREDHELPER_BYTES_MAX + 2);
	return run(name, "erase", key_of(host), output, e);
}
