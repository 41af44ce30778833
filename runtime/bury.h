/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a container's record, once its processes and its group are gone, and the poststop hooks. The spec wants
 * them after the container is deleted, so the directory first loses its name: it becomes `.poststop-ID`, which no
 * command takes for a container, and whose id is free again. It is removed when the hooks have run; a delete that was
 * killed before that is finished by the next one. Parent. Source: runtime-spec runtime.md "Lifecycle".
 */
#pragma once
#include "runtime/state.h"
#include "util/err.h"

/* Removes the record, with the hooks of its config.json. The caller holds the lock, and closes `dir`. */
int container_bury(struct state_dir *dir, const struct state *s, struct err *e);

/* Finishes what a killed delete of an id has left. -ENOENT: nothing is left. */
int container_bury_again(int root, const char *id, struct err *e);
