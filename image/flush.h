/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends what is being made to the disk while it is being made, so that the one barrier at the end (image/commit) has
 * little left to wait for. Part of kist-image and kist-registry.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>

struct flush {
	int dir;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_running, is_stopped;
};

/* Begins, for the file system that `dir` lies on. What cannot be started is not missed: nothing depends on it. */
void flush_open(struct flush *f, int dir);
void flush_done(struct flush *f);
