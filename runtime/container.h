/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that this process has just made, from create on: it is let go, given up or left to itself. Callers: create
 * and exec fill it; engine and cli go on with it. Runs in the parent.
 */
#pragma once
#include <stdbool.h>

#include "cgroup/resctrl.h"
#include "cgroup/tree.h"
#include "runtime/listener.h"
#include "runtime/netdev.h"
#include "runtime/state.h"
#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

struct container {
	struct state_dir dir;         /* locked until container_go or container_close */
	struct state state;           /* strings borrowed from the request, or static */
	int pidfd;
	pid_t pid;
	int sync;                     /* is_run: where the process waits */
	int master;                   /* the terminal, unless it went to a console socket; -1 */
	int cgroup;                   /* directory of the group; -1 */
	struct listener listener;     /* is_run: who gets the notifications of the filter */
	struct netdev net;            /* network devices that can still be taken back */
	const char *pid_file;         /* written, and to be taken away if the program does not start; borrowed */
	bool is_unlocked;             /* container_go has given the lock back */
	int resctrl;                  /* the mounted file system, if linux.intelRdt is given; -1 */
	struct resctrl rdt;           /* its group is NULL without that */
	struct cgroup_tree tree;      /* where it lies */
	const struct spec_hooks *hooks; /* NULL: none; borrowed from the request */
	struct arena arena;
};

#define CONTAINER_NONE ((struct container){ .dir = { -1, -1, "" }, .pidfd = -1, .sync = -1, .master = -1, .cgroup = -1, \
				   .resctrl = -1, .listener = LISTENER_NONE, .net = NETDEV_NONE, .tree = CGROUP_TREE_NONE })

/* Releases the process and waits until it has become the program. On failure everything is undone. The lock goes. */
int container_go(struct container *c, struct err *e);

/* Kills what is left in the group, removes group and state directory. After the process was waited for, or to give up. */
int container_destroy(struct container *c, struct err *e);

/* The same, and the pid file goes too; what cannot be done is logged. For a container that is given up. */
void container_undo(struct container *c);

/* Closes descriptors and frees memory; the container goes on. */
void container_close(struct container *c);

#define container_auto __attribute__((cleanup(container_close)))
