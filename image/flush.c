/* SPDX-License-Identifier: Apache-2.0 */
/* See flush.h. Sources: syncfs(2), pthread_condattr_setclock(3). */
#include "image/flush.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "util/fd.h"

/* Short of this, a load is over before anything is sent. */
enum { EVERY_NS = 200000000, SECOND_NS = 1000000000 };

/* Waits for its time. True: go on. */
static bool wait_turn(struct flush *f)
{
	struct timespec at;
	int num = 0;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += EVERY_NS;
	at.tv_sec += at.tv_nsec / SECOND_NS;
	at.tv_nsec %= SECOND_NS;
	pthread_mutex_lock(&f->lock);
	while (!f->is_stopped && num == 0)
		num = pthread_cond_timedwait(&f->changed, &f->lock, &at);
	bool is_on = !f->is_stopped;
	pthread_mutex_unlock(&f->lock);
	return is_on;
}

/* What goes wrong is for the barrier at the end to say. */
static void *run(void *arg)
{
	struct flush *f = arg;
	while (wait_turn(f) && syncfs(f->dir) == 0)
		;
	return NULL;
}

void flush_open(struct flush *f, int dir)
{
	pthread_condattr_t attr;
	*f = (struct flush){ .dir = -1 };
	/* A descriptor of its own: an error of writing is told once to each, and the barrier must hear of it. */
	f->dir = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->changed, &attr);
	pthread_condattr_destroy(&attr);
	f->is_running = pthread_create(&f->thread, NULL, run, f) == 0;
}

void flush_done(struct flush *f)
{
	if (f->dir < 0)
		return;
	if (f->is_running) {
		pthread_mutex_lock(&f->lock);
		f->is_stopped = true;
		pthread_cond_signal(&f->changed);
		pthread_mutex_unlock(&f->lock);
		pthread_join(f->thread, NULL);
	}
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	fd_drop(&f->dir);
}
