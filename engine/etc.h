/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/hostname and /etc/hosts of a container of an image; with the host's network /etc/hosts and /etc/resolv.conf of
 * the host. They are small files beside the state directories, which is memory as a rule, bound into the container:
 * nothing of them is in the container's layer. They keep their names as long as it runs, since criu cannot bring back a
 * mount of a file that has none; only a kill leaves them, until `rm -f` or the next start. Made anew at each start.
 * Caller: engine.
 */
#pragma once
#include <stddef.h>

#include "spec/spec.h"
#include "util/err.h"

struct etc {
	int root;             /* the state root; -1: nothing was made */
	const char *name;     /* of the container; borrowed */
};

#define ETC_NONE ((struct etc){ .root = -1 })

/*
 * Makes the files and adds their mounts to the spec, unless it has mounts there. `state_root` is absolute. The spec is
 * not to be printed afterwards: these mounts belong to this start alone.
 */
int etc_add(const char *state_root, const char *name, struct spec *s, struct etc *ret, struct err *e);

/* Takes the files away: once the container has ended, or has failed to begin. */
void etc_done(struct etc *t);

/* Leaves them to the keeper, who sweeps at the end. */
void etc_keep(struct etc *t);

#define etc_auto __attribute__((cleanup(etc_done)))

/* Removes those of a container that has ended. `root`: the state root. */
void etc_sweep(int root, const char *name);

/* Where the files appear in a container: the n-th, or NULL when there are no more. */
const char *etc_destination(size_t n);
