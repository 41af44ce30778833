/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's group as a scope of systemd, for `--cgroup-manager systemd`. What speaks D-Bus is the program
 * kist-systemd (cgroup/systemd), which is executed for each of these acts. Callers: runtime. Sources: systemd.scope(5),
 * org.freedesktop.systemd1(5); systemd's CGROUP_DELEGATION.
 */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cgroup/limits.h"
#include "util/arena.h"
#include "util/err.h"
#include "util/jx.h"

struct cgroup_scope {
	const char *unit;    /* "kist-web.scope" */
	const char *slice;   /* "system.slice" */
	const char *mark;    /* its description, by which we know it again: names may be taken by others */
	bool is_user;        /* of the user's manager, not the system's */
};

/* What kist-systemd tells over its standard input, a socket. */
struct scope_answer {
	struct err err;          /* num 0: done */
	char group[PATH_MAX];    /* start: the unit's group, "/system.slice/kist-web.scope" */
};

/*
 * Takes cgroupsPath apart, "SLICE:PREFIX:NAME": an empty slice is the default, "-" the root slice; without a prefix the
 * unit is NAME.scope; NULL is "SLICE:kist:ID". -EINVAL with the key. Pure. Strings live in the arena.
 */
int scope_parse(const char *cgroups_path, const char *id, bool is_user, struct arena *a, struct cgroup_scope *ret,
		struct err *e);

/*
 * Limits as properties of the unit, so that systemd, whenever it writes the group's files anew, writes the same: words
 * "NAME=TYPE:VALUE" for kist-systemd. Limits without a property are left out: systemd leaves their files alone. Pure.
 */
void scope_limits(const struct cgroup_limits *limits, struct arena *a, struct strs *ret);

/*
 * Properties that a configuration asks for by annotations "org.systemd.property.NAME", with the text form of GVariant
 * as value. Appends to `ret`. -EINVAL: NAME is none, or one that kist sets itself. Pure.
 */
int scope_annotations(const struct pairs *annotations, struct arena *a, struct strs *ret, struct err *e);

/*
 * Starts the scope with a process of ours and waits until it is there. Gives the path of its group, without the leading
 * slash. -EEXIST: there is a unit of that name.
 */
int scope_start(const struct cgroup_scope *s, pid_t pid, const struct strs *properties, struct arena *a,
		const char **ret_group, struct err *e);

/* Ends the scope, if there is one with our mark, and waits. Kill its processes before. */
int scope_stop(const struct cgroup_scope *s, struct err *e);

/* Changes properties of the running unit. */
int scope_set(const struct cgroup_scope *s, const struct strs *properties, struct err *e);
