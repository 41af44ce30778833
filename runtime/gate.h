/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate of a created container: a listening socket in its state directory, held by the waiting process. While the
 * name is there the container is "created". `start` connects, takes the name away, says go, and hears over the same
 * connection whether the program runs: end of file is yes.
 */
#pragma once
#include <stdbool.h>

#include "runtime/listener.h"
#include "runtime/state.h"
#include "util/err.h"

/* Makes the listening socket. Runs in the parent before clone. Returns a descriptor to own. */
int gate_make(const struct state_dir *dir, struct err *e);

/*
 * Waits until `start` knocks and says go; meanwhile a signal ends the process, the first of a pid namespace too. Runs in
 * the child: allocates nothing. Returns the connection, which carries the outcome, or -errno.
 */
int gate_wait(int gate);

/*
 * Opens the gate and waits for the outcome. -ENOENT: the container is not waiting. `l` gets the notifications of the
 * filter of `p`. ret_is_abort: a hook has failed, and the container is to be destroyed. Runs in `start`.
 */
int gate_pass(const struct state_dir *dir, struct listener *l, const struct listener_process *p, bool *ret_is_abort,
	      struct err *e);
