/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One hook: a program that gets the container's state on standard input and is waited for. It starts with nothing of
 * ours: default signals, a session of its own, umask 0022, descriptors 0 to 2 only, and the environment that the config
 * names (without one: an empty one). It ends when we end. Runs in the parent and in the child: allocates nothing.
 * Source: runtime-spec config.md "POSIX-platform Hooks".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "runtime/process.h"
#include "spec/spec.h"
#include "util/err.h"

struct hook_call {
	const char *kind;                   /* "prestart": together with the index it is what messages call the hook */
	size_t index;
	const struct spec_hook *hook;
	const char *state;                  /* the state document, but for its pid and the brace behind it */
	pid_t pid;                          /* as the hook sees the container's process; 0: there is none */
	int cwd;                            /* the directory in which it starts; -1: ours */
	const struct process_plan *process; /* startContainer: started as the container's program would be; or NULL */
	int launcher;                       /* for `process`, as in process_exec; -1 */
	bool is_tamed;                      /* it must not get more from files than `process` gives it: no_new_privs */
	bool is_stoppable;                  /* INT, TERM, HUP and QUIT, which we hold back, end it: it is a failure */
};

/*
 * Runs a hook and waits for its end, at most its timeout. Failure is everything but status 0: then what is left of its
 * session is killed, and e says "hooks.KIND[INDEX] PATH: " with the cause and the end of what the hook has printed.
 */
int hook_run(const struct hook_call *c, struct err *e);
