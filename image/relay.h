/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a flow in a thread of its own and passes its bytes on through a few buffers, so that reading,
 * digesting and inflating go on while the caller writes files. Part of kist-image and kist-registry.
 */
#pragma once
#include <pthread.h>
#include "image/flow.h"
#include <stdbool.h>

enum { RELAY_SLOTS = 4 };

struct relay {
	struct flow flow;
	struct flow *in;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct {
		uint8_t *p;
		size_t len;
	} slot[RELAY_SLOTS];
	unsigned int made, used; /* slots filled and given back since the start */
	bool is_reading;         /* the caller looks at slot `used` */
	bool is_ended, is_stopped;
	int result; /* of the flow's end: 0 or -errno */
	struct err err;
};

/* Starts the thread. The flow `in` belongs to it until relay_done. Returns 0 or -errno. */
int relay_open(struct relay *r, struct flow *in, struct err *e);

/* Stops the thread and waits for it. */
void relay_done(struct relay *r);
