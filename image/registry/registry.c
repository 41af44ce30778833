/* SPDX-License-Identifier: Apache-2.0 */
/* See registry.h: opening, closing, and the choice among mirrors and meanings of a short name. */
#include "image/registry/registry.h"

#include <errno.h>
#include <string.h>

#include "image/registry/client.h"

char *registry_url_path(const struct session *s, const char *rest)
{
	return mem_fmt("/v2/%s/%s", s->endpoint.path, rest);
}

char *registry_scope(const struct session *s, bool writes)
{
	return mem_fmt("repository:%s:%s", s->endpoint.path, writes ? "pull,push" : "pull");
}

/* By several threads at a time: a target that was not needed before may be now. */
static int open_target(struct registry *r, struct target *t, struct err *e)
{
	int n = 0;
	pthread_mutex_lock(&r->lock);
	if (!t->is_open)
		n = session_open(&t->session, &r->http, &r->options, t->endpoint, &r->conf.credential_helpers, e);
	if (n == 0)
		t->is_open = true;
	pthread_mutex_unlock(&r->lock);
	return n;
}

static void choose(struct registry *r, struct target *t)
{
	const char *full = r->candidates.v[t->candidate].name;
	r->chosen = t;
	snprintf(r->name, sizeof(r->name), "%s", ref_short(full));
	snprintf(r->path, sizeof(r->path), "%s", t->endpoint->path);
}

struct session *registry_session(struct registry *r, struct err *e)
{
	struct target *t = r->chosen ? r->chosen : &r->targets[0];
	return open_target(r, t, e) < 0 ? NULL : &t->session;
}

struct session *registry_next(struct registry *r, const struct session *s)
{
	size_t i = 0;
	while (&r->targets[i].session != s)
		i++;
	const size_t candidate = r->targets[i].candidate;
	struct err ignored;
	if (++i == r->target_count || r->targets[i].candidate != candidate)
		return NULL;
	return open_target(r, &r->targets[i], &ignored) < 0 ? NULL : &r->targets[i].session;
}

/* Of several failures all are told, since each may be the one that matters. */
static int join(struct registry *r, size_t tried, int num, const struct str *all, struct err *e)
{
	return tried > 1 ? err_new(e, -num, "%s: nowhere: %s", r->candidates.v[0].name, all->p) : num;
}

int registry_ask(struct registry *r, target_fn *ask, void *ctx, struct err *e)
{
	if (r->chosen)
		return ask(&r->chosen->session, ctx, e);
	str_auto struct str all = STR_MAX(ERR_TEXT_MAX);
	int last = -ENOENT;
	for (size_t i = 0; i < r->target_count; i++) {
		struct target *t = &r->targets[i];
		int n = open_target(r, t, e);
		if (n == 0)
			n = ask(&t->session, ctx, e);
		if (n >= 0) {
			choose(r, t);
			return n;
		}
		if (n == -ECANCELED)
			return n;
		last = n;
		str_fmt(&all, "%s%s", i ? "; " : "", e->text);
	}
	return join(r, r->target_count, last, &all, e);
}

static void list_targets(struct registry *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->candidates.n; i++)
		n += r->candidates.v[i].count;
	r->targets = mem_zero(n, sizeof(*r->targets));
	for (size_t i = 0; i < r->candidates.n; i++)
		for (size_t j = 0; j < r->candidates.v[i].count; j++) {
			struct target *t = &r->targets[r->target_count++];
			t->endpoint = &r->candidates.v[i].endpoints[j];
			t->candidate = i;
		}
}

static int open_all(struct registry *r, const struct ref *ref, enum registry_use use, struct err *e)
{
	int n = conf_open(&r->conf, e);
	if (n == 0)
		n = hosts_resolve(&r->conf, ref, use == REGISTRY_PUSH, &r->candidates, e);
	if (n == 0)
		list_targets(r);
	if (n == 0 && r->target_count == 1)
		n = open_target(r, &r->targets[0], e);
	if (n == 0 && r->target_count == 1)
		choose(r, &r->targets[0]);
	return n;
}

int registry_open(const struct ref *ref, enum registry_use use, const struct registry_options *options,
		  struct registry **ret_registry, struct err *e)
{
	registry_auto struct registry *r = mem_zero(1, sizeof(*r));
	r->options = *options;
	pthread_mutex_init(&r->lock, NULL);
	int n = http_open(&r->http, &r->options, e);
	if (n == 0)
		n = open_all(r, ref, use, e);
	if (n < 0)
		return n;
	if (!r->chosen) {
		snprintf(r->name, sizeof(r->name), "%s", ref_short(r->candidates.v[0].name));
		snprintf(r->path, sizeof(r->path), "%s", r->targets[0].endpoint->path);
	}
	*ret_registry = ptr_take(r);
	return 0;
}

void registry_done(struct registry **at)
{
	struct registry *r = *at;
	if (!r)
		return;
	for (size_t i = 0; i < r->target_count; i++)
		if (r->targets[i].is_open)
			session_done(&r->targets[i].session);
	free(r->targets);
	candidates_done(&r->candidates);
	conf_done(&r->conf);
	http_done(&r->http);
	pthread_mutex_destroy(&r->lock);
	free(r);
	*at = NULL;
}

const char *registry_name(const struct registry *r)
{
	return r->name;
}

const char *registry_host(const struct registry *r)
{
	const struct target *t = r->chosen ? r->chosen : &r->targets[0];
	return t->endpoint->host;
}

const char *registry_path(const struct registry *r)
{
	return r->path;
}

void registry_cancel(struct registry *r)
{
	http_cancel(&r->http);
}
