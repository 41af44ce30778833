/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "USER[:GROUP]" as numbers, by the container's own /etc/passwd and /etc/group. A text of digits is a number and never
 * a name (CVE-2026-30892 and its kin); numbers go up to 4294967294; signs and blanks are refused.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/arena.h"
#include "util/err.h"

struct user {
	uid_t uid;
	gid_t gid;
	bool has_gid;          /* the text or the passwd file names a group; else gid is 0 */
	const gid_t *groups;   /* supplementary groups of a user that /etc/group lists; from the arena */
	size_t group_count;
};

/*
 * Resolves beneath `root` (O_PATH of the container's tree; -1: there is none, so only numbers resolve). -ENOENT: no such
 * user or group there. The files are read only if they are regular and at most 1 MiB. Runs in the parent.
 */
int user_find(int root, const char *text, struct arena *a, struct user *ret, struct err *e);

/* A group alone, "wheel" or "10". */
int user_find_group(int root, const char *text, gid_t *ret, struct err *e);
