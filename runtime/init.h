/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child's half: from the moment after clone to the program. It walks a table of steps; each is one act; the first
 * failure goes to the parent with the step's name, and the child ends. It allocates nothing and reads no JSON.
 */
#pragma once
#include "runtime/hooks.h"
#include "runtime/plan.h"

struct init_args {
	const struct plan *plan;
	const struct opened *opened;
	int sync;         /* the child's end of the pair */
	int parent_end;   /* the other one, which the child closes to notice its parent's end */
	int state;        /* the state directory, which the child closes: its lock is the creator's alone */
	int gate;         /* listening socket for create; -1: run, the parent says when to go on */
	int stdio[3];     /* -1: the descriptor as it is */
	struct hooks_child hooks;
};

/* Does everything, and becomes the program or ends. */
void init_run(const struct init_args *args) __attribute__((noreturn));
