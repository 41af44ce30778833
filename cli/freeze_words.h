/* SPDX-License-Identifier: Apache-2.0 */
/* From the words of checkpoint and restore to what runtime/criu is asked. */
#pragma once
#include "cli/options.h"
#include "runtime/criu.h"

/* What both have in common; the rest is the caller's to fill in. Strings are borrowed. */
struct criu_options freeze_words(const struct freeze_options *o);
