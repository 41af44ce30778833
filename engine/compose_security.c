/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, --security-opt. Sources: capabilities(7), runtime-spec config.md "Linux Process". */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "engine/compose_parts.h"
#include "spec/fields.h"
#include "spec/words.h"
#include "util/mem.h"

/* What podman gives, and Docker but for CAP_NET_RAW, CAP_MKNOD and CAP_AUDIT_WRITE. */
static const char *const default_caps[] = {
	"CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID",  "CAP_KILL",      "CAP_NET_BIND_SERVICE",
	"CAP_SETFCAP", "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
};

#define CAP_BIT(n) ((uint64_t)1 << (n))

static uint64_t set_of(const struct strs *names)
{
	uint64_t set = 0;

	for (size_t i = 0; i < names->n; i++) {
		const struct jx_word *w = jx_word_find(spec_capability_words, names->v[i]);
		set |= w ? CAP_BIT(w->value) : 0;
	}
	return set;
}

static struct strs names_of(struct arena *a, uint64_t set)
{
	struct strs list = { .v = arena_array(a, 65, sizeof(*list.v)) };

	for (const struct jx_word *w = spec_capability_words; w->name; w++)
		if (set & CAP_BIT(w->value))
			list.v[list.n++] = w->name;
	return list;
}

/* Reads "net_admin", "CAP_NET_ADMIN" or "ALL" (which is all that we can give). */
static int one_cap(const char *option, const char *word, uint64_t *ret, bool *ret_is_all, struct err *e)
{
	char name[48];
	bool has_prefix = strncasecmp(word, "cap_", 4) == 0;
	int n = snprintf(name, sizeof(name), "%s%s", has_prefix ? "" : "CAP_", word);

	if (!strcasecmp(word, "all")) {
		*ret_is_all = true;
		return 0;
	}
	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	const struct jx_word *w = (size_t)n < sizeof(name) ? jx_word_find(spec_capability_words, name) : NULL;
	const char *near = w ? NULL : jx_nearest(spec_capability_words, name);
	if (!w)
		return err_new(e, EINVAL, "option %s %s: unknown capability%s%s%s", option, word,
			       near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
	*ret |= CAP_BIT(w->value);
	return 0;
}

static int cap_words(const char *option, const struct strs *words, uint64_t *ret, bool *ret_is_all, struct err *e)
{
	int r = 0;

	*ret = 0;
	*ret_is_all = false;
	for (size_t i = 0; r == 0 && i < words->n; i++)
		r = one_cap(option, words->v[i], ret, ret_is_all, e);
	return r;
}

/* All that our own bounding set holds: naming more would only be answered with warnings. */
static uint64_t own_bounding(void)
{
	uint64_t set = 0;

	for (const struct jx_word *w = spec_capability_words; w->name; w++)
		if (prctl(PR_CAPBSET_READ, w->value, 0, 0, 0) == 1)
			set |= CAP_BIT(w->value);
	return set;
}

static int compose_caps(struct compose *c, struct err *e)
{
	struct spec_process *p = c->s->process;
	const struct strs defaults = { .v = arena_array(c->a, ARRAY_LEN(default_caps), sizeof(char *)),
				       .n = ARRAY_LEN(default_caps) };
	uint64_t add, drop;
	bool is_add_all, is_drop_all;

	if (p->capabilities && !c->o->cap_add.n && !c->o->cap_drop.n)
		return 0;
	memcpy(defaults.v, default_caps, sizeof(default_caps));
	int r = cap_words("--cap-add", &c->o->cap_add, &add, &is_add_all, e);
	if (r == 0)
		r = cap_words("--cap-drop", &c->o->cap_drop, &drop, &is_drop_all, e);
	if (r < 0)
		return r;
	uint64_t set = set_of(p->capabilities ? &p->capabilities->bounding : &defaults);
	if (is_drop_all)
		set = 0;
	else if (is_add_all)
		set = own_bounding();
	set = (set & ~drop) | add;
	const struct strs *ambient = p->capabilities ? &p->capabilities->ambient : NULL;
	struct spec_capabilities *caps = arena_new(c->a, struct spec_capabilities);
	caps->bounding = caps->effective = caps->permitted = names_of(c->a, set);
	if (ambient && ambient->n)
		caps->ambient = caps->inheritable = names_of(c->a, set & set_of(ambient));
	p->capabilities = caps;
	return 0;
}

/* ---- --security-opt ---- */

/* A filter of which some words would have no effect is not the filter that was asked for. */
static void on_unknown(void *ctx, const char *path, const char *nearest)
{
	struct err *e = ctx;

	(void)nearest;
	if (!e->num)
		err_new(e, EINVAL, "%s: unknown key (the file is to hold what linux.seccomp holds; Docker's profile format "
			"is another)", path);
}

static int load_filter(struct compose *c, const char *path, struct err *e)
{
	struct spec_seccomp *f = arena_new(c->a, struct spec_seccomp);
	struct err unknown = { 0 };
	const struct jx_listener listener = { .unknown = on_unknown, .ctx = &unknown };
	int r = jx_load_file(AT_FDCWD, path, spec_seccomp_fields, f, c->a, &listener, e);

	if (r == 0 && unknown.num) {
		*e = unknown;
		r = -unknown.num;
	}
	if (r < 0)
		return err_at(e, r, "option --security-opt seccomp=%s", path);
	c->s->linux_->seccomp = f;
	return 0;
}

/* The value behind a word, "" when there is none; NULL: another word. */
static const char *value_of(const char *text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(text, word, len) != 0)
		return NULL;
	if (text[len] == '=' || text[len] == ':')
		return text + len + 1;
	return text[len] ? NULL : "";
}

static int security_word(struct compose *c, const char *word, struct err *e)
{
	const char *nnp = value_of(word, "no-new-privileges"), *seccomp = value_of(word, "seccomp");

	if (nnp && (!*nnp || !strcmp(nnp, "true") || !strcmp(nnp, "false"))) {
		c->s->process->no_new_privileges = (struct opt_bool){ .has = true, .v = strcmp(nnp, "false") != 0 };
		return 0;
	}
	if (seccomp && !strcmp(seccomp, "unconfined")) {
		c->s->linux_->seccomp = NULL;
		return 0;
	}
	if (seccomp && *seccomp)
		return load_filter(c, seccomp, e);
	/* These ask for what is so anyway. */
	if (!strcmp(word, "label=disable") || !strcmp(word, "apparmor=unconfined"))
		return 0;
	return err_new(e, EINVAL, "option --security-opt %s: expected no-new-privileges, seccomp=FILE or "
		       "seccomp=unconfined", word);
}

int compose_security(struct compose *c, struct err *e)
{
	int r = compose_caps(c, e);

	for (size_t i = 0; r == 0 && i < c->o->security.n; i++)
		r = security_word(c, c->o->security.v[i], e);
	return r;
}
