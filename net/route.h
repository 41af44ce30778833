/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes that somebody has put on a device. A move takes them away; they are kept for the way back alone. For net/.
 * Source: rtnetlink(7).
 */
#pragma once
#include <stddef.h>

#include "net/nl.h"

struct routes {
	struct nlmsghdr **v;      /* as the kernel tells them */
	size_t n;
};

/* All unicast routes through a device, but those that the kernel makes of addresses. The caller frees by routes_done. */
int routes_read(struct nl *n, int index, struct routes *ret, struct err *e);
void routes_done(struct routes *r);

/* Puts them on a device, which may have another index now. Goes on after a failure, and returns the first. */
int routes_add(struct nl *n, int index, const struct routes *r, struct err *e);
