/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a process, as /proc/PID/mountinfo tells them. Caller: runtime/criu_look. Source: proc(5). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/err.h"

struct mount_row {
	uint64_t id, parent;
	const char *device;    /* "98:0": of the file system */
	const char *root;      /* which part of the file system: "/" is all of it */
	const char *point;     /* where, from the process' root */
	const char *type;      /* "proc", "ext4" */
	bool is_known;         /* for the reader's own use */
};

struct mount_table {
	struct mount_row *v;   /* parents before their children, as the kernel lists them */
	size_t n;
};

/* Takes the rows out of a text; octal escapes are undone. Lines that are none are passed over. Pure. In the arena. */
void mount_table_parse(char *text, struct arena *a, struct mount_table *ret);

/* Reads those of the process whose /proc directory `proc` is. */
int mount_table_read(int proc, struct arena *a, struct mount_table *ret, struct err *e);

/* The row of a mount id; NULL: there is none. */
struct mount_row *mount_table_find(const struct mount_table *m, uint64_t id);
