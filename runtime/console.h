/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening unix sockets of the caller that want a descriptor: --console-socket a terminal's master, --pidfd-socket a
 * pidfd of the new process. Source: unix(7), SCM_RIGHTS.
 */
#pragma once
#include "util/err.h"

/* Connects to the socket at `path`. Runs in the parent, before any side effect. Returns a descriptor to own. */
int console_connect(const char *path, struct err *e);

/* Sends the master over the connection. Runs in the parent. */
int console_send(int connection, int master, struct err *e);

/* The same for --pidfd-socket. `word` goes with the pidfd, as runc has it: "standard" for an init, "setns" for exec. */
int pidfd_socket_connect(const char *path, struct err *e);
int pidfd_socket_send(int connection, int pidfd, const char *word, struct err *e);
