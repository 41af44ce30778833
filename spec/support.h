/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that the runtime does not act on yet, refused when a spec uses them: nothing that is asked for is ever
 * dropped in silence. Whoever implements one strikes its row. Callers: runtime, after spec_check; `kist spec
 * --check`.
 */
#pragma once
#include <stdbool.h>
#include "spec/spec.h"
#include "util/err.h"

/* Returns 0, or -EOPNOTSUPP with "linux.intelRdt: not supported by this version of kist". */
int spec_supported(const struct spec *s, struct err *e);

/* Tells of every such key. Returns their number. */
size_t spec_supported_all(const struct spec *s, jx_breach_fn *breach, void *ctx);

/* Whether a key, named by its path ("hooks", "linux.intelRdt"), is acted on; for `features`. */
bool spec_is_supported(const char *path);
