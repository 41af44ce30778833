/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of users and groups, looked up in the container's own /etc/passwd and /etc/group, by runtime/user.h: a user's
 * group is that of passwd, else 0; unless a group is named too, the user gets the groups that list it. Caller:
 * engine/compose. Parent.
 */
#pragma once
#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

/*
 * Resolves USER[:GROUP] (names or numbers; NULL or "": root) and more groups. `tree` is the container's root (-1: there
 * is none to look into, so that names are refused). Lists come from the arena. -ENOENT: no such user or group.
 */
int users_resolve(int tree, const char *text, const struct strs *more_groups, struct arena *a, struct spec_user *ret,
		  struct err *e);
