/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of hooks, each at its point of a container's life. In the runtime's namespaces: prestart, createRuntime,
 * poststart, poststop, run by the parent. In the container's: createContainer, startContainer, run by its process.
 * Source: runtime-spec runtime.md "Lifecycle", config.md "POSIX-platform Hooks".
 */
#pragma once
#include "runtime/plan.h"
#include "runtime/state.h"
#include "spec/spec.h"
#include "util/err.h"

/* Whether a later command has hooks to run: the record says so. `h` may be NULL. */
bool hooks_are_later(const struct spec_hooks *h);

/* prestart, then createRuntime, up to the first that fails. The record has the pid. Parent. */
int hooks_create_runtime(const struct spec_hooks *h, const struct state *s, struct err *e);

/* poststart, up to the first that fails. Parent. */
int hooks_poststart(const struct spec_hooks *h, const struct state *s, struct err *e);

/* poststop, all of them: a failure is worth a warning. Parent. */
void hooks_poststop(const struct spec_hooks *h, const struct state *s);

/* What the child's hooks get, made before it is cloned: state documents without their pid. NULL: no such hooks. */
struct hooks_child {
	const char *creating, *created;
};

#define HOOKS_CHILD_NONE ((struct hooks_child){ NULL, NULL })

struct hooks_child hooks_child_make(const struct plan *p, const struct state *s, struct arena *a);

/* createContainer, in the container's namespaces, before its root is entered. `root` is where they start. Child. */
int hooks_create_container(const struct plan *p, const struct hooks_child *h, int root, struct err *e);

/* startContainer, in its root, as its user, with its capabilities and filter. Child. */
int hooks_start_container(const struct plan *p, const struct hooks_child *h, int launcher, struct err *e);

/* What of startContainer hooks is decided beforehand: how each is started. Needs the plan of the process. */
void hooks_plan(const struct spec_hooks *h, struct arena *a, struct plan *p);
