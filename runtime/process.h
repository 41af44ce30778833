/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From "a child in its namespaces" to "the program": one plan and one way for run, create and exec, so that exec can
 * never apply less than run did. Source: runtime-spec config.md "Process", credentials(7), execve(2).
 */
#pragma once
#include <linux/filter.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "runtime/attrs.h"
#include "runtime/caps.h"
#include "runtime/lsm.h"
#include "spec/spec.h"
#include "util/arena.h"
#include "util/err.h"

struct process_rlimit {
	int type;                   /* RLIMIT_* */
	struct rlimit limit;
};

/* Everything is decided and allocated; the child only walks it. */
struct process_plan {
	const char *const *args;    /* NULL at the end */
	const char **launch;        /* the launcher's own arguments: its name, a place for PATH, args, NULL; NULL: not used */
	bool is_launch_reported;    /* the launcher may tell of a failure: the filter lets it */
	const char **env;           /* NULL at the end, with one free place before it for HOME */
	size_t env_count;
	bool has_home;
	const char *path;           /* the value of PATH in env, for the look-up */
	const char *cwd;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t group_count;
	mode_t umask;
	struct caps caps;
	struct process_rlimit *rlimits;
	size_t rlimit_count;
	bool no_new_privileges;
	bool has_oom_score_adj;
	int oom_score_adj;
	struct lsm lsm;             /* lsm_label: after process_become */
	struct attrs attrs;         /* attrs_plan: after process_plan */
	const struct sock_filter *filter;  /* NULL: no seccomp */
	unsigned short filter_length;
	unsigned filter_flags;      /* SECCOMP_FILTER_FLAG_*; NEW_LISTENER: calls are notified */
	bool is_terminal;
	unsigned short rows, columns;      /* 0: not given */
	unsigned preserve_fds;
	char *listen_pid;           /* "LISTEN_PID=" in env, whose number only the child knows; NULL: no such variable */
	bool keeps_groups;          /* rootless: setgroups(2) is denied */
	dev_t own_dev;              /* kist's own program, which no container may run; without `launch` only */
	ino_t own_ino;
};

/*
 * Makes the plan. Pure apart from capget(2) (what kist has itself) and the cache of compiled filters below `state_root`
 * (-1: none is used). `seccomp` may be NULL. Strings are borrowed from the process object; arrays come from the arena.
 * Runs in the parent.
 */
int process_plan(const struct spec_process *p, const struct spec_seccomp *seccomp, bool is_userns, int state_root,
		 struct arena *a, struct process_plan *ret, struct err *e);

/*
 * Whether the launcher executes the program: not, when the filter would stop the call that executes the launcher, or a
 * label would be spent on it, since the policy is about the program and need not know the launcher. Pure.
 */
bool process_is_launched(const struct spec_process *p, const struct spec_seccomp *seccomp);

/* Puts "NAME=VALUE" into the environment, in the place of what has that name. Borrowed. Runs in the parent. */
void process_set_env(struct process_plan *p, const char *word, struct arena *a);

/* Passes `fds` sockets on, from descriptor 3 on and before what is preserved, as sd_listen_fds(3) wants it. Parent. */
void process_listen(struct process_plan *p, unsigned fds, const char *names, struct arena *a);

/*
 * -EBADF: a descriptor that is to be passed on was not given to us. One of our own would have its number, and stay open
 * longer in the container than the others. Parent.
 */
int process_check_preserved(const struct process_plan *p, struct err *e);

/*
 * Opens the terminal on the devpts beneath `root` and gives it size and owner. Runs in the child, before it becomes
 * anybody.
 */
int process_terminal(const struct process_plan *p, int root, int *ret_master, int *ret_slave, struct err *e);

/*
 * Makes the terminal's slave (or, with -1, the given descriptors; -1 among them stays) 0, 1 and 2, and the slave the
 * controlling terminal. Child, after setsid.
 */
int process_stdio(const struct process_plan *p, int slave, const int stdio[static 3], struct err *e);

/* Where the program was found, kept between the two child steps. */
struct process_found {
	char path[4096];
};

/*
 * Limits, groups, user, capabilities, working directory and the look-up of the program, in this order. Runs in the
 * child, in its final root. e.exit is 126 or 127 when the program cannot be run or found.
 */
int process_become(const struct process_plan *p, struct process_found *found, struct err *e);

/*
 * Loads the filter and runs the program; returns only on failure, with e.exit 126 or 127.
 * `report` also gets the listener of a filter that notifies (filter.h).
 * Every descriptor from 3 + preserve_fds on closes. `launcher` is a descriptor of the launcher, or -1. Child. What goes
 * wrong once the launcher runs, it tells to the socket `report`; a filter that does not let it do so makes it say that on
 * the program's standard error. It ends with 126 or 127.
 */
int process_exec(const struct process_plan *p, const struct process_found *found, int launcher, int report,
		 struct err *e);

/*
 * Leaves the groups as they are, where setgroups(2) is denied for good. -EPERM: the plan names groups. Runs in the
 * parent.
 */
int process_keep_groups(struct process_plan *p, struct err *e);

/* What annotations change of it: run.oci.keep_original_groups, run.oci.seccomp_fail_unknown_syscall (crun(1)). Parent. */
int process_annotated(struct process_plan *p, const struct spec *spec, struct err *e);

/* Writes oomScoreAdj, when it is given, for a process that has not become the program yet. Runs in the parent. */
int process_oom_score(const struct process_plan *p, pid_t pid, struct err *e);

/* Resets signal handling to what a program expects at its start. Child, first of all. */
void process_reset_signals(void);
