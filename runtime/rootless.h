/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist for a user other than root: it makes a user namespace in which it is root, executes itself again inside of it, and
 * from there on goes the same way as ever. The own id is 0 there, the user's subordinate ids follow from 1 on. A
 * container never lives in that namespace but in one below it. See docs/architecture.md, "Users other than root".
 */
#pragma once
#include <stdbool.h>

#include "runtime/plan.h"
#include "spec/spec.h"
#include "util/err.h"

/* --rootless: what a user other than root gets. */
enum rootless_mode {
	ROOTLESS_AUTO,
	ROOTLESS_TRUE,     /* root too goes without a cgroup where it cannot make one */
	ROOTLESS_FALSE,    /* kist makes no user namespace of its own */
};

void rootless_set(enum rootless_mode mode);
enum rootless_mode rootless_mode(void);

/*
 * To be called before anything was done: for root of the host it is nothing. For a user it does not return when it
 * succeeds: kist starts again from its first argument, as root of the namespace. `spec` says which ids are needed; NULL:
 * as many as there are. What is missing (newuidmap, /etc/subuid, a sysctl) is an error that says what to do.
 */
int rootless_enter(const struct spec *spec, struct err *e);

/* The same for a command that works on a running container: into the namespace that its own one lies in. */
int rootless_join(pid_t pid, bool has_userns, struct err *e);

/* Fills in those options of a plan that depend on the namespace kist is in. has_host_ids: the spec's maps count the
 * host's ids, as those of a bundle do; else those of kist's namespace, which are the ids that the store has. */
int rootless_plan(const struct spec *spec, bool has_host_ids, struct arena *a, struct plan_options *o, struct err *e);

/*
 * Turns maps to ids of the host into maps to the ids of a namespace with the map `outer`. Pure. -EINVAL: an id that is
 * not in it; `key` and `file` are for the message.
 */
int rootless_translate(const struct spec_id_maps *maps, const struct spec_id_maps *outer, const char *key,
		       const char *file, struct arena *a, struct spec_id_maps *ret, struct err *e);
