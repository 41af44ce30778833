/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the person at the terminal: standard input answers, standard error asks. For kist login. */
#pragma once
#include <stdbool.h>

#include "util/err.h"

/* Whether there is somebody to ask. */
bool prompt_can(void);

/*
 * Asks, and reads a line without its newline, which the caller frees. With `is_secret`, the terminal does not show what
 * is typed, and shows again whatever comes. -ENODATA: the end of the input.
 */
int prompt_line(const char *question, bool is_secret, char **ret, struct err *e);
