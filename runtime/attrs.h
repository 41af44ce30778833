/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process has beside user, limits and capabilities: how it is scheduled and on which processors, its I/O
 * priority, personality and memory policy. Nothing of it costs a system call unless it is asked for. Callers:
 * process, create, exec. Sources: runtime-spec config.md "Linux Process", config-linux.md "Personality", "Memory
 * policy"; sched_setattr(2), ioprio_set(2), sched_setaffinity(2), personality(2), set_mempolicy(2).
 */
#pragma once
#include <sys/types.h>

#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

enum attrs_need {
	ATTRS_SCHEDULER = 1 << 0,
	ATTRS_IO_PRIORITY = 1 << 1,
	ATTRS_PERSONALITY = 1 << 2,
	ATTRS_MEMORY = 1 << 3,
	ATTRS_CPUS = 1 << 4,	   /* the child sets its processors */
	ATTRS_FIRST_CPUS = 1 << 5, /* exec: the parent has others while it clones */

	ATTRS_BY_PARENT = ATTRS_SCHEDULER | ATTRS_IO_PRIORITY,
	ATTRS_BY_CHILD = ATTRS_PERSONALITY | ATTRS_MEMORY | ATTRS_CPUS,
};

/* Processors or memory nodes, one bit each, in the words that the kernel takes. */
struct attrs_set {
	unsigned long *words;
	size_t bytes;
	const char *list; /* as it was written: "0-3,7"; NULL: all there are */
};

struct attrs {
	unsigned need; /* enum attrs_need bits */
	const struct spec_scheduler *scheduler;
	const struct spec_io_priority *io_priority;
	const struct spec_memory_policy *memory;
	struct attrs_set nodes;
	unsigned long personality;
	struct attrs_set cpus, first_cpus;
};

/*
 * Decides; the spec has been checked. `l` is the container's linux object or NULL. A process of run has the
 * processors of its caller, unless a cpuset is asked for (resources.cpu.cpus), which must not be narrowed by what
 * kist's caller was bound to (sched_setaffinity(2): since Linux 6.2 an asked-for mask outlives a move between
 * cpusets); one of exec has execCPUAffinity's, or all. Pure.
 */
void attrs_plan(const struct spec_process *p, const struct spec_linux *l, bool is_exec, struct arena *a,
		struct attrs *ret);

/*
 * The parent's share, while the process waits to become the program: a user namespace takes its right to it away, and
 * it would work slowly, or as a real-time process, on all that kist does before. With `need & ATTRS_BY_PARENT`.
 */
int attrs_give(const struct attrs *at, pid_t pid, struct err *e);

/* The child's share. With `need & ATTRS_BY_CHILD`. */
int attrs_take(const struct attrs *at, struct err *e);

/* The processors of the calling process, kept and set again around a clone. */
struct attrs_cpus_kept {
	unsigned long words[1024];
	size_t bytes;
};

/* Binds the caller to first_cpus, keeping what it was bound to. With `need & ATTRS_FIRST_CPUS`. Parent, before clone.
 */
int attrs_bind(const struct attrs *at, struct attrs_cpus_kept *ret, struct err *e);
int attrs_unbind(const struct attrs_cpus_kept *kept, struct err *e);
