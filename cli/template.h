/* SPDX-License-Identifier: Apache-2.0 */
/* The small part of Go's templates that scripts use with Docker: see cli/out.h, its only caller. */
#pragma once
#include <stdbool.h>
#include "util/err.h"
#include "util/mem.h"

/*
 * Appends the value of a field. `path` is "ID" or "State.Pid", "" for the whole row; `is_json`: as a JSON
 * value. -ENOENT: no such field.
 */
typedef int template_field_fn(void *ctx, const char *path, bool is_json, struct str *out);

/*
 * Appends `format` with its {{...}} replaced and a newline. -EINVAL: syntax or an unknown field, told in `e`.
 */
int template_expand(const char *format, template_field_fn *field, void *ctx, struct str *out, struct err *e);
