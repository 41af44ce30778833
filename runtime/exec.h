/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another process in a running container: every namespace and the cgroup of its init, and the same way to the program
 * as run has. Source: setns(2) with a pidfd, runtime-spec config.md "Process".
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "runtime/state.h"
#include "spec/spec.h"
#include "util/err.h"

struct exec_request {
	const char *state_root;
	const char *id;
	const char *process_file;     /* a whole process object; NULL: the container's, changed by what follows */
	const char *const *args;      /* NULL-terminated; not with process_file */
	const char *cwd;              /* NULL: the container's */
	const char *user;             /* UID[:GID]; names are looked up in the container's /etc/passwd; NULL: the same */
	const char *const *env;       /* K=V, NULL-terminated, put over the container's; or NULL */
	const unsigned *gids;         /* additional groups, put to the container's */
	size_t gid_count;
	const char *const *caps;      /* names, NULL-terminated, put to the container's sets; or NULL */
	const char *apparmor;         /* profile, in the place of the process object's; NULL: that one */
	const char *selinux;          /* label, likewise */
	bool has_terminal, is_terminal;    /* -t, or not */
	bool is_plain_lines;               /* tty_plain_lines, where the caller relays the terminal */
	bool has_no_new_privs, is_no_new_privs;
	const char *console_socket;
	const char *pidfd_socket;     /* gets a pidfd of the new process */
	const char *pid_file;
	int stdio[3];                 /* -1: our own */
	unsigned short rows, columns; /* of a new terminal; 0: not known */
	unsigned preserve_fds;
	const char *cgroup;           /* a group below the container's; NULL: where its init is */
	bool is_ignore_paused;
};

struct exec_process {
	pid_t pid;
	int pidfd;
	int master;                   /* the terminal; -1 */
};

/*
 * Starts the process and returns when it has become the program. It is our child: wait for it, or leave it to its
 * namespace's init. e->exit is 126 or 127 when the program cannot be run. Refused: a container that is not running,
 * and a paused one unless is_ignore_paused.
 */
int container_exec(const struct exec_request *rq, struct exec_process *ret, struct err *e);
