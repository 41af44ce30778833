/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which scopes of a policy an image falls under, the most specific first. Pure. For image/trust only. Source:
 * containers-policy.json(5), "Supported transports and their scopes".
 */
#pragma once
#include "image/trust/trust.h"
#include "util/arena.h"

enum { SCOPE_LIST_MAX = 300 };

struct scope_list {
	const char *v[SCOPE_LIST_MAX]; /* without the transport's default, "" */
	size_t n;
};

bool scope_transport_is_known(const char *transport);

/* Checks that a scope can match something. -EINVAL with words. */
int scope_check(const char *transport, const char *scope, struct err *e);

/* The scopes that fit an image, in the arena. */
void scope_list_make(const struct trust_subject *s, struct arena *arena, struct scope_list *ret_list);
