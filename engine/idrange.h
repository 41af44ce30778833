/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of the host's ids for containers with --userns auto: no two containers of a store have one in common. They are
 * taken from what /etc/subuid and /etc/subgid give to the user "containers", as podman has it, or else from a part of the
 * ids that nobody uses; from its end on, since podman hands them out from the beginning. Runs in the parent, as root.
 */
#pragma once
#include <stdint.h>

#include "image/store.h"
#include "util/err.h"

enum { IDRANGE_MAX = 1 << 24 };

/*
 * Finds a range and notes it in the container's directory `dir` (-1: notes nothing), with which it is free again.
 * -ENOSPC: there is none.
 */
int idrange_take(const struct store *s, int dir, uint32_t count, uint32_t *ret_first, struct err *e);
