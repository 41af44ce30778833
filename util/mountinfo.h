/* SPDX-License-Identifier: Apache-2.0 */
/* One line of /proc/PID/mountinfo. Source: proc_pid_mountinfo(5). */
#pragma once
#include <stdbool.h>

struct mountinfo {
	char *point;    /* where it is mounted, as the reader sees it */
	char *type;     /* the file system's type */
};

/*
 * Cuts a line in place, escapes undone; the fields point into it. False when it is not of the file's form, or cut off.
 * Pure, and safe in a child.
 */
bool mountinfo_cut(char *line, struct mountinfo *ret);
