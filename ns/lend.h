/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A descriptor that only another process can make: with other ids, or in a mount namespace of its own, which its death
 * takes away. It shares our table of descriptors, so what it opens stays. Runs in the parent.
 */
#pragma once
#include <linux/types.h>

/*
 * Runs `make` in a child, cloned with CLONE_FILES and `flags`, and waits for it. Gives what `make` returned: a descriptor
 * that the caller owns, or -errno; -EIO for a child that died. `make` closes whatever else it opens.
 * Source: clone(2) "CLONE_FILES".
 */
int lend_fd(__u64 flags, int (*make)(const void *ctx), const void *ctx);
