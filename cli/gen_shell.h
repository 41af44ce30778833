/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completions for bash, zsh and fish: completions/kist.SHELL.in with its tables filled in. Caller: cli/gen.
 */
#pragma once
#include <stdio.h>

/* Writes the completion of a shell. -EINVAL: no such shell. */
int gen_shell(const char *shell, FILE *to);
