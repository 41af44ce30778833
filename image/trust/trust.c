/* SPDX-License-Identifier: Apache-2.0 */
/* See trust.h. Source: containers-policy.json(5). */
#include "image/trust/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "image/trust/policy.h"
#include "image/trust/registriesd.h"
#include "image/trust/scope.h"
#include "image/trust/signedby.h"
#include "image/trust/sigstore.h"
#include "util/fd.h"

enum { POLICY_MAX = 4 << 20 };

struct trust {
	struct arena arena;
	const char *path; /* NULL: there is no policy */
	struct policy policy;
	struct registriesd registries; /* read when it is needed first */
	bool has_registries;
};

/* ---- opening ---- */

static int read_policy(struct trust *t, char **ret_bytes, size_t *ret_len, struct err *e)
{
	const char *home = getenv("HOME");
	const char *paths[2] = { home && *home ? arena_fmt(&t->arena, "%s/.config/containers/policy.json", home)
					       : NULL,
				 "/etc/containers/policy.json" };
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (!paths[i])
			continue;
		int r = file_read(AT_FDCWD, paths[i], POLICY_MAX, true, ret_bytes, ret_len);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		t->path = paths[i];
		return r < 0 ? err_ret(e, r, "%s", paths[i]) : 0;
	}
	return 0;
}

int trust_open(const char *path, struct trust **ret_trust, struct err *e)
{
	trust_auto struct trust *t = mem_zero(1, sizeof(*t));
	free_auto char *bytes = NULL;
	size_t len = 0;
	int r;
	if (path) {
		t->path = arena_str(&t->arena, path);
		r = file_read_given(path, POLICY_MAX, &bytes, &len);
		if (r < 0)
			return err_ret(e, r, "policy %s", path);
	} else if ((r = read_policy(t, &bytes, &len, e)) < 0) {
		return r;
	}
	if (t->path && (r = policy_load(bytes, len, t->path, &t->arena, &t->policy, e)) < 0)
		return r;
	*ret_trust = ptr_take(t);
	return 0;
}

void trust_close(struct trust *t)
{
	if (!t)
		return;
	arena_done(&t->arena);
	registriesd_done(&t->registries);
	free(t);
}

static int need_registries(struct trust *t, struct err *e)
{
	int r = t->has_registries ? 0 : registriesd_load(&t->registries, e);
	t->has_registries = r == 0;
	return r;
}

/* ---- the requirements of an image ---- */

struct match {
	const struct requirements *all;
	const char *at; /* their path in the file */
};

static const struct scopes *find_transport(const struct policy *p, const char *transport)
{
	for (size_t i = 0; i < p->transports.n; i++)
		if (strcmp(p->transports.v[i].key, transport) == 0)
			return &p->transports.v[i].scopes;
	return NULL;
}

static const struct scope *find_scope(const struct scopes *scopes, const char *key)
{
	for (size_t i = 0; i < scopes->n; i++)
		if (strcmp(scopes->v[i].key, key) == 0)
			return &scopes->v[i];
	return NULL;
}

/* The most specific match alone counts. */
static struct match find_match(const struct policy *p, const struct trust_subject *s, struct arena *arena)
{
	struct scope_list list;
	const struct scopes *scopes = find_transport(p, s->transport);
	const struct scope *hit = NULL;
	scope_list_make(s, arena, &list);
	for (size_t i = 0; scopes && !hit && i < list.n; i++)
		hit = find_scope(scopes, list.v[i]);
	if (scopes && !hit)
		hit = find_scope(scopes, "");
	if (!hit)
		return (struct match){ &p->fallback, "default" };
	return (struct match){ &hit->all, arena_fmt(arena, "transports.%s[\"%s\"]", s->transport, hit->key) };
}

static const char *subject_text(const struct trust_subject *s, const struct named *image, struct arena *arena)
{
	char text[NAMED_TEXT_MAX];
	if (image)
		return arena_fmt(arena, "%s://%s", s->transport, named_text(image, text));
	if (s->path)
		return arena_fmt(arena, "%s:%s%s%s", s->transport, s->path, s->tag && *s->tag ? ":" : "",
				 s->tag ? s->tag : "");
	return arena_fmt(arena, "%s:", s->transport);
}

static int check_one(struct trust *t, const struct requirement *q, const struct trust_subject *s,
		     const struct named *image, struct err *e)
{
	int r = 0;
	if ((q->type == REQUIRE_SIGSTORE || q->type == REQUIRE_GPG) && !s->fetch)
		return err_new(e, EPERM, "images of %s carry no signatures", s->transport);
	switch ((enum requirement_type)q->type) {
	case REQUIRE_NOTHING:
		return 0;
	case REQUIRE_SIGSTORE:
		return sigstore_check(q, s, image, e);
	case REQUIRE_GPG:
		r = need_registries(t, e);
		return r < 0 ? r : signedby_check(q, &t->registries, s, image, e);
	case REQUIRE_REJECT:
	case REQUIRE_NONE:
		break;
	}
	return err_new(e, EPERM, "such images are refused");
}

int trust_check(struct trust *t, const struct trust_subject *s, struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	struct named named;
	if (!t || !t->path)
		return 0;
	if (s->ref)
		named_of(s->ref, &named);
	const struct named *image = s->ref ? &named : NULL;
	struct match m = find_match(&t->policy, s, &arena);
	for (size_t i = 0; i < m.all->n; i++) {
		const struct requirement *q = &m.all->v[i];
		int r = check_one(t, q, s, image, e);
		if (r < 0)
			return err_at(e, r, "%s is not let in by %s: %s[%zu]: %s", subject_text(s, image, &arena),
				      t->path, m.at, i, requirement_name(q->type));
	}
	return 0;
}

int trust_wants_signatures(struct trust *t, const struct trust_subject *s, struct err *e)
{
	arena_auto struct arena arena = { .top = NULL };
	struct named named;
	if (!s->fetch)
		return 0;
	if (!s->ref)
		return 1;
	if (!t)
		return 0;
	if (t->path) {
		struct match m = find_match(&t->policy, s, &arena);
		for (size_t i = 0; i < m.all->n; i++)
			if (m.all->v[i].type == REQUIRE_SIGSTORE)
				return 1;
	}
	int r = need_registries(t, e);
	if (r < 0)
		return r;
	named_of(s->ref, &named);
	const struct registriesd_section *section = registriesd_find(&t->registries, &named);
	return section && section->attachments.v;
}
