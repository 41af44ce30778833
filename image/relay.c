/* SPDX-License-Identifier: Apache-2.0 */
/* See relay.h. */
#include "image/relay.h"

#include <string.h>

#include "util/mem.h"

enum { PIECE = 256 << 10 };

/* Waits for a free slot. NULL: the caller wants no more. */
static uint8_t *slot_get(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->made - r->used == RELAY_SLOTS && !r->is_stopped)
		pthread_cond_wait(&r->changed, &r->lock);
	uint8_t *p = r->is_stopped ? NULL : r->slot[r->made % RELAY_SLOTS].p;
	pthread_mutex_unlock(&r->lock);
	return p;
}

static void slot_put(struct relay *r, size_t len)
{
	pthread_mutex_lock(&r->lock);
	r->slot[r->made++ % RELAY_SLOTS].len = len;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static void *run(void *arg)
{
	struct relay *r = arg;
	const uint8_t *p;
	size_t n;
	int result;
	bool is_wanted = true;
	while (is_wanted && (result = flow_pull(r->in, &p, &n, &r->err)) == 1) {
		for (size_t len; is_wanted && n; p += len, n -= len) {
			uint8_t *to = slot_get(r);
			len = n < PIECE ? n : PIECE;
			is_wanted = to;
			if (to)
				memcpy(to, p, len);
			if (to)
				slot_put(r, len);
		}
	}
	pthread_mutex_lock(&r->lock);
	r->result = is_wanted ? result : 0;
	r->is_ended = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static int pull(struct flow *f, const uint8_t **ret_bytes, size_t *ret_len, struct err *e)
{
	struct relay *r = (struct relay *)f;
	pthread_mutex_lock(&r->lock);
	if (r->is_reading) {
		r->used++;
		r->is_reading = false;
		pthread_cond_signal(&r->changed);
	}
	while (r->made == r->used && !r->is_ended)
		pthread_cond_wait(&r->changed, &r->lock);
	r->is_reading = r->made != r->used;
	int result = r->is_reading ? 1 : r->result;
	if (r->is_reading) {
		*ret_bytes = r->slot[r->used % RELAY_SLOTS].p;
		*ret_len = r->slot[r->used % RELAY_SLOTS].len;
	} else if (result < 0) {
		*e = r->err;
	}
	pthread_mutex_unlock(&r->lock);
	return result;
}

int relay_open(struct relay *r, struct flow *in, struct err *e)
{
	*r = (struct relay){ .flow = { .pull = pull }, .in = in };
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	for (int i = 0; i < RELAY_SLOTS; i++)
		r->slot[i].p = mem_alloc(PIECE);
	int num = pthread_create(&r->thread, NULL, run, r);
	if (num == 0)
		return 0;
	for (int i = 0; i < RELAY_SLOTS; i++)
		free(r->slot[i].p);
	return err_ret(e, -num, "start a thread");
}

void relay_done(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	r->is_stopped = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	for (int i = 0; i < RELAY_SLOTS; i++)
		free(r->slot[i].p);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
}
