/* SPDX-License-Identifier: Apache-2.0 */
/* The config that `kist spec` writes. Callers: cli, tests. */
#pragma once
#include <stdbool.h>

/* A complete config.json as text; for a rootless caller with a user namespace and without what it cannot have. */
const char *spec_default_json(bool is_rootless);
