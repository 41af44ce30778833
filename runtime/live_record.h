/* SPDX-License-Identifier: Apache-2.0 */
/* Which mounts were added to a running container: `mounts.json` of its state directory. For runtime/live*.c alone. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/state.h"

struct live_mount {
	const char *destination;      /* as the file had it */
	struct opt_u64 mount;         /* its number: statx(2), stx_mnt_id, the unique one where the kernel has it */
};

struct live_mounts {
	struct live_mount *v;
	size_t n;
};

/* Reads the record; none is an empty list. Memory is the arena's. */
int live_read(const struct state_dir *dir, struct arena *a, struct live_mounts *ret, struct err *e);

/* Replaces it. */
int live_write(const struct state_dir *dir, const struct live_mounts *list, struct err *e);

/* The number of the mount behind a descriptor, and whether the descriptor is its root. 0 or -errno. */
int live_number(int fd, uint64_t *ret_number, bool *ret_is_root);
