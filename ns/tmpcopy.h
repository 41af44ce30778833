/* SPDX-License-Identifier: Apache-2.0 */
/* tmpcopyup: a tmpfs that starts with a copy of the directory it is going to hide. Source: config.md, mount options. */
#pragma once
#include "util/err.h"

/* Copies what lies in `from` (a directory, O_PATH) into the detached mount `to`, with owners, modes, times, xattrs,
 * links and hard links. Runs in the child, before the mount is attached. */
int tmpcopy(int from, int to, struct err *e);
