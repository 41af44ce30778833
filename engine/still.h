/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds a container's processes still while its files are read. A process of its own lets them go on, also when this one
 * is killed. Caller: cli (commit).
 */
#pragma once
#include <sys/types.h>

#include "util/err.h"

struct still {
	pid_t guard;  /* 0: nobody is held */
	int own_end;  /* its end tells the guard to let go */
};

#define STILL_NONE ((struct still){ .own_end = -1 })

/* Freezes a running container. The caller ends it by still_end. */
int still_begin(const char *state_root, const char *name, struct still *ret, struct err *e);
void still_end(struct still *s);
