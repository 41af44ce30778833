/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "I am ready", from a container's program to the service manager that started kist: a socket of our own in a
 * directory of the state directory, which the container has at NOTIFY_DIR. Of what the program says only what it may
 * say is passed on: never a process id, which would be one of its own namespace, nor descriptors to keep. Callers:
 * create, control, wait. All run in the parent. Source: sd_notify(3).
 */
#pragma once
#include <sys/types.h>

#include "runtime/state.h"
#include "util/err.h"

#define NOTIFY_DIR "/run/notify"
#define NOTIFY_NAME "notify.sock"

struct notify {
	int socket;          /* where the program speaks; -1: none */
	const char *host;    /* the service manager's socket, or "@NAME" */
	pid_t main_pid;      /* goes along with "ready" when kist itself is not the service's main process; 0 */
};

/* Makes the directory and a detached copy of its mount, for the container. */
int notify_make(const struct state_dir *dir, int *ret_tree, struct err *e);

/* Begins to listen, before the program runs. A container that was made without the directory leaves the socket at -1. */
int notify_open(struct notify *n, const struct state_dir *dir, struct err *e);

/* Passes one message on. True: it said that the program is ready. */
bool notify_take(struct notify *n);

/* Passes messages on until the program is ready, and the service manager has taken that in, or the program has ended. */
int notify_wait(struct notify *n, int pidfd, struct err *e);

void notify_close(struct notify *n);

#define notify_auto __attribute__((cleanup(notify_close)))
