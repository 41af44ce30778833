/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices by name and index: looked up, moved, renamed, set up. For net/ alone. Source: rtnetlink(7). */
#pragma once
#include <net/if.h>

#include "net/nl.h"

struct link {
	int index;
	unsigned flags;           /* IFF_* */
	char name[IFNAMSIZ];
};

/* Looks a device up by name, or by index when `name` is NULL. -ENODEV: there is none. */
int link_find(struct nl *n, const char *name, int index, struct link *ret, struct err *e);

/* Builds the request that moves a device into the namespace `ns` and gives it the name `name` there. */
void link_move_message(struct nl_message *m, int index, int ns, const char *name);

/*
 * Moves a device. The kernel sets it down and takes its addresses away. The name is used at once when the old one is
 * taken there, so it must be free.
 */
int link_move(struct nl *n, int index, int ns, const char *name, struct err *e);

/* Gives a device that is down another name; for a "%d" in it the kernel takes the first number that is free. -EEXIST. */
int link_rename(struct nl *n, int index, const char *name, struct err *e);

int link_set_up(struct nl *n, int index, struct err *e);
