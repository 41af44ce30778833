/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's console socket: a listening unix socket that wants a terminal's master. Source: unix(7), SCM_RIGHTS. */
#pragma once
#include "util/err.h"

/* Connects to the socket at `path`. Runs in the parent, before any side effect. Returns a descriptor to own. */
int console_connect(const char *path, struct err *e);

/* Sends the master over the connection. Runs in the parent. */
int console_send(int connection, int master, struct err *e);
