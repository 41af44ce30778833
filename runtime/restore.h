/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's processes out of CRIU's images, in the place of a new process: the step of container_create that is
 * another one when something is restored. Caller: runtime/create. Runs in the parent. Source: criu(8).
 */
#pragma once
#include "runtime/criu.h"
#include "runtime/criu_record.h"
#include "runtime/plan.h"

/* What was opened and checked before the first side effect. */
struct restore {
	struct criu_options o;
	struct criu_dirs dirs;
	struct criu_record record;
	char *program;
};

#define RESTORE_NONE { .dirs = CRIU_DIRS_NONE }

/* Finds criu, opens the images and reads their record. -ENOENT, -EINVAL. */
int restore_open(const struct criu_options *o, const struct spec *spec, struct restore *ret, struct err *e);
void restore_done(struct restore *r);

struct restore_args {
	const struct restore *restore;
	const struct plan *plan;
	struct opened *opened;       /* its trees are taken for what lies outside of the images */
	int state;                   /* the container's state directory: criu's own mount namespace has the trees there */
	int group;                   /* the container's cgroup; -1 */
	const char *group_path;      /* below the cgroup2 mount */
	int stdio[3];                /* as in struct create_request */
	/* The init is there with its namespaces; later all processes are complete. None runs yet. A failure ends them. */
	int (*begun)(void *ctx, pid_t pid, struct err *e);
	int (*complete)(void *ctx, pid_t pid, struct err *e);
	void *ctx;
};

/* Restores. *ret_pid: the init, a child of ours. *ret_master: its terminal, or -1. Nothing of it is left on failure. */
int restore_run(const struct restore_args *a, pid_t *ret_pid, int *ret_master, struct err *e);
