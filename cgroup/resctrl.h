/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.intelRdt: groups of the resctrl file system, by which processors part caches and memory bandwidth and count their
 * use. All of it is directories and small files beneath a base directory, the mount point. Runs in the parent; nothing is
 * looked at unless the config has the object. Callers: create, exec, delete. Sources: runtime-spec config-linux.md
 * "IntelRdt"; the kernel's Documentation/arch/x86/resctrl.rst.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

/* What create will do. Paths are below the base; "." is the root group. Strings live in the arena. */
struct resctrl {
	const char *clos;      /* the class of service: closID, or the container's id */
	const char *group;     /* where the processes go: clos, or its monitoring group "clos/mon_groups/ID" */
	bool makes_clos;       /* it is not there yet */
	bool owns_clos;        /* closID is not given: the directory goes with the container */
	const char *first;     /* lines of l3CacheSchema and memBwSchema to write, each with its newline; NULL: none */
	const char *then;      /* those of schemata, which come later and so count */
};

/* Opens the mounted file system. -ENODEV: there is none in our mount namespace. Returns a descriptor to own. */
int resctrl_open(struct err *e);

/*
 * Decides, looks, changes nothing. Refused: a closID that is not there and of which no schema says what it should be, one
 * that is there with another schema than the given ones, a directory that has the container's id already.
 */
int resctrl_plan(int base, const struct spec_intel_rdt *want, const char *id, struct arena *a, struct resctrl *ret,
		 struct err *e);

/* Makes the groups and writes the schemata. What was made is taken away on failure. */
int resctrl_make(int base, const struct resctrl *r, struct err *e);

/* Moves a process into a group, and before that into the class above it, as the kernel wants it. */
int resctrl_add(int base, const char *group, pid_t pid, struct err *e);

/*
 * Removes a container's monitoring group and, with `owns_clos`, its class. What is not there (any more) is success; the
 * kernel moves tasks that are still in it up to the group above.
 */
int resctrl_remove(int base, const char *group, bool owns_clos, struct err *e);

/*
 * Writes new lines of l3CacheSchema and memBwSchema (NULL: none) into the class of a container's group. What the class
 * had before is ret_old, the caller's to free; on failure it has that again.
 */
int resctrl_change(int base, const char *group, const char *l3, const char *mem_bw, char **ret_old, struct err *e);

/* Writes what resctrl_change gave, as far as the kernel takes it. */
void resctrl_put_back(int base, const char *group, const char *old);

/* After a create that failed: takes back the class of a given closID that it made, unless others are in it by now. */
void resctrl_undo(int base, const struct resctrl *r);
