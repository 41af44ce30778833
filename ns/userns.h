/* SPDX-License-Identifier: Apache-2.0 */
/* Id maps of user namespaces. Source: user_namespaces(7), "User and group ID mappings". */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "spec/spec.h"
#include "util/err.h"

/* Writes setgroups (deny when `deny_setgroups`), gid_map and uid_map of a process that waits in its new namespace. */
int userns_write_maps(pid_t pid, const struct spec_id_maps *uids, const struct spec_id_maps *gids, bool deny_setgroups,
		      struct err *e);

/*
 * Makes a user namespace with these maps that no process lives in, for id-mapped mounts. Runs in the parent: a helper
 * process is cloned and gone when it returns. Returns a descriptor that the caller owns.
 */
int userns_make(const struct spec_id_maps *uids, const struct spec_id_maps *gids, struct err *e);

/*
 * Whether the user namespace `ns`, which is joined, maps ids as a config says, seen from our own. Runs in the parent: a
 * helper process that enters it is gone when it returns. 0: it does, -EINVAL: it does not, and e names the key.
 */
int userns_compare(int ns, const struct spec_id_maps *uids, const struct spec_id_maps *gids, struct err *e);

/* The host's id of a container id, and -1 when the maps do not hold it. */
int64_t userns_to_host(const struct spec_id_maps *maps, uint32_t container_id);

/*
 * The id that comes first in a map of the kernel, "/proc/PID/uid_map": that of a namespace which others made. It does
 * not allocate. 0 when the file cannot be read.
 */
uint32_t userns_first_of(const char *file);

/* The container id that comes first in the maps: 0 when it is mapped. */
uint32_t userns_first(const struct spec_id_maps *maps);
