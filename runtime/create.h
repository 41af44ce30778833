/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's half: from a spec to a container whose process is ready, or to nothing at all. What goes wrong on the
 * way is undone in reverse: the process, the group, the state directory. Source: runtime-spec runtime.md "Lifecycle".
 */
#pragma once
#include <stdbool.h>

#include "cgroup/resctrl.h"
#include "cgroup/tree.h"
#include "runtime/criu.h"
#include "runtime/listener.h"
#include "runtime/netdev.h"
#include "runtime/state.h"
#include "spec/spec.h"
#include "util/err.h"

/* What a service manager gave us for the container. sd_listen_fds(3), sd_notify(3). */
struct create_service {
	unsigned listen_fds;          /* sockets, from descriptor 3 on */
	const char *listen_names;     /* LISTEN_FDNAMES; NULL */
	const char *notify_socket;    /* who is told that the program is ready; NULL: nobody asks */
};

/* Who makes the container's group. */
enum cgroup_manager {
	CGROUP_BY_US,        /* "cgroupfs": kist, in the tree itself */
	CGROUP_BY_NOBODY,    /* "disabled": there is none, the caller keeps groups to itself */
	CGROUP_BY_SYSTEMD,   /* "systemd": a scope (cgroup/scope.h) */
};

struct create_request {
	const char *state_root;       /* --root */
	const char *id;
	const char *bundle;           /* absolute path: what state reports, and what relative paths start at */
	const char *state_bundle;     /* what state reports instead of it; NULL: nothing else */
	const struct spec *spec;      /* checked (spec_check) by container_create itself */
	const char *config;           /* its text, kept in the state directory */
	size_t config_len;
	int own_rootfs;               /* a detached tree that is taken over (also on failure), or -1: root.path */
	const char *rootfs_path;      /* with own_rootfs: what state reports, and where hooks find it; NULL: "", nowhere */
	int stdio[3];                 /* what becomes 0, 1, 2 of the process; -1: our own. Borrowed */
	const char *console_socket;   /* gets the terminal's master; NULL: the caller of container_create does */
	const char *pidfd_socket;     /* gets a pidfd of the process */
	const char *pid_file;
	unsigned preserve_fds;        /* after those of the service */
	struct create_service service;
	bool is_no_pivot, is_no_keyring;
	enum cgroup_manager cgroup_manager;
	bool is_run;                  /* no gate: container_go releases the process */
	const struct criu_options *restore; /* the processes come out of CRIU's images, and run already; NULL: a new one */
};

/* A container that this process has just made. */
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

/*
 * Makes a container. With is_run the process waits for container_go; else it waits at the gate for `start` and
 * outlives us. On failure nothing is left, and e names the container and the step; e->exit is 126 or 127 when the
 * program cannot be run. -EEXIST: the id is taken.
 */
int container_create(const struct create_request *rq, struct container *ret, struct err *e);

/* Releases the process and waits until it has become the program. On failure everything is undone. The lock goes. */
int container_go(struct container *c, struct err *e);

/* Kills what is left in the group, removes group and state directory. After the process was waited for, or to give up. */
int container_destroy(struct container *c, struct err *e);

/* Closes descriptors and frees memory; the container goes on. */
void container_close(struct container *c);

#define container_auto __attribute__((cleanup(container_close)))
