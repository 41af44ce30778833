/* SPDX-License-Identifier: Apache-2.0 */
/* One line of /proc/PID/mountinfo. Source: proc_pid_mountinfo(5). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct mountinfo_line {
	uint64_t id, parent;
	char *device;   /* "98:0": of the file system */
	char *root;     /* which part of the file system: "/" is all of it */
	char *point;    /* where it is mounted, as the reader sees it */
	char *type;     /* the file system's type */
};

/*
 * Cuts a line in place, escapes undone; the fields point into it. False when it is not of the file's form, or cut off.
 * Pure, and safe in a child.
 */
bool mountinfo_cut(char *line, struct mountinfo_line *ret);
