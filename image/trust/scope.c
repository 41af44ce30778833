/* SPDX-License-Identifier: Apache-2.0 */
/* See scope.h. */
#include "image/trust/scope.h"

#include <errno.h>
#include <string.h>

#include "image/trust/named.h"
#include "util/mem.h"

enum scope_kind {
	SCOPE_NAME, /* names of images and their prefixes */
	SCOPE_PATH, /* absolute paths */
	SCOPE_NONE, /* the default alone */
	SCOPE_ANY,  /* kist has no such images: nothing is known of them */
};

static const struct {
	const char *transport;
	enum scope_kind kind;
} kinds[] = {
	{ "docker", SCOPE_NAME },      { "atomic", SCOPE_NAME },       { "oci", SCOPE_PATH },
	{ "oci-archive", SCOPE_PATH }, { "dir", SCOPE_PATH },	       { "docker-archive", SCOPE_NONE },
	{ "tarball", SCOPE_NONE },     { "docker-daemon", SCOPE_ANY }, { "containers-storage", SCOPE_ANY },
	{ "ostree", SCOPE_ANY },       { "sif", SCOPE_ANY },
};

static int find(const char *transport)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].transport, transport) == 0)
			return (int)i;
	return -1;
}

bool scope_transport_is_known(const char *transport)
{
	return find(transport) >= 0;
}

/* ---- checking ---- */

static bool is_wildcard(const char *scope)
{
	struct named n;
	struct err ignored;
	char name[REF_NAME_MAX];
	size_t len = strlen(scope);
	if (len < 3 || len + 4 > sizeof(name) ||
	    strspn(scope + 2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "0123456789.-") != len - 2)
		return false;
	/* "*.example.com" is as good as "x.example.com/x". */
	memcpy(name, "x", 1);
	memcpy(name + 1, scope + 1, len - 1);
	memcpy(name + len, "/x", 3);
	return scope[2] != '.' && scope[len - 1] != '.' && !strstr(scope, "..") &&
	       named_parse(name, &n, &ignored) == 0;
}

static int check_name(const char *scope, struct err *e)
{
	struct named n;
	struct err ignored;
	char text[NAMED_TEXT_MAX];
	if (scope[0] == '*' && scope[1] == '.') {
		if (is_wildcard(scope))
			return 0;
		return err_new(e, EINVAL, "not *. and a domain");
	}
	if (named_is_prefix(scope))
		return 0;
	if (named_parse(scope, &n, &ignored) < 0)
		return err_new(e, EINVAL, "neither HOST[:PORT][/PATH[:TAG|@DIGEST]] nor *.DOMAIN");
	named_text(&n, text);
	if (strcmp(text, scope) != 0 || (n.tag[0] && n.digest[0]))
		return err_new(e, EINVAL, "would never match: names count in full, as in \"%.200s\"", text);
	return 0;
}

static int check_path(const char *scope, struct err *e)
{
	size_t len = strlen(scope);
	if (scope[0] != '/')
		return err_new(e, EINVAL, "not an absolute path");
	if (len == 1)
		return err_new(e, EINVAL, "write the transport's default as \"\"");
	if (strstr(scope, "//") || strstr(scope, "/./") || strstr(scope, "/../") || scope[len - 1] == '/' ||
	    (len > 1 && strcmp(scope + len - 2, "/.") == 0) || (len > 2 && strcmp(scope + len - 3, "/..") == 0))
		return err_new(e, EINVAL, "would never match: not a path in its plain form");
	return 0;
}

int scope_check(const char *transport, const char *scope, struct err *e)
{
	int i = find(transport);
	switch (i < 0 ? SCOPE_ANY : kinds[i].kind) {
	case SCOPE_NAME:
		return check_name(scope, e);
	case SCOPE_PATH:
		return check_path(scope, e);
	case SCOPE_NONE:
		return err_new(e, EINVAL, "%s has no scope but the default, \"\"", transport);
	case SCOPE_ANY:
		break;
	}
	return 0;
}

/* ---- matching ---- */

static void add(struct scope_list *list, const char *scope)
{
	if (list->n < SCOPE_LIST_MAX)
		list->v[list->n++] = scope;
}

/* NAME:TAG or NAME@DIGEST, NAME, its parents up to the host, then *.DOMAIN of the host without its port. */
static void add_names(const struct ref *ref, struct arena *arena, struct scope_list *list)
{
	struct named n;
	char text[NAMED_TEXT_MAX];
	named_of(ref, &n);
	add(list, arena_str(arena, named_text(&n, text)));
	for (size_t len = strlen(n.name); len; len--)
		if (n.name[len] == '\0' || n.name[len] == '/')
			add(list, arena_strn(arena, n.name, len));
	char *host = arena_strn(arena, n.name, strcspn(n.name, "/:"));
	for (const char *dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.'))
		add(list, arena_fmt(arena, "*%s", dot));
}

/* PATH:TAG, PATH, its parents; "/" is the default. */
static void add_paths(const struct trust_subject *s, struct arena *arena, struct scope_list *list)
{
	if (s->tag && *s->tag)
		add(list, arena_fmt(arena, "%s:%s", s->path, s->tag));
	for (size_t len = strlen(s->path); len > 1; len--)
		if (s->path[len] == '\0' || s->path[len] == '/')
			add(list, arena_strn(arena, s->path, len));
}

void scope_list_make(const struct trust_subject *s, struct arena *arena, struct scope_list *ret_list)
{
	ret_list->n = 0;
	if (s->ref)
		add_names(s->ref, arena, ret_list);
	else if (s->path)
		add_paths(s, arena, ret_list);
}
