/* SPDX-License-Identifier: Apache-2.0 */
/* See scope.h. Names of units, and the calls of kist-systemd. */
#include "cgroup/scope.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/helper.h"
#include "util/mem.h"

/* systemd.unit(5): a unit's name has at most 255 characters. */
enum { UNIT_MAX = 255 };

static const char *const spec_key = "linux.cgroupsPath";

/* ---- names ---- */

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), len = strlen(suffix);
	return n > len && strcmp(text + n - len, suffix) == 0;
}

static bool is_unit_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(":_.-", c);
}

/* "a-b.slice", whose parts become groups: none may be empty. "-.slice" is the root. systemd.slice(5). */
static bool is_slice(const char *s)
{
	if (strcmp(s, "-.slice") == 0)
		return true;
	if (!has_suffix(s, ".slice") || s[0] == '-' || strstr(s, "--") || strstr(s, "-.slice") || strlen(s) > UNIT_MAX)
		return false;
	for (; *s; s++)
		if (!is_unit_char(*s) && *s != '\\' && *s != '@')
			return false;
	return true;
}

/* What a unit's name cannot hold stands in it as "\x2b". systemd.unit(5), "String Escaping for Inclusion in Unit Names". */
static const char *escape(const char *text, struct arena *a)
{
	str_auto struct str s = STR_MAX(4 * UNIT_MAX);
	for (const char *p = text; *p; p++)
		if (is_unit_char(*p))
			str_add(&s, p, 1);
		else
			str_fmt(&s, "\\x%02x", (unsigned char)*p);
	return arena_str(a, s.p ? s.p : "");
}

static int refuse(const char *path, const char *why, struct err *e)
{
	return err_new(e, EINVAL, "%s: \"%s\": %s", spec_key, path, why);
}

int scope_parse(const char *cgroups_path, const char *id, bool is_user, struct arena *a, struct cgroup_scope *ret,
		struct err *e)
{
	const char *path = cgroups_path && *cgroups_path ? cgroups_path : arena_fmt(a, ":kist:%s", id);
	char *rest = arena_str(a, path);
	const char *slice = strsep(&rest, ":"), *prefix = strsep(&rest, ":"), *name = strsep(&rest, ":");
	if (!name || rest || strchr(path, '/'))
		return refuse(path, "systemd's cgroup manager takes SLICE:PREFIX:NAME", e);
	if (!*name)
		return refuse(path, "the name is empty", e);
	if (has_suffix(name, ".slice"))
		return refuse(path, "names a slice, in which systemd lets no process be", e);
	if (strcmp(slice, "-") == 0)
		slice = "-.slice";
	else if (!*slice)
		slice = is_user ? "user.slice" : "system.slice";
	if (!is_slice(slice))
		return refuse(path, "is not in a slice: \"a.slice\", \"a-b.slice\", or \"-\" for the root", e);
	const char *unit = arena_fmt(a, "%s%s%s%s", *prefix ? escape(prefix, a) : "", *prefix ? "-" : "", escape(name, a),
				     has_suffix(name, ".scope") ? "" : ".scope");
	if (strlen(unit) > UNIT_MAX)
		return refuse(path, "the unit's name would be longer than 255 characters", e);
	*ret = (struct cgroup_scope){ .unit = unit, .slice = slice, .is_user = is_user };
	return 0;
}

/* ---- kist-systemd ---- */

static int spawn_helper(const char *program, const char *const *words, int end, pid_t *ret_pid, struct err *e)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, end, STDIN_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	int num = posix_spawn(ret_pid, program, &actions, &attr, (char *const *)(uintptr_t)words, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return num ? err_new(e, num, "%s: %s", program, strerror(num)) : 0;
}

/* Runs the helper and takes its answer. */
static int ask(const char *const *words, struct scope_answer *ret, struct err *e)
{
	int ends[2];
	pid_t pid;
	free_auto char *program = helper_find("kist-systemd", e);
	if (!program)
		return -ENOENT;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, "kist-systemd: socket pair");
	fd_auto int ours = ends[0], theirs = ends[1];
	int r = spawn_helper(program, words, theirs, &pid, e);
	fd_drop(&theirs);
	if (r < 0)
		return r;
	ssize_t n = fd_read_all(ours, ret, sizeof(*ret));
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof(*ret))
		return err_new(e, EPIPE, "kist-systemd: ended without a word");
	ret->err.text[sizeof(ret->err.text) - 1] = '\0';
	ret->group[sizeof(ret->group) - 1] = '\0';
	if (ret->err.num == 0)
		return 0;
	*e = ret->err;
	e->exit = 0;
	return -e->num;
}

/* kist-systemd VERB user|system UNIT MARK [WORD...] */
static int call(const char *verb, const struct cgroup_scope *s, const char *slice, const char *pid,
		const struct strs *properties, struct scope_answer *ret, struct err *e)
{
	size_t n = 0, count = properties ? properties->n : 0;
	free_auto const char **words = mem_zero(count + 8, sizeof(*words));
	words[n++] = "kist-systemd";
	words[n++] = verb;
	words[n++] = s->is_user ? "user" : "system";
	words[n++] = s->unit;
	words[n++] = s->mark;
	if (slice) {
		words[n++] = slice;
		words[n++] = pid;
	}
	for (size_t i = 0; properties && i < count; i++)
		words[n++] = properties->v[i];
	int r = ask(words, ret, e);
	return r < 0 ? err_at(e, r, "scope %s", s->unit) : 0;
}

int scope_start(const struct cgroup_scope *s, pid_t pid, const struct strs *properties, struct arena *a,
		const char **ret_group, struct err *e)
{
	struct scope_answer answer;
	char number[16];
	snprintf(number, sizeof(number), "%d", (int)pid);
	int r = call("start", s, s->slice, number, properties, &answer, e);
	if (r < 0)
		return r;
	if (answer.group[0] != '/' || !answer.group[1])
		return err_new(e, EBADMSG, "scope %s: systemd gives it no group (\"%s\")", s->unit, answer.group);
	*ret_group = arena_str(a, answer.group + 1);
	return 0;
}

int scope_stop(const struct cgroup_scope *s, struct err *e)
{
	struct scope_answer answer;
	return call("stop", s, NULL, NULL, NULL, &answer, e);
}

int scope_set(const struct cgroup_scope *s, const struct strs *properties, struct err *e)
{
	struct scope_answer answer;
	return properties->n ? call("set", s, NULL, NULL, properties, &answer, e) : 0;
}
