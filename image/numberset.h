/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of numbers other than 0 that several threads take from: each number is somebody's once. Open addressing under a
 * lock. Part of kist-image and kist-registry, for image/sharing.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numberset {
	pthread_mutex_t lock;
	uint64_t *v; /* 0: free */
	size_t n, room;
};

#define NUMBERSET_NONE ((struct numberset){ .lock = PTHREAD_MUTEX_INITIALIZER })

bool numberset_has(struct numberset *s, uint64_t number);

/* Adds a number. False: it is there, so somebody else has it. */
bool numberset_take(struct numberset *s, uint64_t number);

/* Frees it. Nobody uses it any more. */
void numberset_done(struct numberset *s);
