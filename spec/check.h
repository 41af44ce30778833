/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the runtime-spec that concern more than one key, or a key's meaning. Looks at the spec only:
 * no system call, nothing of the host. Callers: runtime before plan_make, `kist spec --check`.
 */
#pragma once
#include "spec/spec.h"
#include "util/err.h"

/* Judges a spec. Returns 0, or -EINVAL with the first breach: "process.cwd: expected an absolute path, got
 * etc". */
int spec_check(const struct spec *s, struct err *e);

/* Judges a spec and tells of every breach. Returns their number. */
size_t spec_check_all(const struct spec *s, jx_breach_fn *breach, void *ctx);

/* Judges a process object alone, with paths that start at it ("cwd: ..."), for `exec --process`. */
int spec_check_process(const struct spec_process *p, struct err *e);

/* Judges a resources object alone ("memory.swap: ..."), for `update`. */
int spec_check_resources(const struct spec_resources *r, struct err *e);

/* Judges the mounts of a spec alone, for `mounts add`. */
int spec_check_mounts(const struct spec *s, struct err *e);
