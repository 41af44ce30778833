/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the files of a cgroup directory: short texts into a caller's buffer, three system calls each. Used
 * by the modules of cgroup/ only. Silent: 0 or -errno. Source of the formats:
 * Documentation/admin-guide/cgroup-v2.rst.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { ATTR_MAX = 4096 };

/*
 * Reads a file of the group as text without its last newline. Returns its length, or -errno (-EFBIG: over
 * `size`).
 */
int attr_read(int group_fd, const char *file, char *buf, size_t size);

/* Reads a file that holds one number; "max" gives UINT64_MAX. */
int attr_u64(int group_fd, const char *file, uint64_t *ret_value);

/* Finds "key number" among the lines of a flat keyed file. -ENODATA: no such line. */
int attr_key(const char *text, const char *key, uint64_t *ret_value);

/* Whether a word stands in a list separated by blanks. */
int attr_has_word(const char *list, const char *word);
