/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several devices into a container's network namespace, all or none: each is moved, renamed, given its permanent global
 * addresses and set up. Until the caller is content, everything can be taken back, addresses of all kinds and routes
 * included. Caller: net/main.c. Source: runtime-spec config-linux.md "Network Devices".
 */
#pragma once
#include "net/addr.h"
#include "net/link.h"
#include "net/route.h"

/* One device. `host` and `name` are the caller's; the rest is filled on the way. */
struct move {
	const char *host;         /* its name on the host */
	const char *name;         /* the one in the container, maybe with "%d" */
	struct link before;       /* what it was on the host */
	struct addrs addrs;
	struct routes routes;
	int index;                /* in the container, once it is there; 0 */
};

/* The two sides; the descriptors are namespaces and stay the caller's. */
struct sides {
	struct nl host, inside;
	int host_ns, inside_ns;
};

/* Opens both sides and leaves the process in the namespace it was in. */
int sides_open(int inside_ns, struct sides *ret, struct err *e);
void sides_close(struct sides *s);

/* Looks at everything that can be looked at before the first device moves. */
int moves_check(struct sides *s, struct move *v, size_t n, struct err *e);

/* Moves all. On failure those that were moved are back; what did not come back as it was is told behind the error. */
int moves_do(struct sides *s, struct move *v, size_t n, struct err *e);

/* Takes back all that were moved, the last one first. Goes on after a failure, and returns the first. */
int moves_undo(struct sides *s, struct move *v, size_t n, struct err *e);

void moves_done(struct move *v, size_t n);
