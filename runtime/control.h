/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be done to a container that exists, by id. Each opens the state directory itself. All run in the parent.
 * Source: runtime-spec runtime.md "Operations"; texts as reference callers match them.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "runtime/state.h"
#include "util/err.h"
#include "util/mem.h"

/* The root descriptor `root` is from state_open_root. */

/*
 * Opens the gate of a created container and waits until its program runs (or says why not). `notify_socket` (NULL: none)
 * is a service manager's: then waits until the program has said that it is ready, too, and tells that on.
 */
int container_start(int root, const char *id, const char *notify_socket, struct err *e);

/* Sends a signal to the init, or with `all` to every process of the group. "container not running" when it has ended. */
int container_kill(int root, const char *id, int sig, bool all, struct err *e);

/* Removes what a stopped (or created) container holds. `force`: kills it first, and what is not there is success. */
int container_delete(int root, const char *id, bool force, struct err *e);

int container_pause(int root, const char *id, struct err *e);
int container_resume(int root, const char *id, struct err *e);

/* Record and status (paused included). `ret` is freed by state_done. */
int container_state(int root, const char *id, struct state *ret, enum state_status *ret_status, struct err *e);

/* Pids of all processes of the container, in our pid namespace. The caller frees. */
int container_pids(int root, const char *id, pid_t **ret_pids, size_t *ret_count, struct err *e);

/* How a stop ended. */
enum stop_outcome { STOP_ALREADY, STOP_BY_SIGNAL, STOP_BY_KILL };

/*
 * Sends `sig` to the init, waits grace_ms (-1: for ever) for its end, then kills the whole group, and waits until it
 * is empty. A created container is killed; a paused one is resumed so that it can act on the signal.
 */
int container_stop(int root, const char *id, int sig, int grace_ms, enum stop_outcome *ret, struct err *e);

/* "TERM", "SIGTERM", "15", "SIGRTMIN+3" as a number. -EINVAL. */
int signal_number(const char *word, struct err *e);
