/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's tree that is built in a mount namespace that is not its own: kist's, where the config names none, or one
 * that it joins. It lies over the directory root.path there, as one mount with all others below it, and the process
 * is put into it by chroot(2). What the namespace's other processes see of it, they see until the container is deleted.
 * Parent. Source: runtime-spec config-linux.md "Namespaces" (a type that is not named is inherited), "Mounts".
 */
#pragma once
#include "runtime/plan.h"
#include "runtime/state.h"
#include "util/err.h"

/* Notes in the record, before the tree is attached, by what it will be known there. */
int hosted_note(const struct plan *p, const struct opened *o, struct state *s, struct err *e);

/* Takes the tree away, unless it is not there (any more) or something else lies in its place. */
int hosted_remove(const struct state *s, struct err *e);
