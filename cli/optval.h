/* SPDX-License-Identifier: Apache-2.0 */
/* The values of options: text to the kind's C type. Used by cli/opt. */
#pragma once
#include "cli/opt.h"

/*
 * Stores `text` at `slot`, whose type follows from the row's kind. NULL is a flag without a value. -EINVAL
 * with the option named in `e`.
 */
int optval_store(const struct opt *o, void *slot, const char *text, struct err *e);
