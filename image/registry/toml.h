/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads TOML 1.0 as registries.conf and its kin use it, and gives it as JSON, which jx reads by rows: tables, arrays of
 * tables, inline tables, arrays, strings of all four kinds, integers, booleans, dotted and quoted keys, comments.
 * Floats, dates and times are refused: no key of these files takes them. Pure. Source: toml.io, "TOML v1.0.0".
 */
#pragma once
#include <stddef.h>
#include "util/err.h"

enum {
	TOML_BYTES_MAX = 1 << 20,
	TOML_DEPTH_MAX = 32,
};

/* Returns 0 and a JSON object, which the caller frees; or -EINVAL with "ORIGIN:LINE: ...". */
int toml_to_json(const char *bytes, size_t len, const char *origin, char **ret_json, struct err *e);
