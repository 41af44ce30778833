/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user namespace of a composition: --userns, --uidmap, --gidmap. With one, the container sees its layers and volumes
 * through the same map (engine/root.h), so that they can be shared with containers of other maps.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "engine/compose_parts.h"
#include "engine/idrange.h"
#include "engine/root.h"
#include "ns/enter.h"
#include "ns/userns.h"
#include "util/mem.h"
#include "util/num.h"
#include "util/proc.h"

enum { TTY_GID = 5, AUTO_IDS = 65536 };

/* ---- --uidmap, --gidmap CONTAINER:HOST[:COUNT] ---- */

/* Up to `max` numbers of 32 bits with colons between them, and nothing else. Returns how many, or -EINVAL. */
static int parse_numbers(const char *p, uint64_t *ret, int max)
{
	for (int n = 0; n < max; p++) {
		if (!num_take(&p, &ret[n]) || ret[n++] > UINT32_MAX)
			return -EINVAL;
		if (*p != ':')
			return *p ? -EINVAL : n;
	}
	return -EINVAL;
}

static int parse_map(const char *word, struct spec_id_map *ret)
{
	uint64_t v[3] = { 0, 0, 1 };

	if (parse_numbers(word, v, 3) < 2 || v[2] == 0 || v[0] + v[2] > UINT32_MAX || v[1] + v[2] > UINT32_MAX)
		return -EINVAL;
	*ret = (struct spec_id_map){ { true, (uint32_t)v[0] }, { true, (uint32_t)v[1] }, { true, (uint32_t)v[2] } };
	return 0;
}

static bool overlap(const struct opt_u32 *a, const struct opt_u32 *a_size, const struct opt_u32 *b,
		    const struct opt_u32 *b_size)
{
	return a->v < b->v + b_size->v && b->v < a->v + a_size->v;
}

static int parse_maps(struct compose *c, const char *option, const struct strs *words, struct spec_id_maps *ret,
		      struct err *e)
{
	*ret = (struct spec_id_maps){ .v = arena_array(c->a, words->n + 1, sizeof(*ret->v)) };
	for (size_t i = 0; i < words->n; i++) {
		struct spec_id_map *m = &ret->v[ret->n++];
		if (parse_map(words->v[i], m) < 0)
			return err_new(e, EINVAL, "option %s %s: expected CONTAINER:HOST[:COUNT], in numbers of 32 bits", option,
				       words->v[i]);
		for (size_t k = 0; k < i; k++)
			if (overlap(&m->container_id, &m->size, &ret->v[k].container_id, &ret->v[k].size) ||
			    overlap(&m->host_id, &m->size, &ret->v[k].host_id, &ret->v[k].size))
				return err_new(e, EINVAL, "option %s %s: has ids that %s has, too", option, words->v[i],
					       words->v[k]);
	}
	return 0;
}

static int use_given(struct compose *c, struct err *e)
{
	struct spec_linux *l = c->s->linux_;
	const struct strs *uids = &c->o->uid_maps, *gids = &c->o->gid_maps;
	int r = parse_maps(c, uids->n ? "--uidmap" : "--gidmap", uids->n ? uids : gids, &l->uid_mappings, e);

	/* As podman has it: one of both stands for the other. */
	return r < 0 ? r : parse_maps(c, gids->n ? "--gidmap" : "--uidmap", gids->n ? gids : uids, &l->gid_mappings, e);
}

/* ---- --userns ---- */

static int use_auto(struct compose *c, const char *words, struct err *e)
{
	struct spec_linux *l = c->s->linux_;
	uint64_t count = AUTO_IDS;
	uint32_t first;

	if (*words && (strncmp(words, ":size=", 6) != 0 || parse_numbers(words + 6, &count, 1) != 1 || count == 0 ||
		       count > IDRANGE_MAX))
		return err_new(e, EINVAL, "option --userns auto%s: expected auto, or auto:size=COUNT of at most %d", words,
			       IDRANGE_MAX);
	int r = idrange_take(c->place->store, c->place->dir, (uint32_t)count, &first, e);
	if (r < 0)
		return err_at(e, r, "option --userns auto");
	struct spec_id_map *m = arena_new(c->a, struct spec_id_map);
	*m = (struct spec_id_map){ { true, 0 }, { true, first }, { true, (uint32_t)count } };
	l->uid_mappings = l->gid_mappings = (struct spec_id_maps){ .v = m, .n = 1 };
	return 0;
}

static int check_words(const struct compose *c, struct err *e)
{
	const char *mode = c->o->userns;
	bool has_maps = c->o->uid_maps.n || c->o->gid_maps.n, is_auto = mode && strncmp(mode, "auto", 4) == 0;

	if (mode && has_maps)
		return err_new(e, EINVAL, "option --userns: --uidmap and --gidmap say already what it is");
	if (mode && !is_auto && strcmp(mode, "host") != 0)
		return err_new(e, EINVAL, "option --userns %s: expected host, auto or auto:size=COUNT%s", mode,
			       strcmp(mode, "keep-id") == 0 || strcmp(mode, "nomap") == 0 ?
				       "; a user's layers would have to be copied for it" : "");
	if ((is_auto || has_maps) && proc_is_in_userns())
		return err_new(e, EPERM, "option %s: only root of the host can map the ids of layers (mount_setattr(2)); a "
			       "user's containers have a user namespace of their own in any case",
			       mode ? "--userns" : c->o->uid_maps.n ? "--uidmap" : "--gidmap");
	if (!c->image && (is_auto || has_maps))
		return err_new(e, EINVAL, "option %s: is for containers of an image; of a directory, write "
			       "linux.uidMappings into its configuration",
			       mode ? "--userns" : c->o->uid_maps.n ? "--uidmap" : "--gidmap");
	return 0;
}

/* tty's group on most hosts is 5: where it is not mapped, the terminals are root's. */
static void fit_mounts(struct compose *c, const struct spec_id_maps *gids)
{
	if (userns_to_host(gids, TTY_GID) >= 0)
		return;
	for (size_t i = 0; i < c->s->mounts.n; i++) {
		struct strs *o = &c->s->mounts.v[i].options;
		size_t n = 0;
		for (size_t k = 0; k < o->n; k++)
			if (strcmp(o->v[k], "gid=5") != 0)
				o->v[n++] = o->v[k];
		o->n = n;
	}
}

static int fit_defaults(struct compose *c, struct err *e)
{
	struct spec_id_maps own;

	if (c->is_mounts_given)
		return 0;
	if (root_is_mapped(c->s))
		fit_mounts(c, &c->s->linux_->gid_mappings);
	if (!proc_is_in_userns())
		return 0;
	int r = enter_read_map("/proc/self/gid_map", c->a, &own, e);
	if (r == 0)
		fit_mounts(c, &own);
	return r;
}

int compose_userns(struct compose *c, struct err *e)
{
	const char *mode = c->o->userns;
	bool has_maps = c->o->uid_maps.n || c->o->gid_maps.n;
	int r = check_words(c, e);

	if (r == 0 && (mode || has_maps)) {
		compose_drop_namespace(c, CLONE_NEWUSER);
		c->s->linux_->uid_mappings.n = c->s->linux_->gid_mappings.n = 0;
	}
	if (r == 0 && (has_maps || (mode && strcmp(mode, "host") != 0))) {
		compose_add_namespace(c, CLONE_NEWUSER);
		r = has_maps ? use_given(c, e) : use_auto(c, mode + 4, e);
	}
	return r < 0 ? r : fit_defaults(c, e);
}
