/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's half: from a spec to a container whose process is ready, or to nothing at all. What goes wrong on the
 * way is undone in reverse: the process, the group, the state directory. Source: runtime-spec runtime.md "Lifecycle".
 */
#pragma once
#include <stdbool.h>

#include "runtime/container.h"
#include "runtime/criu.h"
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

/*
 * Makes a container. With is_run the process waits for container_go; else it waits at the gate for `start` and
 * outlives us. On failure nothing is left, and e names the container and the step; e->exit is 126 or 127 when the
 * program cannot be run. -EEXIST: the id is taken.
 */
int container_create(const struct create_request *rq, struct container *ret, struct err *e);
