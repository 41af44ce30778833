/* SPDX-License-Identifier: Apache-2.0 */
/* The config that `kist spec` writes. Callers: cli, tests. */
#pragma once
#include <stdbool.h>

/*
 * A complete config.json as text, which the caller frees. For a rootless caller: with a user namespace in
 * which the caller's own ids are root, and without what only root can give.
 */
char *spec_default_json(bool is_rootless);
