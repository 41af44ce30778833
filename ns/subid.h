/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ids that a user may give to processes of its own: /etc/subuid and /etc/subgid. Source: subuid(5). Runs in the
 * parent, only for users other than root.
 */
#pragma once
#include <sys/types.h>

#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

enum { SUBID_RANGES_MAX = 32 };

/*
 * Reads "user:first:count" lines that are for `name` (may be NULL) or the decimal `uid`, and makes an id map of them: the
 * id `own` is 0 within, the ranges follow from 1 on. Lines that are none are passed over, as newuidmap(1) does. Pure.
 * Returns how many ids there are without the own one; *ret is then at least the one line of the own id.
 */
uint32_t subid_parse(const char *text, const char *name, uid_t uid, uint32_t own, struct arena *a,
		     struct spec_id_maps *ret);

/* The name of a user by /etc/passwd, else by $USER, which the set-user-ID helper checks anyway. In the arena; NULL. */
const char *subid_user_name(uid_t uid, struct arena *a);

/*
 * Both maps of the calling user. -ENOENT, with words that say what to do: a file is missing or names nothing for the
 * user.
 */
int subid_maps(struct arena *a, struct spec_id_maps *ret_uids, struct spec_id_maps *ret_gids, struct err *e);
