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
	struct opt_u64 device, inode; /* of its root, before Linux 6.8, where numbers are used again; else 0 */
};

struct live_mounts {
	struct live_mount *v;
	size_t n;
};

/* Reads the record; none is an empty list. Memory is the arena's. */
int live_read(const struct state_dir *dir, struct arena *a, struct live_mounts *ret, struct err *e);

/* Replaces it. */
int live_write(const struct state_dir *dir, const struct live_mounts *list, struct err *e);

/* What tells a mount from all others. */
struct live_id {
	uint64_t number, device, inode;
};

/* The mount behind a descriptor, and whether the descriptor is its root. 0 or -errno. */
int live_id_of(int fd, struct live_id *ret, bool *ret_is_root);

/* Whether a row of the record is that mount. */
bool live_is(const struct live_mount *m, const struct live_id *id);

/* A row of the record. */
struct live_mount live_row(const char *destination, const struct live_id *id);
