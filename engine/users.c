/* SPDX-License-Identifier: Apache-2.0 */
/* See users.h. The look-up itself is runtime/user. */
#include "engine/users.h"

#include <errno.h>

#include "runtime/user.h"
#include "util/mem.h"

static void add_gid(struct u32s *list, uint32_t gid)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i] == gid)
			return;
	list->v[list->n++] = gid;
}

int users_resolve(int tree, const char *text, const struct strs *more_groups, struct arena *a, struct spec_user *ret,
		  struct err *e)
{
	struct user user = { 0 };
	int r = text && *text ? user_find(tree, text, a, &user, e) : 0;

	struct u32s list = { .v = arena_array(a, user.group_count + more_groups->n, sizeof(*list.v)) };
	for (size_t i = 0; r == 0 && i < user.group_count; i++)
		add_gid(&list, user.groups[i]);
	for (size_t i = 0; r == 0 && i < more_groups->n; i++) {
		gid_t gid = 0;
		r = user_find_group(tree, more_groups->v[i], &gid, e);
		if (r == 0)
			add_gid(&list, gid);
	}
	if (r < 0)
		return r;
	*ret = (struct spec_user){
		.uid = { .has = true, .v = user.uid }, .gid = { .has = true, .v = user.gid }, .additional_gids = list,
	};
	return 0;
}
