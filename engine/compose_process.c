/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a composition: arguments, environment, user, working directory, terminal, limits of the process. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/compose_parts.h"
#include "engine/users.h"
#include "spec/words.h"
#include "util/fd.h"
#include "util/path.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void add_all(struct arena *a, struct strs *list, const struct strs *more)
{
	for (size_t i = 0; i < more->n; i++)
		compose_add_str(a, list, more->v[i]);
}

/* Entrypoint and Cmd as Docker joins them: a new entrypoint takes the image's Cmd away too. */
static int compose_args(struct compose *c, struct err *e)
{
	static const struct image_process none;
	const struct image_process *image = c->image && !c->is_process_given ? c->image->process : &none;
	struct strs args = { 0 };

	if (c->o->entrypoint) {
		if (*c->o->entrypoint)
			compose_add_str(c->a, &args, c->o->entrypoint);
		add_all(c->a, &args, &c->o->command);
	} else {
		add_all(c->a, &args, &image->entrypoint);
		add_all(c->a, &args, c->o->command.n ? &c->o->command : &image->cmd);
		if (!args.n)
			args = c->s->process->args;
	}
	if (!args.n)
		return err_new(e, EINVAL, "no command: neither the command line nor the image names one");
	c->s->process->args = args;
	return 0;
}

static void compose_environment(struct compose *c)
{
	struct spec_process *p = c->s->process;
	struct strs env = { 0 };

	compose_add_str(c->a, &env, PATH_DEFAULT);
	if (c->s->hostname)
		compose_add_str(c->a, &env, arena_fmt(c->a, "HOSTNAME=%s", c->s->hostname));
	if (p->terminal.v)
		compose_add_str(c->a, &env, "TERM=xterm");
	for (size_t i = 0; c->image && i < c->image->process->env.n; i++)
		compose_set_env(c->a, &env, c->image->process->env.v[i]);
	for (size_t i = 0; i < p->env.n; i++)
		compose_set_env(c->a, &env, p->env.v[i]);
	for (size_t i = 0; i < c->o->env.n; i++)
		compose_set_env(c->a, &env, c->o->env.v[i]);
	p->env = env;
}

static int compose_user(struct compose *c, struct err *e)
{
	struct spec_process *p = c->s->process;
	const char *word = c->o->user;
	struct spec_user *user = arena_new(c->a, struct spec_user);

	if (!word && p->user && !c->o->groups.n)
		return 0;
	if (!word && p->user)
		word = arena_fmt(c->a, "%u:%u", p->user->uid.v, p->user->gid.v);
	if (!word && c->image)
		word = c->image->process->user;
	int r = users_resolve(c->place->tree, word, &c->o->groups, c->a, user, e);
	if (r < 0)
		return r;
	if (p->user)
		user->umask = p->user->umask;
	p->user = user;
	return 0;
}

/* Docker makes the working directory of an image that lacks it. */
static int compose_cwd(struct compose *c, struct err *e)
{
	struct spec_process *p = c->s->process;
	const char *cwd = c->o->workdir ? c->o->workdir : p->cwd;

	if (!cwd && c->image && c->image->process->workdir && *c->image->process->workdir)
		cwd = c->image->process->workdir;
	if (!cwd)
		cwd = "/";
	if (c->o->workdir && *cwd != '/')
		return err_new(e, EINVAL, "option --workdir %s: expected an absolute path", cwd);
	p->cwd = *cwd == '/' ? cwd : arena_fmt(c->a, "/%s", cwd);
	if (!c->image || c->place->dir < 0 || strcmp(p->cwd, "/") == 0)
		return 0;
	fd_auto int dir = path_make_dirs(c->place->tree, p->cwd, 0755);
	if (dir == -EROFS)
		return 0;
	return dir < 0 ? err_ret(e, dir, "working directory %s", p->cwd) : 0;
}

/* ---- --ulimit NAME=SOFT[:HARD] ---- */

static bool to_limit(const char *text, uint64_t *ret)
{
	char *end;

	if (!strcmp(text, "unlimited") || !strcmp(text, "-1")) {
		*ret = UINT64_MAX;
		return true;
	}
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return !errno && !*end;
}

static int set_rlimit(struct compose *c, const struct spec_rlimit *limit)
{
	struct spec_rlimits *list = &c->s->process->rlimits;

	for (size_t i = 0; i < list->n; i++) {
		if (list->v[i].type != limit->type)
			continue;
		list->v[i] = *limit;
		return 0;
	}
	struct spec_rlimit *v = arena_array(c->a, list->n + 1, sizeof(*v));
	if (list->n)
		memcpy(v, list->v, list->n * sizeof(*v));
	v[list->n] = *limit;
	*list = (struct spec_rlimits){ .v = v, .n = list->n + 1 };
	return 0;
}

static int compose_ulimit(struct compose *c, const char *word, struct err *e)
{
	char name[32] = "RLIMIT_";
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : 0, at = strlen(name);
	struct spec_rlimit limit = { .soft = { .has = true }, .hard = { .has = true } };

	if (!len || len >= sizeof(name) - at)
		return err_new(e, EINVAL, "option --ulimit %s: expected NAME=SOFT[:HARD]", word);
	for (size_t i = 0; i < len; i++)
		name[at + i] = (char)toupper((unsigned char)word[i]);
	const struct jx_word *row = jx_word_find(spec_rlimit_words, name);
	if (!row)
		return err_new(e, EINVAL, "option --ulimit %s: unknown limit", word);
	const char *colon = strchr(equals, ':');
	const char *soft = colon ? arena_strn(c->a, equals + 1, (size_t)(colon - equals - 1)) : equals + 1;
	if (!to_limit(soft, &limit.soft.v) || !to_limit(colon ? colon + 1 : soft, &limit.hard.v))
		return err_new(e, EINVAL, "option --ulimit %s: expected numbers or \"unlimited\"", word);
	limit.type = (int)row->value;
	return set_rlimit(c, &limit);
}

int compose_process(struct compose *c, struct err *e)
{
	int r = 0;

	if (c->o->terminal.has)
		c->s->process->terminal = c->o->terminal;
	r = compose_args(c, e);
	if (r == 0)
		r = compose_user(c, e);
	if (r == 0)
		r = compose_cwd(c, e);
	for (size_t i = 0; r == 0 && i < c->o->ulimits.n; i++)
		r = compose_ulimit(c, c->o->ulimits.v[i], e);
	if (r == 0)
		compose_environment(c);
	return r;
}
