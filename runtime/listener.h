/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who decides about a container's notified system calls: an agent at a unix socket of the host, which gets the descriptor
 * of the notifications and the container process state, once and over a connection of its own. Source: runtime-spec
 * config-linux.md "Seccomp" (listenerPath) and "The Container Process State". All runs in the parent.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "runtime/state.h"
#include "runtime/sync.h"
#include "spec/spec.h"

/* An agent that waits for its message. */
struct listener {
	int socket;                    /* connected; -1: no call is notified */
	const char *metadata;          /* NULL: none; borrowed */
};

#define LISTENER_NONE ((struct listener){ .socket = -1 })

/* What the message says. Pids as we see them. */
struct listener_process {
	pid_t pid;                     /* the process that is under the filter */
	pid_t init;                    /* the container's first one */
	bool is_exec;                  /* it comes into a container that runs */
	const struct state *state;     /* id, bundle, annotations */
};

/* Whether there is a socket at listenerPath: what create can find out without a word to the agent, which start will have. */
int listener_look(const struct spec_seccomp *s, struct err *e);

/* Connects to listenerPath. */
int listener_open(const struct spec_seccomp *s, struct listener *ret, struct err *e);

/* The same for a container that was created before, by the configuration in its directory. Strings go to the arena. */
int listener_open_of(const struct state_dir *dir, struct arena *a, struct listener *ret, struct err *e);

/*
 * Waits at `end` for how execve went, as sync_receive does, and gives the descriptor that may come before that to the
 * agent. On failure the process must be ended: it runs, or waits for an agent that will not come.
 */
int listener_outcome(struct listener *l, const struct listener_process *p, int end, struct sync_message *ret, struct err *e);

/* Closes the connection. */
void listener_done(struct listener *l);

#define listener_auto __attribute__((cleanup(listener_done)))
