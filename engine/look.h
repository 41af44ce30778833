/* SPDX-License-Identifier: Apache-2.0 */
/* One container as it is at this moment, from its record and its state. For engine/list.c and inspect.c alone. */
#pragma once
#include <sys/types.h>

#include "engine/record.h"

enum look_state { LOOK_CREATED, LOOK_RUNNING, LOOK_PAUSED, LOOK_EXITED, LOOK_DEAD };

struct look {
	struct record record;    /* zeroed when there is none */
	struct ending ending;
	enum look_state state;
	pid_t pid;               /* 0: it does not run */
};

/* `root`: of the state directory, or -1. */
void look_at(int root, const struct record_dir *d, struct look *ret);
void look_done(struct look *l);

#define look_auto __attribute__((cleanup(look_done)))

/* "running", ... */
const char *look_word(enum look_state state);
