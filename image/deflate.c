/* SPDX-License-Identifier: Apache-2.0 */
/* See deflate.h. Sources: RFC 1952 "Member format", RFC 1951 "Details of block format", isa-l's igzip_lib.h. */
#include "image/deflate.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <unistd.h>

enum {
	LEVEL = 2, /* as fast as 1 and smaller; 3 takes half as long again for one percent */
	BLOCK = 512 << 10,
	DICT = 32 << 10,
	OUT = 2 * BLOCK + 4096, /* no code of deflate is longer than 15 bits */
};

/* What a thread packs with. */
struct tools {
	struct isal_zstream *z;
	uint8_t *level_buf;
};

static struct tools tools_new(void)
{
	return (struct tools){ mem_alloc(sizeof(struct isal_zstream)), mem_alloc(ISAL_DEF_LVL2_DEFAULT) };
}

static void tools_done(struct tools *t)
{
	free(t->z);
	free(t->level_buf);
}

/* The end of a flush lies on a whole byte, so that blocks can be put behind each other. */
static void pack(struct tools *t, struct deflate_slot *s)
{
	struct isal_zstream *z = t->z;
	isal_deflate_init(z);
	z->level = LEVEL;
	z->level_buf = t->level_buf;
	z->level_buf_size = ISAL_DEF_LVL2_DEFAULT;
	z->gzip_flag = IGZIP_DEFLATE;
	z->flush = SYNC_FLUSH;
	z->end_of_stream = s->is_last;
	s->code = s->dict ? isal_deflate_set_dict(z, s->in + DICT - s->dict, (uint32_t)s->dict) : COMP_OK;
	z->next_in = s->in + DICT;
	z->avail_in = (uint32_t)s->len;
	z->next_out = s->out;
	z->avail_out = OUT;
	if (s->code == COMP_OK)
		s->code = isal_deflate(z);
	s->out_len = OUT - z->avail_out;
}

/* ---- the ring: blocks written <= begun <= filled ---- */

static struct deflate_slot *slot_of(struct deflate *d, size_t block)
{
	return &d->slot[block % d->slots];
}

/* Packs the next block that nobody has begun with. The lock is held, but not meanwhile. */
static void pack_next(struct deflate *d, struct tools *t)
{
	struct deflate_slot *s = slot_of(d, d->begun++);
	pthread_mutex_unlock(&d->lock);
	pack(t, s);
	pthread_mutex_lock(&d->lock);
	s->is_packed = true;
	pthread_cond_broadcast(&d->changed);
}

static void *worker(void *arg)
{
	struct deflate *d = arg;
	struct tools t = tools_new();
	pthread_mutex_lock(&d->lock);
	while (!d->is_stopped) {
		if (d->begun < d->filled)
			pack_next(d, &t);
		else
			pthread_cond_wait(&d->changed, &d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	tools_done(&t);
	return NULL;
}

/* Waits until the oldest block is packed, or packs by itself where there are no threads. */
static void await_oldest(struct deflate *d)
{
	struct deflate_slot *s = slot_of(d, d->written);
	pthread_mutex_lock(&d->lock);
	if (!d->started && !s->is_packed) {
		struct tools t = tools_new();
		pack_next(d, &t);
		tools_done(&t);
	}
	while (!s->is_packed)
		pthread_cond_wait(&d->changed, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

static int write_head(struct deflate *d, struct err *e)
{
	/* deflate, no name, no time, unknown system */
	static const uint8_t head[10] = { 0x1f, 0x8b, 8, [9] = 0xff };
	if (d->is_headed)
		return 0;
	d->is_headed = true;
	return d->write(d->ctx, head, sizeof(head), e);
}

static int write_oldest(struct deflate *d, struct err *e)
{
	await_oldest(d);
	struct deflate_slot *s = slot_of(d, d->written++);
	if (s->code != COMP_OK)
		return err_new(e, EIO, "gzip: error %d of ISA-L", s->code);
	d->crc = crc32_gzip_refl(d->crc, s->in + DICT, s->len);
	d->bytes += (uint32_t)s->len;
	int r = write_head(d, e);
	return r < 0 ? r : d->write(d->ctx, s->out, s->out_len, e);
}

static void slot_begin(struct deflate_slot *s)
{
	if (!s->in) {
		s->in = mem_alloc(DICT + BLOCK);
		s->out = mem_alloc(OUT);
	}
	s->dict = s->len = 0;
	s->is_last = s->is_packed = false;
}

/* Hands the block that is being filled to the workers, and makes the next one ready. */
static int hand_over(struct deflate *d, bool is_last, struct err *e)
{
	struct deflate_slot *s = slot_of(d, d->filled);
	int r = 0;
	s->is_last = is_last;
	pthread_mutex_lock(&d->lock);
	d->filled++;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	if (d->filled - d->written == d->slots)
		r = write_oldest(d, e);
	if (is_last)
		return r;
	struct deflate_slot *next = slot_of(d, d->filled);
	slot_begin(next);
	next->dict = s->len < DICT ? s->len : DICT;
	memcpy(next->in + DICT - next->dict, s->in + DICT + s->len - next->dict, next->dict);
	return r;
}

/* ---- begin, middle and end ---- */

void deflate_open(struct deflate *d, tarout_fn *write, void *ctx, unsigned int workers)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (!workers)
		workers = cpus > 0 ? (unsigned int)cpus : 1;
	workers = workers < DEFLATE_WORKERS ? workers : DEFLATE_WORKERS;
	*d = (struct deflate){ .write = write, .ctx = ctx, .slots = workers + 2 };
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	slot_begin(&d->slot[0]);
	/* A thread that cannot be started is not missed. */
	while (workers > 1 && d->started < workers &&
	       pthread_create(&d->threads[d->started], NULL, worker, d) == 0)
		d->started++;
}

void deflate_done(struct deflate *d)
{
	pthread_mutex_lock(&d->lock);
	d->is_stopped = true;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	while (d->started > 0)
		pthread_join(d->threads[--d->started], NULL);
	for (size_t i = 0; i < d->slots; i++) {
		free(d->slot[i].in);
		free(d->slot[i].out);
	}
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
}

int deflate_write(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct deflate *d = ctx;
	const uint8_t *p = bytes;
	int r = 0;
	while (r == 0 && len) {
		struct deflate_slot *s = slot_of(d, d->filled);
		/* A full block waits for the next byte: only then is it not the last one. */
		if (s->len == BLOCK) {
			r = hand_over(d, false, e);
			continue;
		}
		size_t n = BLOCK - s->len < len ? BLOCK - s->len : len;
		memcpy(s->in + DICT + s->len, p, n);
		s->len += n;
		p += n;
		len -= n;
	}
	return r;
}

int deflate_finish(struct deflate *d, struct err *e)
{
	int r = hand_over(d, true, e);
	while (r == 0 && d->written < d->filled)
		r = write_oldest(d, e);
	if (r < 0)
		return r;
	uint8_t tail[8];
	for (int i = 0; i < 4; i++) {
		tail[i] = (uint8_t)(d->crc >> 8 * i);
		tail[4 + i] = (uint8_t)(d->bytes >> 8 * i);
	}
	return d->write(d->ctx, tail, sizeof(tail), e);
}
