/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first half of exec: which container, what to run in it, and how. Looks and decides. Caller:
 * runtime/exec.c. Runs in the parent.
 */
#pragma once
#include <stdbool.h>

#include "cgroup/tree.h"
#include "runtime/exec.h"
#include "runtime/listener.h"
#include "runtime/process.h"
#include "runtime/state.h"
#include "util/arena.h"

struct exec {
	const struct exec_request *rq;
	struct state_dir dir;
	struct state state;
	struct spec spec;              /* the container's, as it was at create */
	struct spec_process process;   /* what is to run */
	struct process_plan plan;
	struct arena arena;
	struct cgroup_tree tree;
	int group, console, pidfd_socket, target;    /* target: pidfd of the init */
	int root;                      /* of a container without a mount namespace of its own: to chroot into; else -1 */
	uid_t root_uid;                /* the first id of the container's user namespace, if it has one */
	gid_t root_gid;
	int ns;                        /* CLONE_NEW* that the container has of its own or joined */
	struct listener listener;      /* who gets the notifications of the filter */
	bool is_guarded;               /* the container could look into a process that still has host descriptors */
	bool is_tracer;                /* with the new process it can: is_guarded for all that come later */
};

void exec_done(struct exec *x);

#define exec_auto __attribute__((cleanup(exec_done)))

/* Finds the container and reads its configuration. -ESRCH: it does not run. */
int exec_find(struct exec *x, struct err *e);

/* Decides what the new process will be, from the request or its file, over what the container's own process is. */
int exec_plan(struct exec *x, struct err *e);

/* Whether the container has a user namespace of its own, by its config or by kist's doing. After exec_find. */
bool exec_has_userns(const struct exec *x);

/* Records a process that makes all later ones guarded (state.h, is_traced). */
int exec_note_tracer(struct exec *x, struct err *e);

/* Opens the root of a container that is not the root of its mount namespace. */
int exec_open_root(struct exec *x, struct err *e);

/* Opens the group in which the init is now, wherever it has moved to. -EBUSY: it is paused. */
int exec_open_group(struct exec *x, struct err *e);
