/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage before the child, where user, pid or time namespaces are joined or offset: a process enters them only by its
 * children (setns(2), time_namespaces(7)). Caller: spawn, right after clone; it allocates nothing.
 */
#pragma once
#include <stdint.h>

#include "runtime/init.h"

/* Joins them, clones the child with `flags` as its parent's child, tells its pid to the parent and ends. */
void init_stage(const struct init_args *args, uint64_t flags, int cgroup) __attribute__((noreturn));
