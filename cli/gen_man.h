/* SPDX-License-Identifier: Apache-2.0 */
/* Man pages in man(7) macros, one per page of cli/words.h. Caller: cli/gen. */
#pragma once
#include "cli/words.h"

/* Writes kist.1 and kist-PAGE.1 into a directory that exists. Tells of a failure on standard error. */
int gen_man(const char *dir);
