/* SPDX-License-Identifier: Apache-2.0 */
/* The programs that belong to kist, such as kist-image. Callers: cmd_image, doctor, runtime. */
#pragma once
#include "util/err.h"

/*
 * Finds a helper: in $KIST_LIBEXEC, else beside the kist that runs, else where it was installed. Returns the path, which
 * the caller frees; NULL with e filled: it is not there.
 */
char *helper_find(const char *name, struct err *e);

/*
 * To be called before kist executes itself from a copy of its file: there nobody could tell any more what lies beside it,
 * and so the environment does (KIST_SELF).
 */
void helper_keep_place(void);
